"""The commands to try: each fires its rule, whether it comes from a test or from the rule's conditions."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlevents.errors import RulesError
from mlevents.events import Event
from mlevents.matching.match import match_rule
from mlevents.rule_tests.event_arguments import read_arguments
from mlevents.rule_tests.event_builder import build_event
from mlevents.rule_tests.event_defaults import fill_defaults
from mlevents.rule_tests.runner import RuleTestRunner
from mlevents.rule_tests.things_to_try import ThingToTry, list_things_to_try
from mlevents.rules.file import load_rules, load_rules_text
from mlevents.rules.model import Rules
from mlevents.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
ML = "providers/Microsoft.MachineLearningServices/workspaces"
HEAD = {
    "version": 1,
    "connections": {"team": {"type": "apprise", "url": "json://team.example.com"}},
    "defaults": {"on_failure": [{"uses": "notify", "with": {"to": "team", "template": "response-failed"}}]},
}
ALERT = [{"uses": "notify", "with": {"to": "team", "subject": "Look", "text": "${event.subject}"}}]


def load(rules: list[dict[str, Any]], **sections: Any) -> Rules:
    """Rules of a text; JSON is YAML."""
    alerts = [{"do": ALERT, **rule} for rule in rules]
    text = json.dumps({**HEAD, **sections, "rules": alerts})
    return load_rules_text(text, Path("rules.yaml"), Settings(), require_settings=False)


def fires(rules: Rules, one: ThingToTry) -> bool:
    """Whether the event of a command line matches its rule, read as a shell and the command read it."""
    _, command, kind, *words = shlex.split(one.command_line)
    names = [word for word in words if not word.startswith("--") and word not in rules.workspaces]
    given: dict[str, Any] = fill_defaults(kind, read_arguments(kind, names))
    if "--workspace" in words:
        given["workspace"] = words[words.index("--workspace") + 1]
    event = build_event({kind: given}, rules.workspaces, None)
    rule = next(rule for rule in rules.rules if rule.id == one.rule)
    return command == "event" and isinstance(event, Event) and match_rule(rule, event).matches


@pytest.mark.parametrize("with_tests", [True, False])
def test_the_shipped_rules_have_three_things_to_try(with_tests: bool):
    tests = RuleTestRunner()
    settings = Settings(environment={"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION})
    rules = load_rules(ROOT / "rules.yaml", settings, require_settings=False, tests=tests)
    found = list_things_to_try(rules, tests.tests if with_tests else ())
    assert len({one.rule for one in found}) == len({one.kind for one in found}) == 3
    assert all(fires(rules, one) for one in found)


CONDITIONS: dict[str, dict[str, Any]] = {
    "prefix": {"model": {"name": {"prefix": "churn-"}}},
    "suffix": {"model": {"name": {"suffix": "-eu"}}},
    "contains": {"model": {"tags": {"team": {"contains": "risk"}}}},
    "glob": {"model": {"name": {"glob": "churn-*-v[12]"}}},
    "matches": {"model": {"name": {"matches": r"churn-[a-z]+-\d+"}}},
    "alternatives": {"model": {"name": {"matches": "(churn|fraud)-.*"}}},
    "version": {"model": {"version": {"version": ">=2.1, <3"}}},
    "between": {"model": {"tags": {"accuracy": {"between": [0.9, 0.95]}}}},
    "open bounds": {"model": {"tags": {"accuracy": {"gt": 0.9, "lt": 0.905}}}},
    "not-in": {"model": {"tags": {"stage": {"not-in": ["dev", "test"]}}}},
    "present": {"model": {"tags": {"a.b": {"present": True}}}},
    "absent": {"model": {"tags": {"hold": {"absent": True}}}},
    "not": {"not": {"model": {"tags": {"stage": "dev"}}}},
    "any": {"any": [{"model": {"tags": {"a": "1"}}}, {"model": {"name": "x"}}]},
    "several": {"model": {"name": {"prefix": "a-", "suffix": "-z"}, "tags": {"stage": ["x", "y"]}}},
}


@pytest.mark.parametrize("where", CONDITIONS.values(), ids=CONDITIONS)
def test_a_rule_without_a_test_gets_a_command_from_its_conditions(where: dict[str, Any]):
    rules = load([{"id": "one", "event": "model.registered", "where": where}])
    [found] = list_things_to_try(rules)
    assert fires(rules, found)


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ("model.deployed", {"deployment": {"models": "fraud-net:8"}}),
        ("run.completed", {"run": {"experiment": {"prefix": "train-"}}}),
        ("run.status_changed", {"run": {"status": "failed", "root": True, "monitor_breach": False}}),
        ("run.status_changed", {"run": {"status": "failed", "root": False}}),
        ("drift.detected", {"drift": {"coefficient": {"gte": 0.3}, "generation": "v1"}}),
        ("drift.detected", {"drift": {"generation": "v2"}}),
        ("drift.detected", {"drift": {"metric": "Recall", "value": {"lt": 0.7}}}),
        ("drift.detected", {"drift": {"breaches": {"any": {"metric": "Recall", "value": {"lt": 0.7}}}}}),
        ("drift.detected", {"drift": {"signal": {"contains": "inputs"}, "monitor": "daily"}}),
        ("drift.detected", None),
        ("*", None),
    ],
)
def test_every_type_of_event_can_be_tried(event: str, where: dict[str, Any] | None):
    rules = load([{"id": "one", "event": event, **({"where": where} if where else {})}])
    [found] = list_things_to_try(rules)
    assert fires(rules, found)


TAGS = st.sampled_from(["a", "b", "stage", "azureml.x"])
WORDS = st.text("abcXYZ 0.9'$\"\\", min_size=1, max_size=5).filter(lambda text: text.strip() == text)
OPERATORS = st.one_of(
    WORDS,
    st.lists(WORDS, min_size=1, max_size=3),
    st.fixed_dictionaries({"prefix": WORDS}),
    st.fixed_dictionaries({"contains": WORDS}),
    st.fixed_dictionaries({"not-in": st.lists(WORDS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"gte": st.integers(-9, 9)}),
    st.fixed_dictionaries({"lt": st.integers(-9, 9)}),
    st.just({"present": True}),
    st.just({"absent": True}),
)


@given(st.lists(st.dictionaries(TAGS, OPERATORS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_of_any_rules_the_commands_fire_theirs(wheres: list[dict[str, Any]]):
    written = [
        {"id": f"rule-{number}", "event": "model.registered", "where": {"model": {"tags": tags}}}
        for number, tags in enumerate(wheres)
    ]
    try:
        rules = load(written)
    except RulesError:  # conditions that contradict each other
        assume(False)
    assert all(fires(rules, one) for one in list_things_to_try(rules))
    for rule in written:
        [found] = list_things_to_try(load([rule]))
        assert fires(rules, found)


def test_different_rules_and_types_come_first():
    rules = load(
        [
            {"id": "one", "event": "model.registered"},
            {"id": "two", "event": "model.registered"},
            {"id": "three", "event": "run.completed"},
            {"id": "four", "event": "drift.detected"},
        ]
    )
    assert [one.rule for one in list_things_to_try(rules)] == ["one", "three", "four"]


def test_a_workspace_is_named_where_there_are_several():
    ids = {name: f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/{ML}/ml-{name}" for name in ("dev", "prod")}
    where = {"workspace": {"name": "ml-prod"}}
    rules = load([{"id": "one", "event": "run.completed", "where": where}], workspaces=ids)
    [found] = list_things_to_try(rules, options=("--ready-file", "here it is"))
    assert found.command_line.endswith("--workspace prod --ready-file 'here it is'")


def test_a_model_may_name_only_an_allowed_endpoint():
    deploy = [{"uses": "deploy_model", "with": {"endpoint": "${model.name}", "template": "small.yaml"}}]
    text = json.dumps(
        {
            **HEAD,
            "endpoints": ["churn-*"],
            "rules": [{"id": "one", "event": "model.registered", "do": deploy}],
        }
    )
    rules = load_rules_text(text, ROOT / "deployments" / "rules.yaml", Settings(), require_settings=False)
    [found] = list_things_to_try(rules)
    assert "name=churn-x" in found.command_line


def test_a_disabled_rule_is_nothing_to_try():
    assert list_things_to_try(load([{"id": "one", "event": "run.completed", "mode": "disabled"}])) == []
