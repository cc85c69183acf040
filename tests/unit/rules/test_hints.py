"""A mistake that people make often gets the remedy that they need."""

from pathlib import Path

import pytest

from mlevents.conditions.condition import operator
from mlevents.errors import RulesError
from mlevents.events import NAMES
from mlevents.rules.event_synonyms import suggest_event
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings

RULE = """\
version: 1
connections: {{team: {{type: {type}, url: {{setting: HOOK}}}}}}
rules:
  - id: one
    event: {event}
    where: {where}
    do: {do}
"""
STEP = "{uses: notify, with: {to: team, subject: s, text: t}}"


def errors(
    event: str = "model.registered",
    where: str = "{model: {name: x}}",
    do: str = f"[{STEP}]",
    kind: str = "apprise",
) -> list[str]:
    text = RULE.format(event=event, where=where, do=do, type=kind)
    try:
        load_rules_text(text, Path("rules.yaml"), Settings(environment={"HOOK": "json://localhost"}))
    except RulesError as error:
        return [one.text for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("eq", "equals"),
        ("ne", "not-in"),
        ("regex", "matches"),
        ("startswith", "prefix"),
        ("endsWith", "suffix"),
        ("greater_than", "gt"),
        ("'>='", "gte"),
        ("less_than_or_equal", "lte"),
        ("like", "glob"),
        ("exists", "present"),
    ],
)
def test_an_operator_of_another_language_is_translated(written: str, meant: str):
    found = errors(where=f"{{model: {{tags: {{a: {{{written}: 1}}}}}}}}")
    assert any(f"(did you mean '{meant}'?)" in one for one in found), found


def test_no_synonym_is_an_operator_or_belongs_to_two():
    synonyms = [name for _, found in operator.items() for name in found.synonyms]
    assert len(synonyms) == len(set(synonyms))
    assert not set(synonyms) & set(operator.names())
    assert all(name == name.lower() for name in synonyms)


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("run.failed", "write 'run.status_changed' with `where: {run: {status: failed}}`"),
        ("run.cancelled", "write 'run.status_changed' with `where: {run: {status: canceled}}`"),
        ("job.failed", "write 'run.status_changed'"),
        ("Microsoft.MachineLearningServices.RunStatusChanged", "write 'run.status_changed'"),
        ("microsoft.machinelearningservices.modelregistered", "write 'model.registered'"),
        ("DatasetDriftDetected", "write 'drift.detected'"),
        ("model.created", "write 'model.registered'"),
    ],
)
def test_an_event_of_another_name_is_translated(written: str, remedy: str):
    assert any(f"unknown event '{written}': {remedy}" in one for one in errors(event=written))


def test_a_name_of_ours_needs_no_translation():
    assert errors() == []
    assert suggest_event("something.else") == ""
    assert "(did you mean 'model.registered'?)" in errors(event="model.registred")[0]
    assert all(suggest_event(f"x{name}") == "" for name in NAMES)


@pytest.mark.parametrize(
    ("where", "remedy"),
    [
        ("{tags: {a: b}}", "'tags' belongs below 'model': write `model: {tags: …}`"),
        ("{model.name: x}", "write it nested, as in `model: {name: …}`"),
        ("{model.tags.a: x}", "write it nested, as in `model: {tags: {a: …}}`"),
        ("{model: {accuracy: {gt: 1}}}", "`tags: {accuracy: …}` if it is a tag"),
        ("{model: {nme: x}}", "(did you mean 'name'?)"),
        ("{run: {status: failed}}", "it belongs to"),
        (r"{model: {name: {matches: '(?=a)b'}}}", "RE2 has no lookahead or lookbehind"),
        (r"{model: {name: {matches: 'a(?!b)'}}}", "RE2 has no lookahead or lookbehind"),
        (r"{model: {name: {matches: '(?<!a)b'}}}", "RE2 has no lookahead or lookbehind"),
    ],
)
def test_a_condition_at_the_wrong_place_is_told_the_right_one(where: str, remedy: str):
    found = errors(where=where)
    assert any(remedy in one for one in found), found


def test_chat_services_are_apprise():
    [found] = errors(kind="slack")
    assert found == (
        "unknown connection type 'slack' (did you mean 'apprise'?): "
        "write `{type: apprise, url: {setting: NAME}}`"
    )


def test_a_parameter_beside_with_is_moved_below_it():
    step = "[{uses: deploy_model, rollout: {keep: 1}, with: {endpoint: e, template: t.yaml}}]"
    found = [one for one in errors(do=step) if "rollout" in one or "unknown key" in one]
    assert found == ["'rollout' is a parameter of deploy_model: move it below `with`"]
    assert not any("below `with`" in one for one in errors(do=f"[{STEP[:-1]}, timeout: 5m}}]"))


def test_a_map_for_a_list_is_told_how_to_write_a_list():
    assert any("must be a list, not a mapping: write `- ` before" in one for one in errors(do=STEP))


def test_an_indentation_with_a_tab_is_named():
    text = RULE.format(event="model.registered", where="{}", do=f"[{STEP}]", type="apprise")
    with pytest.raises(RulesError, match="the line begins with a tab: write spaces"):
        load_rules_text(text.replace("    event:", "\tevent:"), Path("rules.yaml"), Settings())
    with pytest.raises(RulesError) as other:
        load_rules_text("a: 'x\n", Path("rules.yaml"), Settings())
    assert "tab" not in str(other.value)
