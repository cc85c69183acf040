"""Matching: the plan of a rule file for an event, by index and rule by rule."""

import pytest
from hypothesis import given, settings

from mlevents.events import parse
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


@settings(max_examples=300, deadline=None)
@given(rules=rules(most=12), sent=wire_events())
def test_the_index_finds_what_asking_every_rule_finds(rules, sent):
    event = parse(sent[1])
    assert list(find_matches(rules, event)) == [one for one in plan(rules, event) if one.matches]


@settings(max_examples=500, deadline=None)
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
