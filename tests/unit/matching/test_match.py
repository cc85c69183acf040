"""Matching: the plan of a rule file for an event, by index and rule by rule."""

from typing import Any

import pytest
from hypothesis import given, settings

from mlevents.events import parse
from mlevents.matching.index import Index
from mlevents.matching.match import find_matches, plan
from tests.unit.matching.where_samples import PREFIX, close_pairs, file_of, rule_of, rules, wire_events

TAG = "azureml_modelmonitor_threshold_breached"
BREACH = {
    "id": "1",
    "subject": "experiments/e/runs/r",
    "eventType": PREFIX + "RunStatusChanged",
    "data": {"runStatus": "Failed", "runTags": {TAG: "The signal 's' has failed"}},
}
UNKNOWN = {"id": "1", "subject": "s", "eventType": "Contoso.Something", "data": {}}


def verdict(rule, document):
    [found] = plan(file_of(rule), parse(document))
    return found


@settings(max_examples=150, deadline=None)
@given(rules=rules(most=8), sent=wire_events())
def test_the_index_finds_what_asking_every_rule_finds(rules, sent):
    event = parse(sent[1])
    assert list(find_matches(rules, event)) == [one for one in plan(rules, event) if one.matches]


@settings(max_examples=200, deadline=None)
@given(close_pairs())
def test_the_index_finds_rules_that_nearly_hold(found):
    rules, _, document = found
    event = parse(document)
    assert list(find_matches(rules, event)) == [one for one in plan(rules, event) if one.matches]


@given(rules=rules(), sent=wire_events())
@settings(deadline=None)
def test_every_rule_has_a_verdict_in_file_order_with_a_reason_unless_it_matches(rules, sent):
    verdicts = plan(rules, parse(sent[1]))
    assert [one.rule for one in verdicts] == list(rules.rules)
    assert all((one.failed is None) is one.matches for one in verdicts)


def test_a_disabled_rule_matches_nothing_and_says_so():
    found = verdict(rule_of(event=("*",), mode="disabled"), BREACH)
    assert (found.matches, found.failed.path, found.failed.found) == (False, "mode", "disabled")


def test_a_shadow_rule_matches():
    assert verdict(rule_of(event=("*",), mode="shadow"), BREACH).matches


def test_another_kind_of_event_is_the_reason():
    failed = verdict(rule_of(event=("model.registered",)), BREACH).failed
    assert (failed.path, failed.wanted, failed.found) == (
        "event",
        "model.registered",
        "run.status_changed",
    )


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (("drift.detected",), "drift.detected"),
        (("run.status_changed",), "run.status_changed"),
        (("drift.detected", "run.status_changed"), "drift.detected"),
        (("run.status_changed", "drift.detected"), "drift.detected"),
        (("*",), "run.status_changed"),
    ],
)
def test_a_rule_knows_a_breach_as_the_drift_that_it_is(asked, kind):
    assert verdict(rule_of(event=asked), BREACH).kind == kind


def test_an_unknown_event_reaches_only_rules_on_every_event():
    assert verdict(rule_of(event=("*",)), UNKNOWN).kind == "Contoso.Something"
    assert not verdict(rule_of(event=("run.completed",)), UNKNOWN).matches


def test_each_rule_file_has_its_own_index():
    event = parse(BREACH)
    first, second = file_of(rule_of(event=("*",), name="a")), file_of(rule_of(event=("*",), name="b"))
    names = [[one.rule.id for one in find_matches(rules, event)] for rules in (first, second, first)]
    assert names == [["a"], ["b"], ["a"]]


def test_the_reason_names_every_kind_and_every_mode_that_would_do():
    several = verdict(rule_of(event=("model.registered", "run.completed")), BREACH).failed
    assert several.wanted == ["model.registered", "run.completed"]
    assert verdict(rule_of(event=("*",), mode="disabled"), BREACH).failed.wanted == ["live", "shadow"]


MODEL: dict[str, Any] = {
    "id": "1",
    "subject": "models/Fraud-net:8",
    "eventType": PREFIX + "ModelRegistered",
    "data": {
        "modelName": "Fraud-net",
        "modelVersion": "8",
        "modelTags": {"Stage": "Prod", "stage": "prod", "a.b": "x"},
    },
}
DRIFT = {
    "id": "1",
    "subject": "datadrift/d/run/d_1",
    "eventType": PREFIX + "DatasetDriftDetected",
    "data": {"dataDriftName": "d", "driftCoefficient": 0.3},
}
DEPLOYED = {
    "id": "1",
    "subject": "endpoints/fraud",
    "eventType": PREFIX + "ModelDeployed",
    "data": {"serviceName": "fraud", "modelIds": "fraud:1,k:2"},
}


