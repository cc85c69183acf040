"""Rules that operators hold: events wait durably, and act on release, in order, each gate asked again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import PATIENCE, Stage, until

RULES = """
version: 1
connections:
  mail: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@b.example, to: [t@b.example]}
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
rules:
  - id: retrain
    event: drift.detected
    do:
      - uses: run_data_factory_pipeline
        with: {connection: retraining, pipeline: retrain, parameters: {monitor: "${drift.monitor}"}, wait: true}
  - id: fresh
    event: run.status_changed
    where: {run: {status: failed}}
    max_age: 10h
    do: [{uses: notify, with: {to: mail, subject: "${run.id}", text: failed}}]
"""  # noqa: E501
WHY = "the lake is moving"


@pytest.fixture
def app(start: Callable[..., Stage]) -> Stage:
    return start(RULES, speed=600)


def ask(stage: Stage, method: str, path: str, **body: Any) -> requests.Response:
    return requests.request(method, f"{stage.ready['functions']}/api/v1/{path}", json=body, timeout=30)


def hold(stage: Stage, rule: str = "retrain") -> dict[str, Any]:
    answer = ask(stage, "POST", f"rules/{rule}/hold", reason=WHY)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def release(stage: Stage, rule: str = "retrain") -> dict[str, Any]:
    answer = ask(stage, "POST", f"rules/{rule}/release", reason="it is there")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def drift(stage: Stage, name: str, **changes: Any) -> dict[str, Any]:
    event = {**stage.drift_detected(name, 0.5), **changes}
    stage.publish(event)
    return event


def held(stage: Stage, event: dict[str, Any]) -> dict[str, Any]:
    """The response of an event, once it waits."""

    def waiting() -> list[dict[str, Any]]:
        return [one for one in stage.responses(event_id=event["id"]) if one["status"] == "waiting"]

    [one] = until(waiting, PATIENCE, lambda: f"{stage.responses(event_id=event['id'])}")
    return one


def ended(stage: Stage, event: dict[str, Any]) -> dict[str, Any]:
    [one] = stage.settled(event_id=event["id"])
    return one


def runs(stage: Stage) -> int:
    return sum("createRun" in one["path"] for one in stage.requests_seen("POST"))


def time_of(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_held_event_waits_and_acts_on_release(app: Stage):
    assert hold(app)["changed"] is True
    event = drift(app, "monitor")
    one = held(app, event)
    assert one["because"] == f"hold: by function key: {WHY}"
    assert [step["status"] for step in one["steps"]] == ["waiting"]
    listed = ask(app, "GET", "holds").json()
    [known] = listed["holds"]
    assert (known["rule"], known["by"], known["reason"], known["waiting"]) == (
        "retrain",
        "function key",
        WHY,
        1,
    )
    of_rules = {one["rule"]["id"]: one["hold"] for one in ask(app, "GET", "rules").json()["rules"]}
    assert of_rules == {"retrain": known, "fresh": None}
    assert runs(app) == 0
    assert release(app)["changed"] is True
    after = ended(app, event)
    assert (after["status"], after["because"], runs(app)) == ("done", None, 1)
    assert ask(app, "GET", "holds").json()["holds"] == []


def test_held_events_act_in_the_order_of_their_times(app: Stage):
    hold(app, "fresh")
    events = []
    for name, minutes in {"third": 3, "first": 1, "fourth": 4, "second": 2}.items():
        events.append({**app.run_status_changed(name, "Failed"), "eventTime": time_of(minutes - 10)})
        app.publish(events[-1])
        held(app, events[-1])
    release(app, "fresh")
    assert [ended(app, event)["status"] for event in events] == ["done"] * 4
    assert [one["subject"] for one in app.inbox()] == ["first", "second", "third", "fourth"]


def test_the_age_of_an_event_is_checked_again_on_release(app: Stage):
    hold(app, "fresh")
    old, new = (app.run_status_changed(name, "Failed") for name in ("old", "new"))
    old["eventTime"] = (datetime.now(UTC) - timedelta(hours=10, seconds=-5)).isoformat()
    app.publish(old, new)
    held(app, old)
    held(app, new)
    due = datetime.fromisoformat(old["eventTime"]) + timedelta(hours=10)
    until(lambda: datetime.now(UTC) > due, 20.0, lambda: "it is not too old yet")
    release(app, "fresh")
    stopped = ended(app, old)
    assert (stopped["status"], stopped["because"].partition(":")[0]) == ("stopped", "max_age")
    assert ended(app, new)["status"] == "done"
    assert len(app.inbox()) == 1


def test_a_rule_and_everything_must_both_be_released(app: Stage):
    hold(app)
    assert ask(app, "POST", "holds", reason="all stop").json()["changed"] is True
    event = drift(app, "monitor")
    held(app, event)
    release(app)
    until(lambda: "all stop" in held(app, event)["because"], PATIENCE, lambda: f"{held(app, event)}")
    assert runs(app) == 0
    assert ask(app, "DELETE", "holds").json()["hold"] is None
    assert (ended(app, event)["status"], runs(app)) == ("done", 1)


def test_hold_and_release_twice_or_at_once_are_once(app: Stage):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: hold(app), range(8)))
    assert sum(one["changed"] for one in answers) == 1
    event = drift(app, "monitor")
    held(app, event)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: release(app), range(8)))
    assert sum(one["changed"] for one in answers) == 1
    assert (ended(app, event)["status"], runs(app)) == ("done", 1)
    assert release(app)["changed"] is False


def test_a_held_response_is_cancelled(app: Stage):
    hold(app)
    event = drift(app, "monitor")
    one = held(app, event)
    assert ask(app, "POST", f"responses/{one['id']}/promote", reason=WHY).status_code == 409
    assert ask(app, "POST", f"responses/{one['id']}/cancel", reason="not wanted").status_code == 200
    after = ended(app, event)
    assert (after["status"], after["because"]) == ("stopped", "cancel: by function key: not wanted")
    release(app)
    assert runs(app) == 0


def test_a_release_survives_the_kill_of_the_app(app: Stage):
    hold(app)
    events = [drift(app, name) for name in ("one", "two")]
    for event in events:
        held(app, event)
    app.kill(at="ACTIVITY ReleaseNext")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: ask(app, "POST", "rules/retrain/release"))
        until(lambda: app.host()["state"] == "stopped", PATIENCE, lambda: "the app was not killed")
    app.start()
    until(lambda: ask(app, "POST", "rules/retrain/release").ok, PATIENCE, lambda: "no release")
    for event in events:
        assert ended(app, event)["status"] == "done"
    assert runs(app) == 2


def test_a_rerun_of_a_held_rule_waits(app: Stage):
    event = drift(app, "monitor")
    one = ended(app, event)
    hold(app)
    assert ask(app, "POST", f"responses/{one['id']}/rerun").ok
    assert held(app, event)["attempt"] == 2
    release(app)
    assert (ended(app, event)["status"], runs(app)) == ("done", 2)


def test_what_cannot_be_held_is_refused(app: Stage):
    answer = ask(app, "POST", "rules/retrian/hold", reason=WHY)
    assert (answer.status_code, "retrain" in answer.json()["error"]) == (404, True)
    assert ask(app, "POST", "rules/retrian/release").status_code == 404
    assert ask(app, "POST", "rules/retrain/hold").status_code == 400, "a reason is required"
