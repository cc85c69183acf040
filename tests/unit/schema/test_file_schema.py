"""The JSON Schema agrees with what loading says, on the shipped rules and on mistakes in them."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mlevents.gates.gate import gate
from mlevents.rules.available_gates import PLANNED
from mlevents.rules.file import load_rules
from mlevents.schema.file_schema import build_file_schema
from mlevents.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = ("AZURE_SUBSCRIPTION_ID", "COMMUNICATION_ENDPOINT", "TEAMS_WORKFLOW_URL")
SCHEMA = Draft202012Validator(build_file_schema())


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


def test_every_key_of_the_file_is_explained():
    schema: Any = SCHEMA.schema
    definitions = {"file": schema} | {name: schema["$defs"][name] for name in ("RuleSyntax", "Defaults")}
    unexplained = [
        f"{name}.{key}"
        for name, found in definitions.items()
        for key, member in found["properties"].items()
        if "description" not in member and "$ref" not in member
    ]
    assert unexplained == []


def test_the_schema_offers_the_gates_that_exist_and_no_other():
    schema: Any = SCHEMA.schema
    offered = set(schema["$defs"]["RuleSyntax"]["properties"])
    assert set(gate.names()) <= offered
    assert not offered & (set(PLANNED) - set(gate.names()))
