"""A response that an operator runs again: one new attempt, with the earlier ones in its history."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import PATIENCE, Stage, until

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
rules:
  - id: retrain
    event: drift.detected
    do:
      - {id: tell, uses: notify, with: {to: people, template: drift-detected}}
      - {id: run, uses: run_data_factory_pipeline, with: {connection: retraining, pipeline: retrain, wait: true}}
  - id: old
    event: drift.detected
    mode: shadow
    do: [{uses: notify, with: {to: people, template: drift-detected}}]
"""  # noqa: E501
BROKEN = {"match": "POST .*/createRun.*", "status": 403, "times": 1}


@pytest.fixture
def app(start: Callable[..., Stage]) -> Stage:
    return start(RULES, speed=600)


def rerun(stage: Stage, one: dict[str, Any], **body: Any) -> requests.Response:
    url = f"{stage.ready['functions']}/api/v1/responses/{one['id']}/rerun"
    return requests.post(url, json=body, timeout=30)


def details(stage: Stage, one: dict[str, Any]) -> dict[str, Any]:
    url = f"{stage.ready['functions']}/api/v1/responses/{one['id']}"
    found: dict[str, Any] = requests.get(url, timeout=30).json()
    return found


def ended(stage: Stage, event: dict[str, Any], rule: str = "retrain") -> dict[str, Any]:
    [one] = stage.settled(event_id=event["id"], rule=rule)
    return one


def runs(stage: Stage) -> int:
    return sum("createRun" in one["path"] and one["status"] == 200 for one in stage.requests_seen("POST"))


def fail_once(stage: Stage) -> dict[str, Any]:
    stage.fault(**BROKEN)
    stage.publish(event := stage.drift_detected("monitor", 0.5))
    assert ended(stage, event)["status"] == "failed"
    return event


def test_a_failed_response_runs_again_and_both_attempts_are_visible(app: Stage):
    event = fail_once(app)
    before = ended(app, event)
    answer = rerun(app, before, reason="the role is there now")
    assert (answer.status_code, answer.json()["changed"]) == (200, True), answer.text
    after = ended(app, event)
    assert (after["id"], after["status"], after["attempt"]) == (before["id"], "done", 2)
    seen = details(app, after)
    assert [(one["attempt"], one["status"]) for one in seen["attempts"]] == [(1, "failed"), (2, "done")]
    assert "403" in seen["attempts"][0]["because"]
    [entry] = seen["log"]
    assert (entry["verb"], entry["by"], entry["reason"]) == ("rerun", "function key", "the role is there now")
    assert (runs(app), len(app.inbox())) == (1, 2)


def test_a_rerun_from_a_step_keeps_the_results_before_it(app: Stage):
    event = fail_once(app)
    wrong = rerun(app, ended(app, event), **{"from": "nowhere"})
    assert (wrong.status_code, "tell, run" in wrong.json()["error"]) == (409, True)
    assert rerun(app, ended(app, event), **{"from": "run"}).status_code == 200
    after = ended(app, event)
    assert after["steps"][0]["detail"] == "kept from the attempt before"
    assert (after["status"], runs(app), len(app.inbox())) == ("done", 1, 1)


def test_many_reruns_at_once_are_one_attempt_and_start_one_run(app: Stage):
    event = fail_once(app)
    before = ended(app, event)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: rerun(app, before), range(10)))
    assert all(one.ok for one in answers), [one.text for one in answers]
    assert (ended(app, event)["status"], ended(app, event)["attempt"]) == ("done", 2)
    assert sum(one.json()["changed"] for one in answers) == 1
    assert runs(app) == 1


def test_a_rerun_starts_a_run_of_its_own(app: Stage):
    app.publish(event := app.drift_detected("monitor", 0.5))
    assert ended(app, event)["status"] == "done"
    assert rerun(app, ended(app, event)).ok
    assert ended(app, event)["attempt"] == 2
    assert runs(app) == 2, "the run of the first attempt is not taken for the second's"


def test_a_rerun_survives_the_kill_of_the_app(app: Stage):
    event = fail_once(app)
    one = ended(app, event)
    app.kill(at="ACTIVITY RestartResponse")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: rerun(app, one))
        until(lambda: app.host()["state"] == "stopped", PATIENCE, lambda: "the app was not killed")
    app.start()
    until(lambda: details(app, one).get("attempt") == 2, PATIENCE, lambda: "no attempt begins")
    assert (ended(app, event)["status"], runs(app)) == ("done", 1)


def test_what_cannot_run_again_is_refused_with_its_state(app: Stage):
    app.publish(event := app.drift_detected("monitor", 0.5))
    shadow = ended(app, event, "old")
    answer = rerun(app, shadow)
    assert (answer.status_code, answer.json()["state"]) == (409, "shadow")
    assert rerun(app, {"id": "nobody.0"}).status_code == 404
