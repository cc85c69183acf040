"""The verbs of operators against the running app: cancel, promote and abort a rollout, whatever happens."""

import time
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
endpoints: "*"
rules:
  - id: plain
    event: model.registered
    where: {model: {tags: {plain: {present: true}}}}
    do: [{uses: deploy_model, with: {template: deployments/small.yaml}}]
  - id: canary
    event: model.registered
    where: {model: {tags: {plain: {absent: true}}}}
    do:
      - id: deploy
        uses: deploy_model
        with:
          template: deployments/small.yaml
          rollout:
            mirror: {percent: 10, for: 10h}
            steps: [{percent: 20, for: 10h}, {percent: 60, for: 10h}]
            checks: [{metric: error_rate, max: 0.2, window: 5m}]
            min_requests: 0
      - {id: last, uses: notify, with: {to: people, template: rollback-done}}
    on_failure: [{id: alarm, uses: notify, with: {to: people, template: rollback-done}}]
  - id: retrain
    event: drift.detected
    do:
      - {id: run, uses: run_data_factory_pipeline, with: {connection: retraining, pipeline: retrain, wait: true}}
      - {id: last, uses: notify, with: {to: people, template: drift-detected}}
"""  # noqa: E501
WHY = "the monitor is wrong"
API = "?api-version=2024-10-01"


@pytest.fixture
def app(start: Callable[..., Stage]) -> Stage:
    return start(RULES, speed=600)


def post(stage: Stage, path: str, **body: Any) -> requests.Response:
    return requests.post(f"{stage.ready['functions']}/api/v1/{path}", json=body, timeout=30)


def verb(stage: Stage, one: dict[str, Any], name: str) -> requests.Response:
    return post(stage, f"responses/{one['id']}/{name}", reason=WHY)


def traffic(stage: Stage, name: str) -> dict[str, int]:
    found = stage.arm(f"{stage.workspace}/onlineEndpoints/{name}{API}")["properties"]["traffic"]
    return {deployment: share for deployment, share in found.items() if share}


def one_of(stage: Stage, name: str, version: str) -> dict[str, Any]:
    [one] = until(lambda: stage.responses(f"models/{name}:{version}"), PATIENCE, lambda: "no response")
    return one


def roll_out(stage: Stage, name: str) -> dict[str, Any]:
    """A rollout of a second version, next to a first one that serves."""
    stage.register(name, "1", {"plain": "yes"})
    stage.settled(f"models/{name}:1")
    assert traffic(stage, name) == {f"{name}-1": 100}
    stage.register(name, "2", {})
    return one_of(stage, name, "2")


def reach(stage: Stage, name: str, phase: str) -> dict[str, Any]:
    """The response once its rollout holds this phase, and has looked at the metrics."""

    def found() -> list[dict[str, Any]]:
        one = one_of(stage, name, "2")
        phases = one["steps"][0].get("phases", [])
        held = phases and phases[-1]["phase"] == phase and " of " in phases[-1]["detail"]
        return [one] if held else []

    [one] = until(found, PATIENCE, lambda: f"still: {one_of(stage, name, '2')}")
    return one


def settle(stage: Stage, name: str) -> dict[str, Any]:
    [one] = stage.settled(f"models/{name}:2")
    return one


@pytest.mark.parametrize("phase", ["endpoint", "deployment", "mirror 10 %", "20 %", "60 %"])
def test_a_cancelled_rollout_puts_the_traffic_back_in_each_phase(app: Stage, phase: str):
    one = roll_out(app, "net")
    while phase.endswith("%") and (now := one_of(app, "net", "2")["steps"][0].get("phases")) is not None:
        if now and now[-1]["phase"] == phase:
            break
        verb(app, one, "promote")
        time.sleep(0.05)
    answer = verb(app, one, "cancel")
    assert answer.status_code in (200, 202), answer.text
    assert (answer.json()["by"], answer.json()["reason"]) == ("function key", WHY)
    ended = settle(app, "net")
    assert ended["status"] == "stopped"
    assert ended["because"].startswith(f"cancel: by function key: {WHY}")
    assert [step["status"] for step in ended["steps"]] == ["stopped", "skipped"]
    assert traffic(app, "net") == {"net-1": 100}
    assert app.inbox() == [], "nobody is notified of what an operator wanted"


def test_each_verb_twice_is_once_and_says_so(app: Stage):
    one = roll_out(app, "net")
    reach(app, "net", "mirror 10 %")
    with ThreadPoolExecutor(8) as pool:
        answers = [each.json() for each in pool.map(lambda _: verb(app, one, "promote"), range(8))]
    reach(app, "net", "20 %")
    assert {each["effect"] for each in answers if "effect" in each} == {"passed on to step 'deploy'"}
    with ThreadPoolExecutor(8) as pool:
        cancelled = list(pool.map(lambda _: verb(app, one, "cancel"), range(8)))
    assert all(each.ok for each in cancelled)
    ended = settle(app, "net")
    again = verb(app, one, "cancel")
    assert (again.status_code, again.json()["changed"], again.json()["status"]) == (200, False, "stopped")
    assert verb(app, one, "promote").status_code == 409
    assert verb(app, one, "abort").json()["state"] == ended["status"] == "stopped"


def test_promoting_every_phase_completes_the_rollout_and_is_recorded(app: Stage):
    one = roll_out(app, "net")
    for phase in ("mirror 10 %", "20 %", "60 %"):
        reach(app, "net", phase)
        until(lambda: verb(app, one, "promote").ok, PATIENCE, lambda: "no promotion is accepted")
    ended = settle(app, "net")
    assert ended["status"] == "done", ended
    assert traffic(app, "net") == {"net-2": 100}
    said = [each["detail"] for each in ended["steps"][0]["phases"] if "promoted" in each["detail"]]
    assert len(said) == 3
    assert all(WHY in each for each in said)


def test_a_promotion_never_passes_a_check_that_failed_for_good(app: Stage):
    one = roll_out(app, "net")
    reach(app, "net", "mirror 10 %")
    app.load("net", 50, deployment="net-2", error_rate=0.9)
    time.sleep(0.5)
    verb(app, one, "promote")
    ended = settle(app, "net")
    assert ended["status"] == "failed"
    assert "error_rate" in ended["because"] or "error rate" in ended["because"]
    assert traffic(app, "net") == {"net-1": 100}


def test_an_aborted_rollout_restores_the_traffic_and_fails(app: Stage):
    one = roll_out(app, "net")
    reach(app, "net", "mirror 10 %")
    assert verb(app, one, "abort").status_code == 200
    ended = settle(app, "net")
    assert ended["status"] == "failed"
    assert f"aborted by function key: {WHY}" in ended["because"]
    assert traffic(app, "net") == {"net-1": 100}
    assert [step["status"] for step in ended["steps"]] == ["failed", "skipped", "done"]


def test_a_verb_survives_the_kill_of_the_app(app: Stage):
    one = roll_out(app, "net")
    reach(app, "net", "mirror 10 %")
    app.kill(at="ACTIVITY PassOnIntervention")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(
            lambda: requests.post(
                f"{app.ready['functions']}/api/v1/responses/{one['id']}/cancel",
                json={"reason": WHY},
                timeout=30,
            )
        )
        until(lambda: app.host()["state"] == "stopped", PATIENCE, lambda: "the app was not killed")
    app.start()
    assert settle(app, "net")["status"] == "stopped"
    assert traffic(app, "net") == {"net-1": 100}


def test_a_step_that_waits_is_cancelled(app: Stage):
    app.publish(event := app.drift_detected("monitor", 0.5))
    [one] = until(lambda: app.responses(event_id=event["id"]), PATIENCE, lambda: "no response")
    assert verb(app, one, "abort").status_code == 409, "it has no rollout"
    answer = verb(app, one, "cancel")
    assert answer.ok, answer.text
    [ended] = app.settled(event_id=event["id"])
    assert (ended["status"], ended["steps"][1]["status"]) == ("stopped", "skipped")


@pytest.mark.parametrize("name", ["cancel", "promote", "abort"])
def test_what_cannot_be_done_is_refused_with_the_state(app: Stage, name: str):
    assert verb(app, {"id": "nobody.0"}, name).status_code == 404
    assert post(app, f"responses/nobody.0/{name}").status_code == 400, "a reason is required"
    app.publish(event := app.drift_detected("monitor", 0.5))
    [ended] = app.settled(event_id=event["id"])
    answer = verb(app, ended, name)
    assert (answer.status_code, answer.json()["state"]) == (409, "done")
