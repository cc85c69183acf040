"""Keys that exclude each other: `check` and the schema read the same declaration."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from mlevents.actions.action import action
from mlevents.gates.gate import gate
from mlevents.schema.file_schema import build_file_schema

SCHEMA = Draft202012Validator(build_file_schema())
CASES = [
    ("notify", {"to": "team"}, {"template": "run-failed"}, {"subject": "s", "text": "t"}),
    ("run_ml_pipeline", {}, {"job": "a.yml", "compute": "cpu"}, {"batch_endpoint": "b", "deployment": "d"}),
    ("run_ml_pipeline", {}, {"component": "train:1"}, {"batch_endpoint": "b"}),
    ("require", {"metric_tag": "accuracy"}, {"at_least": "champion"}, {"at_most": 0.5}),
]


def make_rule(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": "one", "event": "model.registered"}
    step = {"uses": "notify", "with": {"to": "team", "template": "run-failed"}}
    if name in gate:
        return {"version": 1, "rules": [{**rule, name: parameters, "do": [step]}]}
    return {"version": 1, "rules": [{**rule, "do": [{"uses": name, "with": parameters}]}]}


def accepts(name: str, parameters: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the schema, and whether the model that `check` uses, accepts them."""
    found = gate.find(name) if name in gate else action.find(name)
    try:
        found.model_validate(parameters)
    except ValidationError:
        return SCHEMA.is_valid(make_rule(name, parameters)), False
    return SCHEMA.is_valid(make_rule(name, parameters)), True


@pytest.mark.parametrize(("name", "common", "one", "other"), CASES)
def test_each_choice_alone_is_right_and_both_together_are_wrong(
    name: str, common: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
):
    assert accepts(name, common | one) == (True, True)
    assert accepts(name, common | other) == (True, True)
    for key, value in other.items():
        assert accepts(name, common | one | {key: value}) == (False, False)


def test_keys_that_belong_together_are_asked_for():
    assert accepts("notify", {"to": "team", "subject": "s"}) == (False, False)
