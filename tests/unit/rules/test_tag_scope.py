"""Which workspaces and models are looked at, and what else a rule with `model.tagged` asks for."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.explanations.event_explanation import EventExplanation, explain_events
from mlevents.responses.tag_watch import watch_tags
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.rules.needs import list_required_permissions
from mlevents.rules.tag_scope import find_tag_scope
from mlevents.services.services import Services
from mlevents.settings import Settings

ID = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/{}"
PROD, TEST = ID.format("prod"), ID.format("test")
FILE = f"""
version: 1
workspaces: {{prod: {PROD}, test: {TEST}}}
connections: {{people: {{type: apprise, url: {{setting: URL}}}}}}
defaults: {{on_failure: []}}
rules:
"""
IN_PROD = "workspace: {name: prod}"
STEP = "do: [{uses: notify, with: {to: people, subject: x, text: y}}]"


def load(*rules: str) -> Rules:
    text = FILE + "".join(f"  - {{id: r{number}, {rule}}}\n" for number, rule in enumerate(rules))
    return load_rules_text(text, Path("rules.yaml"), Settings(environment={"URL": "json://localhost"}))


@pytest.mark.parametrize(
    "rule",
    [
        f"event: model.registered, {STEP}",
        f'event: "*", {STEP}',
        f"event: model.tagged, mode: disabled, {STEP}",
    ],
)
def test_nothing_is_looked_at_unless_a_rule_names_the_event(rule: str):
    assert find_tag_scope(load(rule)).workspaces == ()


def test_conditions_on_the_workspace_and_the_name_limit_what_is_looked_at():
    scope = find_tag_scope(
        load(
            f"event: model.tagged, where: {{{IN_PROD}, model: {{name: {{prefix: a-}}}}}}, {STEP}",
            f"event: model.tagged, where: {{{IN_PROD}, model: {{name: b, version: '2'}}}}, {STEP}",
        )
    )
    assert scope.workspaces == (PROD,)
    assert [scope.covers(PROD, name) for name in ("a-net", "b", "c")] == [True, True, False]
    assert not scope.covers(TEST, "b")
    assert find_tag_scope(load(f"event: [model.registered, model.tagged], {STEP}")).workspaces == (PROD, TEST)


def test_an_expected_event_is_looked_for_as_well():
    rule = "event: model.registered, expect: {event: model.tagged, where: {model: {name: a}}, within: 1h}"
    scope = find_tag_scope(load(f"{rule}, {STEP}"))
    assert scope.workspaces == (PROD, TEST)
    assert not scope.covers(PROD, "b")


def test_no_subscription_is_needed_and_the_rights_are():
    rules = load(f"event: model.tagged, where: {{{IN_PROD}}}, {STEP}")
    assert all(one.types == () for one in compile_filters(rules.rules, rules.filters).values())
    needed = {
        one.resource: set(one.actions) for one in list_required_permissions(rules, Services(Settings()))
    }
    ml = "Microsoft.MachineLearningServices/workspaces"
    assert needed == {PROD: {f"{ml}/models/read", f"{ml}/models/versions/read"}}


@pytest.mark.parametrize(("event", "is_delivered"), [("model.tagged", True), ('"*"', False)])
def test_explain_says_whether_the_app_publishes_the_event(event: str, is_delivered: bool):
    sent = {"id": "1", "type": "mlevents.ModelTagged", "source": PROD, "data": {"modelName": "a"}}
    [found] = explain_events([sent], load(f"event: {event}, {STEP}"))
    assert isinstance(found, EventExplanation)
    assert (found.delivered, found.matches[0].matches) == (is_delivered, True)


def test_a_rule_that_may_cause_its_own_event_has_a_budget_and_reads_no_lineage():
    step = "do: [{uses: run_ml_pipeline, with: {component: 'c:1', compute: cpu}}]"
    [rule] = load(f"event: model.tagged, {step}").rules
    assert set(rule.gates) == {"budget"}
    assert rule.gates["budget"].fill({"workspace": {"name": "w"}, "model": {"name": "m"}})["key"] == "w m"


def test_without_workspaces_the_rule_is_warned_of():
    text = (
        FILE.replace(f"workspaces: {{prod: {PROD}, test: {TEST}}}", "")
        + f"  - {{id: r, event: model.tagged, {STEP}}}\n"
    )
    rules = load_rules_text(text, Path("rules.yaml"), Settings(environment={"URL": "json://localhost"}))
    assert "add `workspaces`" in str([one.text for one in rules.warnings if one.path == "rules[0].event"])


@pytest.mark.parametrize(
    ("rule", "mode"),
    [(f"event: model.registered, {STEP}", None), (f"event: model.tagged, {STEP}", "disabled")],
)
def test_a_look_that_nobody_asks_for_makes_no_request(rule: str, mode: str | None):
    async def publish(_: str) -> None: ...

    nothing: Any = None  # neither a task hub nor Azure ML could be asked
    asyncio.run(watch_tags(nothing, publish, load(rule), Settings(mode=mode)))
