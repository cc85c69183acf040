"""`POST v1/explain`: what the rules say to an event, by those that run or by others."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings

from mlevents.api.operation import ApiAnswer, AppState, operations
from mlevents.api.request_reading import HttpRequest, perform_operation
from mlevents.events import parse
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.rules.file import load_rules
from mlevents.settings import Settings
from tests.unit.matching.where_samples import wire_events

TOPIC = "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
RULES = """\
version: 1
workspaces: {prod: "TOPIC"}
connections: {team: {type: apprise, url: {setting: HOOK}}}
defaults: {on_failure: [{uses: notify, with: {to: team, template: response-failed}}]}
rules:
  - id: good
    event: model.registered
    where: {model: {tags: {accuracy: {gte: 0.9}}}}
    do: [{uses: notify, with: {to: team, subject: "${model.name}", text: "hello"}}]
  - {id: all, event: "*", mode: shadow, do: [{uses: notify, with: {to: team, subject: s, text: t}}]}
""".replace("TOPIC", TOPIC)


def event(accuracy: str = "0.95") -> dict[str, Any]:
    return {
        "id": "e1",
        "topic": TOPIC,
        "subject": "models/churn:3",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {"modelName": "churn", "modelVersion": "3", "modelTags": {"accuracy": accuracy}},
        "dataVersion": "2",
    }


@pytest.fixture
def app(tmp_path: Path) -> AppState:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    environment = {"HOOK": "json://hook", "HIDDEN": "hidden-value"}
    settings = Settings(rules=rules, environment=environment)
    now = datetime(2026, 1, 1, 1, tzinfo=UTC)
    return AppState(cast(Any, None), now, lambda: load_rules(rules, settings), lambda: settings, list)


def explain(app: AppState, **body: Any) -> ApiAnswer:
    http = HttpRequest(body=json.dumps(body).encode())
    return asyncio.run(perform_operation(operations.find("ExplainEvent"), http, app))


def test_each_rule_says_whether_it_fires_and_the_first_condition_that_failed(app: AppState):
    good, everything = explain(app, event=event("0.85")).document["rules"]
    assert good["because"] == 'where.model.tags.accuracy: wanted {"gte": 0.9}, found "0.85"'
    assert [line["holds"] for line in good["conditions"] if line["holds"] is not None] == [False]
    assert everything["matches"]
    assert everything["gates"][0]["text"].startswith("mode shadow")


def test_a_rule_that_fires_shows_what_it_would_do(app: AppState):
    good, _ = explain(app, event=event()).document["rules"]
    texts = [line["text"] for line in good["steps"][0]["values"]]
    assert texts == ['to: "team"', 'subject: "churn"', 'text: "hello"']


def test_an_event_as_the_api_shows_it_is_explained_alike(app: AppState):
    shown = parse(event()).to_json()
    assert explain(app, event=shown).document["rules"] == explain(app, event=event()).document["rules"]


def test_rules_that_somebody_tries_are_asked_instead(app: AppState):
    tried = RULES.replace("gte: 0.9", "gte: 0.99")
    good, _ = explain(app, event=event(), rules=tried).document["rules"]
    assert not good["matches"]


def test_rules_that_somebody_tries_see_no_setting_that_the_running_rules_do_not_show(app: AppState):
    """A message about a connection quotes its id."""
    for name in ("HIDDEN", "HOOK"):
        factory = f'{{type: data_factory, id: "${{env.{name}}}"}}'
        tried = RULES.replace("connections: {", f"connections: {{factory: {factory}, ")
        found = json.dumps(explain(app, event=event(), rules=tried).document)
        assert "hidden-value" not in found
        assert "json://hook" not in found


def test_broken_rules_are_refused_with_every_problem(app: AppState):
    found = explain(app, event=event(), rules=RULES.replace("model.registered", "model.registred"))
    assert "did you mean 'model.registered'?" in found.document["problems"][0]


@pytest.mark.parametrize("bad", [{}, {"eventType": 7}, {"names": {}, "kinds": []}, {"names": 1, "kinds": 2}])
def test_an_event_that_cannot_be_read_is_refused(app: AppState, bad: dict[str, Any]):
    found = explain(app, event=bad).document
    assert found["problems"][0].startswith("event: ")
    assert found["rules"] == []


def test_an_event_of_another_workspace_is_marked(app: AppState):
    other = event() | {"topic": TOPIC.replace("workspaces/w", "workspaces/x")}
    assert explain(app, event=other).document["allowed"] is False


@given(sent=wire_events())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_the_written_test_passes_when_it_is_put_into_the_rule_file(
    app: AppState, tmp_path: Path, sent: tuple[str, dict[str, Any]]
):
    document = sent[1]
    answer = explain(app, event=document | {"topic" if "topic" in document else "source": TOPIC})
    assert answer.status == 200, answer
    file = tmp_path / "tested.yaml"
    file.write_text(f"{RULES}tests:\n{answer.document['test']}")
    assert load_and_test_rules(file, Settings(), require_settings=False).tests == 1
