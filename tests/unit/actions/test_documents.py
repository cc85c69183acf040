"""CLI v2 documents: what would have to be uploaded is refused, with its place."""

import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.documents import is_remote, local_parts, parse_document, parse_json, require_remote
from mlevents.actions.run_ml_pipeline.pipeline_inputs import with_inputs
from mlevents.errors import PermanentError
from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.yaml_entities import load_entity
from mlevents.yamlfile.reader import MAX_CHARACTERS

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
    assert list(parse_document("job.yml", REMOTE)) == ["type", "inputs", "jobs"]


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
        ("inputs: {data: {type: uri_file, path: file:x}}", "inputs.data.path is 'file:x'"),
        ("inputs: {data: {path: /proc/self/environ}}", "inputs.data.path is '/proc/self/environ'"),
        ("inputs: {data: {path: /subscriptions/../etc/passwd}}", "inputs.data.path is '/subscriptions/"),
        ("inputs: {data: {path: /subscriptions/s/resourceGroups/r/providers/../../../../../../x}}", "/x'"),
        ("inputs: {data: {path: '${{/../rules.yaml'}}", "inputs.data.path is '${{/../rules.yaml'"),
        ("inputs: {data: {path: 'azureml:../../etc/passwd'}}", "inputs.data.path is 'azureml:../"),
        ("inputs: {data: {path: 'abfss://../../etc/passwd'}}", "inputs.data.path is 'abfss://../"),
        ("inputs: {data: {path: 'abfss://c@a/x/..'}}", "inputs.data.path is"),
        ("code_configuration: {code: 'azureml:../src'}", "code_configuration.code is 'azureml:../src'"),
        ("environment: file:env.yml", "environment is 'file:env.yml'"),
        ("jobs: {train: {component: ./train.yml}}", "jobs.train.component is './train.yml'"),
        ("inputs: {data: {type: uri_file, path: data.csv}}", "inputs.data.path is 'data.csv'"),
        ("jobs: {train: {compute: local}}", "jobs.train.compute is 'local'"),
    ],
)
def test_what_is_local_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(PermanentError) as refused:
        parse_document("job.yml", text)
    assert place in str(refused.value)
    assert "register it once" in str(refused.value)


ALIASES = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGES = "a0: &a0 {k0: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: *a{n - 1}}}\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("a: [", "job.yml:1:.*this is not YAML"),
        ("- a", "no YAML mapping"),
        ("", "no YAML mapping"),
        ("a: &a {b: *a}", "names the value that it is in"),
        ("a: 1\na: 2", "is a duplicate of the key in line 1"),
        (f"a: {'[' * 5000}{']' * 5000}", "nest deeper than 100 levels"),
        (ALIASES, "aliases repeat more than"),
        (MERGES, "job.yml"),
        ("a: " + "x" * MAX_CHARACTERS, "keep it within"),
    ],
)
def test_what_is_no_document_is_refused_with_the_files_name(text: str, fact: str) -> None:
    with pytest.raises(PermanentError, match=fact) as refused:
        parse_document("job.yml", text)
    assert "job.yml" in str(refused.value)


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


@pytest.mark.parametrize(
    "text", ["a" * 300, "x" * 100_000, "/etc/passwd", "file:/etc/passwd", "rules.yaml", "\0"]
)
def test_a_plain_text_is_a_value_and_never_looked_for(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure ML's SDK sends such an input as a literal: the wire type says so."""
    asked: list[str] = []
    monkeypatch.setattr(os, "stat", lambda path, *_, **__: asked.append(str(path)))
    document = {"type": "pipeline", "inputs": with_inputs("job.yml", {"note": "x"}, {"note": text})}
    assert require_remote("job.yml", document)["inputs"]["note"] == text
    assert asked == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK, at import
@pytest.mark.parametrize("text", ["a" * 300, "/etc/passwd", "file:/etc/passwd", "rules.yaml", "azureml:x:1"])
def test_the_sdk_takes_a_plain_text_for_a_literal(text: str) -> None:
    with import_lock():
        from azure.ai.ml import load_job

    jobs = {"t": {"type": "command", "component": "azureml:train:1"}}
    document = {"type": "pipeline", "name": "j", "inputs": {"note": text}, "jobs": jobs}
    found = load_entity(load_job, document, "a job")._to_rest_object().properties.inputs["note"]
    assert (found.job_input_type, found.value) == ("literal", text)


@given(st.text(max_size=300))
def test_no_text_of_an_event_becomes_a_path_of_the_apps(text: str) -> None:
    data = {"type": "uri_file", "path": "azureml:x:1"}
    document = {"inputs": with_inputs("job.yml", {"data": data}, {"data": text})}
    if not is_remote(text):
        with pytest.raises(PermanentError, match=r"inputs\.data\.path is"):
            require_remote("job.yml", document)
    else:
        assert not Path(text).is_absolute() or text.lower().startswith("/subscriptions/")
        assert ".." not in re.split(r"[/\\:]", text)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{", "nul", "[NaN]", '{"a": -Infinity}', "x" * (MAX_CHARACTERS + 1)]
)
def test_a_request_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(PermanentError, match=r"'request\.json'"):
        parse_json("request.json", text)


def test_numbers_of_a_document_can_be_written_again() -> None:
    document = parse_document("small.yaml", "instance_count: 1\nscale: &s {target: 1.10}\nother: *s\n")
    assert yaml.safe_load(yaml.safe_dump(document)) == document
    assert type(document["scale"]["target"]) is float
