"""The API of the running app: its lists, its pages, its refusals, and its older addresses."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import Stage, until

FRAUD = {"stage": "production", "accuracy": "0.95"}


def get(stage: Stage, path: str, **query: str) -> requests.Response:
    return requests.get(f"{stage.ready['functions']}/api/{path}", params=query, timeout=30)


def listed(stage: Stage, **query: str) -> list[dict[str, Any]]:
    answer = get(stage, "v1/responses", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["responses"]
    return found


@pytest.fixture(scope="module")
def done(shipped: Stage) -> dict[str, Any]:
    event = shipped.drift_detected("api", 0.7)
    shipped.deliver("DatasetDriftDetected", event)
    [one] = shipped.settled(event_id=event["id"])
    return one


def test_a_list_has_its_responses_and_where_to_go_on(shipped: Stage, done):
    answer = get(shipped, "v1/responses", event_id=done["event"]["id"])
    assert answer.json() == {"responses": [done], "continuation": None}
    assert set(done) == {"id", "rule", "event", "status", "because", "steps", "created", "updated"}


def test_a_list_is_narrowed_down_by_each_parameter(shipped: Stage, done):
    query = {
        "status": "done",
        "rule": done["rule"],
        "workspace": "prod",
        "event_id": done["event"]["id"],
        "subject": done["event"]["subject"],
        "since": done["created"],
        "limit": "10",
    }
    assert listed(shipped, **query) == [done]
    wrong = {"status": "failed", "rule": "nobody", "workspace": "elsewhere", "event_id": "x", "subject": "x"}
    for name, value in {**wrong, "until": done["created"], "since": "2999-01-01"}.items():
        assert listed(shipped, **{"event_id": done["event"]["id"], name: value}) == [], name


def test_pages_follow_one_another(shipped: Stage, done):
    for number in range(3):
        event = shipped.drift_detected(f"page-{number}", 0.7)
        shipped.deliver("DatasetDriftDetected", event)
        shipped.settled(event_id=event["id"])
    found: list[str] = []
    query = {"limit": "2", "rule": done["rule"], "status": "done"}
    while True:
        body = get(shipped, "v1/responses", **query).json()
        assert len(body["responses"]) <= 2
        found += [one["id"] for one in body["responses"]]
        if body["continuation"] is None:
            break
        query["continuation"] = body["continuation"]
    assert sorted(found) == sorted(one["id"] for one in listed(shipped, rule=done["rule"], status="done"))
    assert len(found) >= 4


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"colour": "red"}, "unknown parameter 'colour'"),
        ({"status": "finished"}, "status is 'finished'"),
        ({"limit": "0"}, "limit is '0'"),
        ({"since": "yesterday"}, "since is 'yesterday'"),
        ({"continuation": "next"}, "continuation is 'next'"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(shipped: Stage, query, says):
    answer = get(shipped, "v1/responses", **query)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_an_unknown_parameter_is_answered_with_the_known_ones(shipped: Stage):
    said = get(shipped, "v1/responses", colour="red").json()["error"]
    known = ("status", "rule", "workspace", "event_id", "subject", "since", "until", "limit", "continuation")
    assert all(name in said for name in known)


def test_one_response_adds_the_whole_event(shipped: Stage, done):
    one = get(shipped, f"v1/responses/{done['id']}").json()
    assert {name: one["event"][name] for name in done["event"]} == done["event"]
    assert one["event"]["topic"].lower() == shipped.workspace.lower()
    assert one["event"]["names"]["drift"]["coefficient"] == 0.7
    assert {name: one[name] for name in done if name != "event"} == {
        name: done[name] for name in done if name != "event"
    }


def test_one_response_says_what_was_planned_what_came_of_it_and_why(shipped: Stage, done):
    one = get(shipped, f"v1/responses/{done['id']}").json()
    assert [step["id"] for step in one["plan"]["steps"]] == [step["id"] for step in done["steps"]]
    assert {"uses", "with", "if", "timeout"} <= set(one["plan"]["steps"][0])
    first = one["plan"]["steps"][0]["id"]
    assert one["results"][first]
    assert 0 < one["duration"] < 600
    decisive = [line for line in one["explanation"] if line["holds"] and line["name"] == "value"]
    assert [(line["wanted"], line["found"]) for line in decisive] == [({"gte": 0.3}, 0.7)]
    assert one["attempt"] == 1


def test_a_check_of_a_rollout_has_its_value_and_its_limit(start: Callable[..., Stage]):
    stage = start(CHECKED, speed=120)
    for version in ("1", "2"):
        requests.post(
            stage.ready["load"], json={"endpoint": "fraud", "rps": 20, "latency_ms": 80}, timeout=30
        )
        event = stage.model_registered("net", version, {})
        stage.publish(event)
        [ended] = stage.settled(event_id=event["id"])
    one = get(stage, f"v1/responses/{ended['id']}").json()
    assert one["status"] == "done", one["because"]
    for phases in (one["steps"][0]["phases"], one["results"]["deploy"]["phases"]):
        checks = [check for phase in phases for check in phase.get("checks", ())]
        assert {check["metric"]: check["max"] for check in checks} == {"error_rate": 0.05}
        assert all(0 <= check["value"] <= 0.05 for check in checks)
    assert {(link["kind"], link["name"]) for link in one["links"]} == {
        ("model", "net:2"),
        ("endpoint", "fraud"),
    }


CHECKED = """
version: 1
rules:
  - id: deploy
    event: model.registered
    do:
      - uses: deploy_model
        id: deploy
        with:
          endpoint: fraud
          template: deployments/small.yaml
          rollout:
            steps: [{percent: 50, for: 5m}]
            checks: [{metric: error_rate, max: 0.05}]
"""


def test_a_response_that_is_not_there_is_not_found(shipped: Stage):
    answer = get(shipped, "v1/responses/nobody.0")
    assert (answer.status_code, "nobody.0" in answer.text) == (404, True)


def test_the_older_addresses_answer_alike(shipped: Stage, done):
    assert get(shipped, "responses", event_id=done["event"]["id"]).json() == [done]
    assert get(shipped, f"responses/{done['id']}").json() == get(shipped, f"v1/responses/{done['id']}").json()
    assert get(shipped, "health").json() == get(shipped, "v1/health").json() == {"status": "ok"}


TURNS = """
version: 1
rules:
  - id: deploy
    event: model.registered
    do: [{uses: deploy_model, with: {endpoint: fraud, template: deployments/small.yaml}}]
"""


def test_a_response_that_waits_for_its_endpoint_says_so(start: Callable[..., Stage]):
    stage = start(TURNS, speed=60)
    stage.publish(*(stage.model_registered("net", version, {}) for version in ("1", "2")))
    [one] = until(lambda: listed(stage, status="waiting"), 30, lambda: f"nobody waits: {listed(stage)}")
    assert one["because"].startswith("endpoint: waiting for the endpoint")
    assert [other["status"] for other in listed(stage) if other["id"] != one["id"]] == ["running"]
