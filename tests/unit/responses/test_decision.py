"""What a delivery leads to, decided before anything is done."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlevents.errors import RulesError
from mlevents.orchestration.messages import Response
from mlevents.responses.decision import decide
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
WORKSPACE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
RULES = """
version: 1
defaults:
  on_failure: [{uses: notify, with: {to: team, template: response-failed}}]
workspaces: {prod: %s}
connections:
  team: {type: apprise, url: {setting: TEAM_URL}}
  other: {type: apprise, url: {setting: TEAM_URL}}
rules:
  - id: tell
    event: [model.registered, drift.detected]
    %s
    do:
      - {uses: notify, with: {to: team, subject: "${event.subject}", text: "%s"}}
"""

Deciding = Callable[..., list[Response]]


def registered(**changes: Any) -> dict[str, Any]:
    return {
        "id": "e1",
        "topic": WORKSPACE,
        "subject": "models/net:7",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2026-01-02T11:00:00Z",
        "data": {"modelName": "net", "modelVersion": "7", "modelTags": {"stage": "prod"}},
    } | changes


def breach(event_id: str) -> dict[str, Any]:
    tags = {"azureml_modelmonitor_threshold_breached": "The signal 's' has failed due to"}
    return {
        "id": event_id,
        "topic": WORKSPACE,
        "subject": "experiments/x/runs/r1",
        "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
        "eventTime": "2026-01-02T11:00:00Z",
        "data": {"runId": "r1", "runStatus": "Completed", "runTags": tags},
    }


def decided(event: object, gates: str = "mode: live", text: str = "x", **settings: Any) -> list[Response]:
    chosen = Settings(environment={"TEAM_URL": "json://localhost"}, **settings)
    rules = load_rules_text(RULES % (WORKSPACE, gates, text), Path("rules.yaml"), chosen)
    return decide(event if isinstance(event, str) else json.dumps(event), rules, chosen, NOW)


def test_a_match_is_one_response_with_a_name_of_its_own():
    [one] = decided(registered())
    [again] = decided(registered(eventTime="2026-01-02T11:30:00Z"))
    assert one.id == again.id
    assert one.id.startswith("tell.")
    assert (one.status, one.rule, one.depth) == ("running", "tell", 1)


@pytest.mark.parametrize(
    "change", [{"id": "e2"}, {"topic": WORKSPACE.replace("workspaces/w", "workspaces/W")}]
)
def test_the_same_event_is_known_by_its_id_and_workspace_in_any_casing(change):
    [one], [other] = decided(registered()), decided(registered(**change))
    assert (one.id == other.id) is ("topic" in change)


def test_each_event_of_one_breach_is_the_same_response():
    [one], [other] = decided(breach("e1")), decided(breach("e2"))
    assert one.id == other.id


def test_a_response_carries_only_the_connections_that_it_names_and_no_setting():
    [one] = decided(registered())
    assert one.connections == {"team": {"type": "apprise", "url": {"setting": "TEAM_URL"}}}
    assert "json://" not in json.dumps(one.to_json())


def test_a_response_survives_its_journey_as_json():
    [one] = decided(registered())
    assert Response.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_an_expression_in_a_tag_is_not_evaluated():
    event = registered(subject="models/${model.name}:7")
    [one] = decided(event)
    assert one.event.subject == "models/${model.name}:7"
    assert one.status == "running"


def test_a_foreign_workspace_is_refused_even_when_no_rule_matches():
    [one] = decided(registered(topic=WORKSPACE + "x", eventType="Something.Else"))
    assert (one.status, one.rule, one.alert) == ("refused", None, False)
    assert "workspaces/wx" in (one.because or "")


@pytest.mark.parametrize("raw", ["", "{", "null", "[]", "[{}, {}]", "{}", '{"id": "r9"}'])
def test_what_nobody_can_understand_is_kept_as_it_came(raw):
    [one] = decided(raw)
    assert (one.status, one.raw, one.alert) == ("quarantined", raw, True)
    assert one.because
    assert [(step.uses, step.notifies) for step in one.on_failure] == [("notify", True)]


def test_a_quarantined_event_shows_what_could_be_read_of_it():
    [one] = decided({"id": "r1", "eventType": 7, "subject": "models/a:1", "eventTime": "yesterday"})
    assert (one.event.id, one.event.type, one.event.subject) == ("r1", "", "models/a:1")


@pytest.mark.parametrize(
    ("rule", "app", "status"),
    [
        ("live", None, "running"),
        ("live", "live", "running"),
        ("live", "shadow", "shadow"),
        ("shadow", None, "shadow"),
        ("shadow", "live", "shadow"),
    ],
)
def test_the_more_careful_of_two_modes_wins(rule, app, status):
    [one] = decided(registered(), f"mode: {rule}", mode=app)
    assert one.status == status


@pytest.mark.parametrize(("rule", "app"), [("disabled", None), ("disabled", "live"), ("live", "disabled")])
def test_what_is_disabled_leaves_no_trace(rule, app):
    assert decided(registered(), f"mode: {rule}", mode=app) == []


def test_a_missing_value_fails_before_any_step_and_is_told():
    [one] = decided(registered(), text="${model.tags.owner}")
    assert (one.status, one.alert) == ("failed", True)
    assert "step 'notify'" in (one.because or "")
    assert "model.tags.owner" in (one.because or "")


@pytest.mark.parametrize(("tag", "status"), [("2", "running"), ("3", "stopped"), ("x", "running")])
def test_a_chain_of_responses_ends(tag, status):
    data = registered()["data"] | {"modelTags": {"mlevents.depth": tag}}
    [one] = decided(registered(data=data))
    assert one.status == status


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        *((0, "running"), (23.9, "running"), (24.1, "stopped")),
        *((-0.08, "running"), (-0.09, "stopped"), (-48, "stopped")),
    ],
)
def test_an_event_older_than_max_age_or_from_the_future_is_recorded_only(hours, status):
    time = (NOW - timedelta(hours=hours)).isoformat()
    [one] = decided(registered(eventTime=time), "max_age: 24h")
    assert one.status == status
    assert ("max_age" in (one.because or "")) is (status == "stopped")


def test_an_event_without_a_time_is_not_acted_on_where_age_matters():
    event = registered()
    del event["eventTime"]
    assert decided(event, "max_age: 24h")[0].status == "stopped"
    assert decided(event)[0].status == "running"


def test_dedupe_makes_events_with_the_same_value_one_response():
    gate = 'dedupe: "${model.name}"'
    [one], [other] = decided(registered(), gate), decided(registered(id="e2"), gate)
    assert one.id == other.id
    data = registered()["data"] | {"modelName": "elsewhere"}
    assert decided(registered(data=data), gate)[0].id != one.id


def test_dedupe_by_a_value_that_is_missing_fails_and_is_told():
    [one] = decided(registered(), 'dedupe: "${model.tags.batch}"')
    assert (one.status, one.alert) == ("failed", True)
    assert "dedupe: " in (one.because or "")


def test_a_version_that_is_no_version_fails_before_it_is_remembered():
    gate = 'order: {key: "${model.name}", by: "${model.tags.release}"}'
    data = registered()["data"] | {"modelTags": {"release": "9" * 5000}}
    [one] = decided(registered(data=data), gate)
    assert (one.status, one.alert) == ("failed", True)
    assert "order.by has 5000 characters" in (one.because or "")


def test_a_map_is_no_value_to_dedupe_by():
    for value in ("${model.tags}", "${model}", "${ model.properties }"):
        with pytest.raises(RulesError, match="is a map: name one value"):
            decided(registered(), f'dedupe: "{value}"')
    [one] = decided(registered(), "dedupe: \"${{'a': model.name}}\"")
    assert one.status == "failed"
    assert "the value is a map: name one value" in (one.because or "")
    assert decided(registered(), 'dedupe: "${model.tags | json}"')[0].status == "running"
