"""What people read of a rule's gates: in the console's list of rules, and in `explain`."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mlevents.events import Event
from mlevents.explanations.rule_explanation import ExplainContext, explain_rule, preview_gates
from mlevents.explanations.rule_words import describe_rule
from mlevents.matching.match import match_rule
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rule
from mlevents.settings import Settings
from tests.unit.gates.gate_world import WORKSPACE

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = {"model": {"name": "net", "version": "8", "tags": {}}}
EVENT = replace(
    Event("e1", "model.registered", ("model.registered",), None, "models/net:8", WORKSPACE, {}), names=NAMES
)
GATED = """\
    event: model.registered
    verify: [model]
    order: {key: "${model.name}", by: "${model.version}"}
    throttle: {key: "${model.name}", once_per: 12h}
    window: {days: [mon-fri, sun], from: "09:00", to: "17:00", zone: UTC}
    approve: {ask: team, within: 8h}
"""
SILENT = "    expect: {event: [drift.detected, run.completed], every: 26h}\n"


def load(gates: str) -> Rule:
    text = (
        'version: 1\nconnections: {team: {type: apprise, url: "json://localhost"}}\nrules:\n  - id: rule\n'
        f"{gates}    do: [{{uses: notify, with: {{to: team, subject: s, text: t}}}}]\n"
    )
    return load_rules_text(text, Path("rules.yaml"), Settings(environment={})).rules[0]


def test_a_rule_in_words_has_its_durations_and_lists_in_words():
    assert describe_rule(load(GATED)).gates == (
        "verify model",
        "order key ${model.name}, by ${model.version}",
        "throttle key ${model.name}, once_per 12 h",
        "window mon-fri, sun 09:00-17:00 UTC, outside wait",
        "approve ask team, within 8 h",
    )


def test_the_gates_are_explained_in_the_order_in_which_they_look():
    moment = ExplainContext(NOW, 3)
    names = [line.text.replace(":", " ").split()[0] for line in preview_gates(load(GATED), EVENT, moment)]
    assert names == ["verify", "order", "throttle", "window", "approve"]
    texts = [line.text for line in preview_gates(load(GATED), EVENT, moment)]
    assert "approve: asks team for an approval, and waits for 8 h" in texts


def test_a_rule_without_an_event_says_what_makes_its_response():
    rule = load(SILENT)
    assert describe_rule(rule).event == ("no drift.detected or run.completed came for 26 h",)
    explained = explain_rule(match_rule(rule, EVENT), EVENT, ExplainContext(NOW, 3))
    assert explained.because == 'event: wanted "expect.missed", found "model.registered"'