@pytest.mark.parametrize(
    ("document", "where", "found"),
    [
        (MODEL, {"model": {"name": "FRAUD-NET"}}, True),
        (MODEL, {"model": {"name": "fraud"}}, False),
        (MODEL, {"model": {"name": ["x", "fraud-net"]}}, True),
        (MODEL, {"model": {"name": {"prefix": ["x", "FRAUD-"]}}}, True),
        (MODEL, {"model": {"name": {"prefix": "net"}}}, False),
        (MODEL, {"model": {"name": {"prefix": "fraud-net-2"}}}, False),
        (MODEL, {"model": {"name": {"suffix": "x"}}}, False),
        (MODEL, {"model": {"name": {"not-in": ["fraud-net"]}}}, False),
        (MODEL, {"model": {"name": {"not-in": ["fraud"]}}}, True),
        (MODEL, {"model": {"tags": {"stage": "PROD"}}}, True),
        (MODEL, {"model": {"tags": {"stage": "draft"}}}, False),
        (MODEL, {"model": {"tags": {"a.b": {"prefix": "x"}}}}, True),
        (MODEL, {"model": {"tags": {"owner": "x"}}}, False),
        (MODEL, {"model": {"properties": {"stage": "prod"}}}, False),
        (MODEL, {"any": [{"model": {"name": "x"}}]}, False),
        (MODEL, {"any": [{"model": {"name": "x"}}, {"model": {"tags": {"stage": "prod"}}}]}, True),
        (MODEL, {"any": [{"model": {"name": "x"}}, {"model": {"tags": {"x": {"absent": True}}}}]}, True),
        (MODEL, {"not": {"model": {"name": "x"}}}, True),
        (MODEL, {"model": {"name": {"suffix": ["-net", "x"]}}}, True),
        (MODEL, {"model": {"name": {"suffix": "-nets"}}}, False),
        (MODEL, {"model": {"name": {"contains": "AUD"}}}, True),
        (MODEL, {"model": {"name": {"contains": "audit"}}}, False),
        (MODEL, {"model": {"version": {"gte": 8}}}, True),
        (MODEL, {"model": {"version": {"gte": 9}}}, False),
        (MODEL, {"model": {"version": {"lt": 9}}}, True),
        (MODEL, {"model": {"version": {"lt": 7}}}, False),
        (MODEL, {"model": {"version": {"between": [7, 9]}}}, True),
        (MODEL, {"model": {"version": {"between": [9, 11]}}}, False),
        (MODEL, {"model": {"version": {"version": ">=8.0, <9"}}}, True),
        (MODEL, {"model": {"version": {"version": ">=9"}}}, False),
        (MODEL, {"model": {"tags": {"stage": {"glob": "*od"}}}}, True),
        (MODEL, {"model": {"tags": {"stage": {"glob": "*x*"}}}}, False),
        (MODEL, {"model": {"tags": {"stage": {"matches": "p.*od"}}}}, True),
        (MODEL, {"model": {"tags": {"stage": {"matches": "dev.*"}}}}, False),
        (MODEL, {"model": {"tags": {"stage": {"present": True}}}}, True),
        (MODEL, {"model": {"tags": {"owner": {"present": True}}}}, False),
        (MODEL, {"model": {"tags": {"owner": {"absent": True}}}}, True),
        (MODEL, {"model": {"tags": {"stage": {"absent": True}}}}, False),
        (MODEL, {"model": {"name": "x", "version": {"gt": 1}}}, False),
        (DRIFT, {"drift": {"coefficient": 0.3}}, True),
        (DRIFT, {"drift": {"coefficient": [0.3, 1]}}, True),
        (DRIFT, {"drift": {"coefficient": 0.4}}, False),
        (DEPLOYED, {"deployment": {"models": "k:2"}}, True),
        (DEPLOYED, {"deployment": {"models": "z"}}, False),
        (DEPLOYED, {"deployment": {"models": {"absent": True}}}, False),
        ({**DEPLOYED, "data": {}}, {"deployment": {"models": {"absent": True}}}, True),
    ],
)
def test_a_rule_is_asked_unless_it_demands_another_value(document, where, found):
    event = parse(document)
    rule = rule_of(where, event=event.kinds)
    assert Index([rule]).candidates(event) == ([0] if found else [])
    assert Index([rule_of(event=("run.completed",)), rule]).candidates(event) == ([1] if found else [])


def test_a_rule_without_a_demand_is_asked_for_its_kinds_alone():
    rules = [rule_of(event=kinds, name="r") for kinds in (("*",), ("model.registered",), ("run.completed",))]
    assert Index(rules).candidates(parse(MODEL)) == [0, 1]


@pytest.mark.parametrize("rare", ["name", "stage"])
def test_rules_are_found_by_the_demand_that_the_fewest_others_make(rare):
    def where(number):
        names = {"name": "fraud-net", "stage": "prod"}
        names[rare] = f"{names[rare]}{number or ''}"
        return {"model": {"name": {"prefix": names["name"]}, "tags": {"stage": names["stage"]}}}

    rules = [rule_of(where(number), name=f"r{number}") for number in range(20)]
    assert Index(rules).candidates(parse(MODEL)) == [0]


@pytest.mark.parametrize("prefixes", [("fr", "fraud-"), ("fraud-", "fr")])
def test_prefixes_of_every_length_are_tried(prefixes):
    rules = [rule_of({"model": {"name": {"prefix": one}}}, name=one) for one in (*prefixes, "frost")]
    assert Index(rules).candidates(parse(MODEL)) == [0, 1]


@pytest.mark.parametrize("many", [1, 9])
def test_tags_are_found_whether_the_event_or_the_rules_have_more_of_them(many):
    rules = [rule_of({"model": {"tags": {f"t{number}": "x"}}}, name=f"r{number}") for number in range(4)]
    tags = {f"t{number}": "x" for number in range(3, 3 + many)}
    event = parse({**MODEL, "data": {**MODEL["data"], "modelTags": tags}})
    assert Index(rules).candidates(event) == [3]
    assert Index(rules).candidates(parse({**MODEL, "data": {"modelTags": None}})) == []
