"""Steps that send one event to the same queue: duplicate detection must keep what both send."""

from pathlib import Path

import pytest

from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rule
from mlevents.settings import Settings

NAMESPACE = "namespace: sbns-ml.servicebus.windows.net"
FILE = f"""\
version: 1
connections:
  bus: {{type: service_bus, {NAMESPACE}, queue: ml-events}}
  same: {{type: service_bus, {NAMESPACE}, queue: ML-Events}}
  other: {{type: service_bus, {NAMESPACE}, topic: ml-events}}
  lake: {{type: event_hub, namespace: ehns-ml.servicebus.windows.net, hub: ml-events}}
rules:
"""


def rule(id: str, event: str, *sent: str, failed: str = "") -> str:
    steps = "".join(f"      - {{uses: forward, with: {{{one}}}}}\n" for one in sent)
    after = f"    on_failure: [{{uses: forward, with: {{{failed}}}}}]\n" if failed else ""
    return f"  - id: {id}\n    event: {event}\n{after}    do:\n{steps}"


def separated(*rules: str) -> list[str]:
    """The steps whose messages are told apart: `rule` or `rule!` for its `on_failure`."""
    loaded = load_rules_text(FILE + "".join(rules), Path("rules.yaml"), Settings()).rules
    return [name for one in loaded for name in list_separated(one)]


def list_separated(rule: Rule) -> list[str]:
    steps = [(rule.id, step) for step in rule.steps] + [(f"{rule.id}!", step) for step in rule.on_failure]
    return [name for name, step in steps if step.with_.get("deduplicate_by") == "step"]


def test_one_step_keeps_the_id_of_the_event():
    assert separated(rule("a", '"*"', "to: bus")) == []


@pytest.mark.parametrize("to", ["bus", "same"])
@pytest.mark.parametrize("event", ['"*"', "model.registered"])
def test_two_rules_for_one_event_are_told_apart(to: str, event: str):
    assert separated(rule("a", "model.registered", "to: bus"), rule("b", event, f"to: {to}")) == ["a", "b"]


def test_two_steps_of_one_rule_are_told_apart_and_that_after_a_failure_too():
    assert separated(rule("a", "run.completed", "to: bus", failed="to: bus")) == ["a", "a!"]
    assert separated(rule("a", "run.completed", "to: bus", "to: same, data: 1")) == ["a", "a"]


def test_a_breach_is_two_kinds_of_one_event():
    assert separated(rule("a", "drift.detected", "to: bus"), rule("b", "run.status_changed", "to: bus"))


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        ("run.completed", "to: bus"),
        ("model.registered", "to: other"),
        ("model.registered", "to: lake"),
        ("model.registered", "to: other, deduplicate_by: event"),
    ],
)
def test_nothing_changes_where_messages_do_not_meet_or_the_step_decides(event: str, sent: str):
    assert separated(rule("a", "model.registered", "to: bus"), rule("b", event, sent)) == []


def test_a_step_that_keeps_the_id_of_the_event_is_told_apart_from_the_others():
    kept = rule("a", "model.registered", "to: bus, deduplicate_by: event")
    assert separated(kept, rule("b", "model.registered", "to: bus")) == ["b"]
    assert separated(kept, rule("b", "model.registered", "to: bus, deduplicate_by: step")) == ["b"]


def test_a_rule_apart_from_two_others_keeps_the_id_of_the_event():
    both = rule("a", "model.registered", "to: bus"), rule("b", "model.registered", "to: bus")
    assert separated(*both, rule("c", "run.completed", "to: bus")) == ["a", "b"]
