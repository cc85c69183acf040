"""The JSON Schema agrees with what loading says, and explains every key to people who write rules."""

import copy
import json
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mlevents.events import NAMES
from mlevents.gates.gate import gate
from mlevents.matching.where import bind_where, list_names
from mlevents.rules.file import load_rules
from mlevents.schema.environment_schema import build_environment_schema
from mlevents.schema.file_schema import build_file_schema
from mlevents.schema.model_schema import Schema
from mlevents.settings import Settings
from tests.unit.schema.schema_walk import list_properties, list_schemas

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = ("AZURE_SUBSCRIPTION_ID", "COMMUNICATION_ENDPOINT", "TEAMS_WORKFLOW_URL")
WITH = {"to": "mlops-teams", "template": "run-failed"}
SCHEMAS = [build_file_schema(), build_environment_schema()]
SCHEMA = Draft202012Validator(SCHEMAS[0])
GATES = set(gate.names())


def powerset(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Every selection of these names that has one at least."""
    return chain.from_iterable(combinations(names, size) for size in range(1, len(names) + 1))


def shipped() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "rules.yaml").read_text())
    return document


def test_it_is_a_schema():
    Draft202012Validator.check_schema(build_file_schema())


def test_the_shipped_rules_load_and_fit():
    rules = load_rules(ROOT / "rules.yaml", Settings(environment=dict.fromkeys(SETTINGS, "x")))
    assert [rule.id for rule in rules.rules] == [
        "deploy-production-models",
        "retrain-on-drift",
        "alert-poor-predictions",
        "alert-failed-runs",
    ]
    assert rules.warnings == ()
    SCHEMA.validate(shipped())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rules/0/event", "model.registred"),
        ("rules/0/where/model/name", {"prefx": "x"}),
        ("rules/0/where/modl", {}),
        ("rules/0/where/model/tags/size", 5),
        ("rules/0/do/0/uses", "deploy_modl"),
        ("rules/0/do/0/with/endpont", "x"),
        ("rules/0/do/0/timeout", 5),
        ("rules/1/do/0/with/wait", "yes"),
        ("connections/retraining/typ", "x"),
        ("connections/retraining/type", "data_factry"),
        ("connections/mlops-teams/url", {"settin": "x"}),
    ],
)
def test_a_mistake_does_not_fit(path: str, value: object):
    document = copy.deepcopy(shipped())
    *parents, last = path.split("/")
    place: Any = document
    for part in parents:
        place = place[int(part) if isinstance(place, list) else part]
    place[last] = value
    assert not SCHEMA.is_valid(document)


def test_a_value_of_the_event_fits_everywhere_in_with():
    document = shipped()
    document["rules"][1]["do"][0]["with"]["wait"] = "${drift.monitor}"
    assert [error.message for error in SCHEMA.iter_errors(document)] == []


@pytest.mark.parametrize("schema", SCHEMAS, ids=["rules", "environment"])
def test_every_key_is_explained_in_a_sentence(schema: Schema):
    texts = {path: member.get("description", "") for path, member in list_properties(schema)}
    assert len(texts) > 30
    sentence = re.compile(r"[^a-z].*[.:]", re.DOTALL)
    assert {path: text for path, text in texts.items() if not sentence.fullmatch(text)} == {}


@pytest.mark.parametrize("schema", SCHEMAS, ids=["rules", "environment"])
def test_no_text_speaks_of_the_code(schema: Schema):
    texts = "\n".join(member.get("description", "") for _, member in list_schemas(schema))
    assert re.findall(r".*(?:pydantic|docstring|\bMarks? a |Raises |mlevents\.[a-z]).*", texts) == []
    assert [path for path, member in list_schemas(schema) if "title" in member] == []
    assert [name for name in schema["$defs"] if re.search("[A-Z]|syntax", name)] == []


def test_the_schema_offers_the_gates_that_exist_and_no_other():
    offered = {name.removeprefix("gate ") for name in SCHEMAS[0]["$defs"] if name.startswith("gate ")}
    assert offered == GATES


def test_the_file_with_the_schema_is_up_to_date():
    assert json.loads((ROOT / "rules.schema.json").read_text()) == SCHEMAS[0]
    assert json.loads((ROOT / "environment.schema.json").read_text()) == SCHEMAS[1]


@pytest.mark.parametrize("kinds", list(powerset(sorted(NAMES))), ids=" ".join)
def test_where_has_the_names_of_the_events_of_the_rule_and_no_other(kinds: tuple[str, ...]):
    written: dict[str, Any] = {"event": list(kinds), "id": "one", "do": [{"uses": "notify", "with": WITH}]}
    for root, fields in list_names(("*",)).items():
        for field in fields:
            condition = {"present": True} if field not in ("tags", "properties") else {"a": "b"}
            document = {"version": 1, "rules": [{**written, "where": {root: {field: condition}}}]}
            problems: list[tuple[str, str]] = []
            bind_where({root: {field: condition}}, kinds, "", partial(_report, problems))
            assert SCHEMA.is_valid(document) == (problems == []), (root, field, problems)


def _report(problems: list[tuple[str, str]], path: str, text: str) -> None:
    problems.append((path, text))


def test_a_gate_that_these_events_cannot_pass_is_not_offered():
    document = shipped()
    document["rules"][1]["require"] = {"metric_tag": "accuracy", "at_least": "champion"}
    assert not SCHEMA.is_valid(document)


def test_a_file_of_a_rule_folder_needs_no_rules():
    assert SCHEMA.is_valid({"version": 1, "connections": {}})
    assert not SCHEMA.is_valid({"connections": {}})
