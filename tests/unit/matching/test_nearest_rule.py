"""The rule that comes nearest to an event which none matches."""

from pathlib import Path

import pytest

from mlevents.events import Event
from mlevents.matching.nearest_rule import find_nearest_rule
from mlevents.rule_tests.event_builder import build_event
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings

RULES = """
version: 1
connections: {team: {type: apprise, url: "json://team.example.com"}}
defaults: {on_failure: [{uses: notify, with: {to: team, template: response-failed}}]}
rules:
  - id: far
    event: model.registered
    where: {model: {name: {prefix: fraud-}, tags: {stage: production, team: risk}}}
    do: &alert [{uses: notify, with: {to: team, subject: A model, text: "${event.subject}"}}]
  - id: near
    event: [model.registered, model.deployed]
    where: {event: {subject: {contains: churn}}}
    do: *alert
  - id: disabled
    event: model.registered
    mode: disabled
    do: *alert
"""


def find(name: str, **tags: str) -> tuple[str, str] | None:
    rules = load_rules_text(RULES, Path("rules.yaml"), Settings())
    event = build_event({"model.registered": {"model": {"name": name, "tags": tags}}}, {}, None)
    assert isinstance(event, Event)
    found = find_nearest_rule(rules, event)
    return (found.rule.id, found.failed.path) if found and found.failed else None


@pytest.mark.parametrize(
    ("name", "tags", "nearest"),
    [
        ("fraud-x", {"stage": "production"}, ("far", "where.model.tags.team")),
        ("fraud-x", {"team": "risk"}, ("far", "where.model.tags.stage")),
        ("other", {"stage": "production"}, ("far", "where.model.name")),
        ("other", {}, ("far", "where.model.name")),
        ("churn-x", {}, None),
    ],
)
def test_the_nearest_rule_has_most_of_its_conditions(
    name: str, tags: dict[str, str], nearest: tuple[str, str] | None
):
    assert find(name, **tags) == nearest


def test_a_rule_for_other_events_is_never_the_nearest():
    rules = load_rules_text(RULES, Path("rules.yaml"), Settings())
    event = build_event({"run.completed": {"run": {"id": "r"}}}, {}, None)
    assert isinstance(event, Event)
    assert find_nearest_rule(rules, event) is None
