"""Who may be changed: an endpoint that an event names must be on the rule file's list."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlevents.actions.endpoint_allowlist import check_pattern, is_listed
from mlevents.actions.endpoint_names import endpoint_name
from mlevents.errors import PermanentError, RulesError
from mlevents.orchestration.messages import Response
from mlevents.responses.decision import decide
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.settings import Settings

WORKSPACE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
FREE = '"${model.tags.endpoint | default(model.name)}"'
RULES = """
version: 1
{top}
connections: {{team: {{type: apprise, url: {{setting: HOOK}}}}}}
defaults: {{on_failure: [{{uses: notify, with: {{to: team, template: response-failed}}}}]}}
rules:
  - id: deploy
    event: [model.registered]
    do:
      - {{id: first, uses: notify, with: {{to: team, template: model-deployed}}}}
      - {{id: deploy, uses: deploy_model, {more} with: {{template: small.yaml, {step}}}}}
"""
SETTINGS = Settings(environment={"HOOK": "json://localhost"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text("instance_type: Standard_DS3_v2\ninstance_count: 1\n")
    return tmp_path


def loaded(folder: Path, top: str = "", step: str = f"endpoint: {FREE}", more: str = "") -> Rules:
    return load_rules_text(RULES.format(top=top, step=step, more=more), folder / "rules.yaml", SETTINGS)


def problems(folder: Path, **written: str) -> list[str]:
    try:
        loaded(folder, **written)
    except RulesError as error:
        return [f"{one.path}: {one.text}" for one in error.problems]
    return []


def answer(rules: Rules, name: str = "fraud-evil", **tags: Any) -> Response:
    event = {
        "id": "e1",
        "topic": WORKSPACE,
        "subject": "models/x:1",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2026-01-02T11:00:00Z",
        "data": {"modelName": name, "modelVersion": "1", "modelTags": tags},
    }
    [one] = decide(json.dumps(event), rules, SETTINGS, datetime(2026, 1, 2, 12, tzinfo=UTC))
    return one


@pytest.mark.parametrize(
    "step",
    [
        f"endpoint: {FREE}",
        'endpoint: "x-${model.name}"',
        'endpoint: "${steps.first.sent[0]}"',
        "endpoint: null",
        'endpoint: ""',
        "tags: {a: b}",
        'model: "${model.name}:1"',
    ],
)
def test_an_endpoint_that_the_event_chooses_needs_a_list(folder: Path, step: str):
    [told] = problems(folder, step=step)
    assert told.startswith("rules[0].do[1].with")
    assert "comes from the event: list the allowed names under `endpoints`" in told
    for listed in ({"top": "endpoints: [fraud-*]"}, {"top": 'endpoints: "*"'}):
        assert problems(folder, step=step, **listed) == []
    assert problems(folder, step=f"{step}, endpoints: [fraud-*]") == []


@pytest.mark.parametrize(
    "step", ["endpoint: churn", 'endpoint: Churn, model: "${model.name}:1"', 'model: "churn:3"']
)
def test_an_endpoint_that_is_written_out_needs_no_entry(folder: Path, step: str):
    assert problems(folder, step=step) == []
    for top in ("endpoints: [fraud-*]", ""):
        assert answer(loaded(folder, top, step), "anything", endpoint="payments").status == "running"
        assert "endpoints" not in loaded(folder, top, step).rules[0].steps[1].with_
    listed = loaded(folder, "", f"{step}, endpoints: [other]")
    assert "endpoints" not in listed.rules[0].steps[1].with_


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[]", "must not be empty"),
        ('["fraud_*"]', "can match no endpoint"),
        ('["${model.name}"]', ""),
        ('["???"]', "gives no valid"),
        ("[5]", "must be text"),
        ("{a: b}", ""),
        (f'["{"a" * 101}"]', "keep it within 100"),
    ],
)
@pytest.mark.parametrize("place", ["top", "step"])
def test_a_list_of_no_use_is_a_mistake(folder: Path, place: str, written: str, told: str):
    text = f"endpoints: {written}"
    given = {"top": text} if place == "top" else {"step": f"endpoint: {FREE}, {text}"}
    found = problems(folder, **given)
    assert any("endpoints" in one and told in one for one in found), found


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        *(
            ("fraud-net", "running"),
            ("FRAUD-Net", "running"),
            ("fraud_net", "running"),
            ("Fraud!net", "running"),
        ),
        *(("churn", "running"), ("CHURN", "running"), ("churn-2", "refused"), ("fraud", "refused")),
        *(("payments-prod", "refused"), ("Payments_Prod", "refused"), ("ｐayments-prod", "refused")),
        *(("fraud-/../payments", "running"), ("/fraud-x", "running"), ("xfraud-x", "refused")),
    ],
)
def test_names_compare_as_the_endpoint_that_they_come_out_as(folder: Path, tag: str, status: str):
    found = answer(loaded(folder, "endpoints: [Fraud-*, churn]"), endpoint=tag)
    assert found.status == status
    if status == "refused":
        assert endpoint_name(tag) in (found.because or "")
        assert found.alert


def test_the_models_own_name_is_no_way_around(folder: Path):
    rules = loaded(folder, "endpoints: [fraud-*]", "tags: {}")
    assert answer(rules, "fraud-net").status == "running"
    assert answer(rules, "payments").status == "refused"
    assert answer(rules, "Payments_Prod").status == "refused"


def test_an_empty_tag_falls_back_on_the_models_name(folder: Path):
    assert answer(loaded(folder, "endpoints: [fraud-*]"), "payments", endpoint="").status == "refused"


def test_a_steps_own_list_counts_instead_of_the_files(folder: Path):
    rules = loaded(folder, "endpoints: [fraud-*]", f"endpoint: {FREE}, endpoints: [churn]")
    assert answer(rules, endpoint="churn").status == "running"
    assert answer(rules, endpoint="fraud-net").status == "refused"


def test_a_step_that_is_skipped_refuses_nothing(folder: Path):
    rules = loaded(folder, "endpoints: [fraud-*]", more="if: \"${model.version == '2'}\",")
    assert answer(rules, endpoint="payments").status == "running"


def test_what_a_step_before_tells_is_left_to_the_steps_turn(folder: Path):
    rules = loaded(folder, "endpoints: [fraud-*]", 'endpoint: "${steps.first.sent[0]}"')
    found = answer(rules)
    assert found.status == "running"
    assert found.steps[1].with_["endpoints"] == ["fraud-*"]


def patterns() -> Iterator[str]:
    yield from ("*", "fraud-*", "*-eu", "a*b*c", "*a*", "**", "net", "Fraud_Net", "fraud-net-eu")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    text=st.text(max_size=40) | st.text("aAfr-_ ud.net/", max_size=12), pattern=st.sampled_from([*patterns()])
)
def test_no_spelling_gets_past_the_list(folder: Path, text: str, pattern: str):
    try:
        name = endpoint_name(text)
    except PermanentError:
        return
    expected = fnmatchcase(name.lower(), check_pattern(pattern))
    assert is_listed(name, [pattern]) is expected


def test_a_pattern_of_many_stars_takes_no_time():
    assert not is_listed("a" * 32, ["*a" * 49 + "*b"[:0] + "b"])


def test_a_test_in_the_file_can_expect_the_refusal(folder: Path):
    test = (
        "tests:\n  - name: a tag cannot name another team's endpoint\n"
        "    given: {model.registered: {model: {name: fraud-net, tags: {endpoint: payments}}}}\n"
    )
    text = RULES.format(top="endpoints: [fraud-*]", step=f"endpoint: {FREE}", more="") + test
    (folder / "rules.yaml").write_text(text + "    expect: {not: {deploy: endpoints}}\n")
    assert load_and_test_rules(folder / "rules.yaml", SETTINGS).tests == 1
    (folder / "rules.yaml").write_text(text + "    expect: deploy\n")
    with pytest.raises(RulesError, match='endpoints fails: wanted \\["fraud-\\*"\\], found "payments"'):
        load_and_test_rules(folder / "rules.yaml", SETTINGS)
