"""The schema flags nothing that `check` accepts, and refuses every key that `check` does not know."""

import copy
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mlevents.conditions.condition import operator
from mlevents.errors import RulesError
from mlevents.events import NAMES
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.schema.file_schema import build_file_schema
from mlevents.settings import Settings
from mlevents.yamlfile.reader import parse_yaml
from tests.unit.markdown_page import Fence
from tests.unit.test_docs import fences, rule_file

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = Draft202012Validator(build_file_schema())
SHIPPED = yaml.safe_load((ROOT / "rules.yaml").read_text())
VALUES = st.sampled_from(
    [
        *("x", "fraud-*", "", "15m", "0s", "live", "v1", "V2", "${model.name}", "${env.NAME}", "failed", "*"),
        *(0, 1, -1, 0.5, 101, 20_000, True, False),
        *([], ["x"], [1], [True], {}, {"setting": "NAME"}, {"x": "y"}, {"prefix": "x"}, {"gte": 1}),
        *({"present": True}, {"any": [{"prefix": "x"}]}, {"between": [1, 2]}, {"version": ">=2, <3"}),
        *sorted(NAMES),
        ["model.registered", "run.completed"],
    ]
)
KEYS = st.sampled_from(
    [
        *("x", "any", "not", "tags", "name", "run", "model", "where", "uses", "with", "if", "order"),
        *("require", "rollout", "timeout", "latency", "template", "subject", "text", "to", "endpoint"),
        *operator.names(),
    ]
)


def find_containers(value: Any) -> Iterator[Any]:
    """Every map and list of a document."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from find_containers(inner)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The shipped rule file with up to three values that are replaced, removed or added."""
    document = copy.deepcopy(SHIPPED)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(find_containers(document))))
        known = list(place) if isinstance(place, dict) else list(range(len(place)))
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "add" and isinstance(place, dict):
            place[draw(KEYS)] = copy.deepcopy(draw(VALUES))
        elif known and action == "remove":
            del place[draw(st.sampled_from(known))]
        elif known:
            place[draw(st.sampled_from(known))] = copy.deepcopy(draw(VALUES))
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for rule files, with the files that the shipped one names."""
    found = tmp_path_factory.mktemp("rules")
    shutil.copytree(ROOT / "deployments", found / "deployments")
    return found


def find_problem(document: Any, folder: Path) -> str:
    """The first problem that `check` reports; nothing when it accepts the document."""
    file = folder / "rules.yaml"
    file.write_text(json.dumps(document))
    try:
        load_and_test_rules(file, Settings(), require_settings=False)
    except RulesError as refusal:
        return str(refusal.problems[0])
    return ""


@settings(max_examples=200)
@given(document=mutated())
def test_the_schema_flags_nothing_that_check_accepts(document: Any, folder: Path):
    if not SCHEMA.is_valid(document):
        assert find_problem(document, folder), [error.message for error in SCHEMA.iter_errors(document)]


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every map of a document."""
    if isinstance(value, dict):
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from list_paths(inner, (*path, key))


@pytest.mark.parametrize(
    "path", list(list_paths(SHIPPED)), ids=lambda path: ".".join(map(str, path)) or "file"
)
def test_the_schema_knows_the_keys_of_every_map_as_check_does(path: tuple[Any, ...], folder: Path):
    document = copy.deepcopy(SHIPPED)
    place = document
    for key in path:
        place = place[key]
    place["nonsense"] = next(iter(place.values()))
    refused = re.search("unknown (?!rule)|gives 2 events|is a list of items", find_problem(document, folder))
    assert SCHEMA.is_valid(document) == (refused is None)


def test_the_schema_of_a_project_has_its_own_elements():
    file = ROOT / "docs/examples/own-elements/rules.yaml"
    command = [sys.executable, "-m", "mlevents", "schema", str(file)]
    written = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    document = parse_yaml(file.read_text(), "example").value
    assert [error.message for error in Draft202012Validator(json.loads(written)).iter_errors(document)] == []
    assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize("fence", fences("yaml"))
def test_every_example_of_the_documentation_fits(fence: Fence):
    if fence.info[1:] == ["wrong"] or fence.file.startswith(("deployments/", "docs/examples/")):
        return
    document = parse_yaml(rule_file(fence.text), "example").value
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
