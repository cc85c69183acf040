"""CLI v2 documents: what would have to be uploaded is refused, with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.documents import local_parts, parse
from mlevents.errors import PermanentError

REMOTE = """
type: pipeline
inputs: {code: ./not-a-file, reference: {type: uri_folder, path: "azureml:reference:3"}}
jobs:
  code:
    component: azureml:train:1
    environment: azureml:env@latest
    compute: azureml:cpu
    inputs: {data: "${{parent.inputs.reference}}", path: plain}
  score: {component: "azureml://registries/azureml/components/score/versions/1"}
"""


def test_references_and_plain_values_pass() -> None:
    assert list(parse("job.yml", REMOTE)) == ["type", "inputs", "jobs"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("code_configuration: {code: ./src, scoring_script: score.py}", "code_configuration.code is './src'"),
        ("environment: {image: x, conda_file: env.yml}", "environment is defined in place"),
        ("environment: {image: x}", "environment is defined in place"),
        (
            "jobs: {train: {environment: {build: {path: docker}}}}",
            "jobs.train.environment is defined in place",
        ),
        ("inputs: {data: file:x}", "inputs.data is 'file:x'"),
        ("inputs: {data: /proc/self/environ}", "inputs.data is '/proc/self/environ'"),
        ("environment: file:env.yml", "environment is 'file:env.yml'"),
        ("jobs: {train: {component: ./train.yml}}", "jobs.train.component is './train.yml'"),
        ("inputs: {data: {type: uri_file, path: data.csv}}", "inputs.data.path is 'data.csv'"),
        ("jobs: {train: {compute: local}}", "jobs.train.compute is 'local'"),
    ],
)
def test_what_is_local_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(PermanentError) as refused:
        parse("job.yml", text)
    assert place in str(refused.value)
    assert "register it once" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("a: [", "is no YAML"),
        ("- a", "no YAML mapping"),
        ("", "no YAML mapping"),
        ("a: &a {b: *a}", "leads back to itself"),
    ],
)
def test_what_is_no_document_is_refused_with_the_files_name(text: str, fact: str) -> None:
    with pytest.raises(PermanentError, match=fact) as refused:
        parse("job.yml", text)
    assert "'job.yml'" in str(refused.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["code", "path", "jobs", "x"]), inner)
        ),
        max_leaves=12,
    )
)
def test_looking_for_local_parts_never_raises(document: object) -> None:
    assert isinstance(list(local_parts(document)), list)
