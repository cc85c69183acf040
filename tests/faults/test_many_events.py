"""Many events at once in the running app: copies, a refused start, a load, and responses that wait.

One app for all: what the tests before have left is still there, as on Azure.
"""

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.event_grid.event_factory import Json
from sandbox.event_grid.topic import FUNCTIONS
from sandbox.sandbox_process import ROOT, Stage, stage, until
from tests.faults.damaged_bytes import damage_bytes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SEED = 14
EVENTS, OTHERS, MOST_COPIES = 40, 100, 5
LOAD, MATCHING, AT_ONCE = 1000, 100, 20
WAITING = 300
BODIES = 250
RULES = """
version: 1
connections:
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
  mail: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@b.example, to: [t@b.example]}
rules:
  - id: retrain
    event: drift.detected
    do: [{uses: run_data_factory_pipeline, with: {connection: retraining, pipeline: retrain, parameters: {monitor: "${drift.monitor}"}}}]
  - id: alert
    event: run.status_changed
    where: {run: {status: failed, id: {prefix: bad-}}}
    do: [{uses: notify, with: {to: mail, subject: "${run.id}", text: failed}}]
  - id: parked
    event: model.registered
    where: {model: {name: {prefix: parked-}}}
    do: [{uses: notify, with: {to: mail, subject: "${model.name}", text: registered}}]
"""  # noqa: E501


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("rules")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    with stage(folder / "rules.yaml", 600) as running:
        yield running


def deliver_all(app: Stage, deliveries: list[tuple[str, Json]]) -> Counter[int]:
    """Deliver each event to its function, many at once; how often each status was answered."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(lambda one: app.deliver(one[0], one[1]).status_code, deliveries))


def count_responses(app: Stage, rule: str, prefix: str) -> Counter[str]:
    """How many responses to events of runs or models with this prefix there are, by status."""
    found = [one for one in app.responses(rule=rule) if prefix in one["event"]["subject"]]
    return Counter(one["status"] for one in found)


def subjects(app: Stage, prefix: str) -> Counter[str]:
    return Counter(one["subject"] for one in app.inbox() if one["subject"].startswith(prefix))


def cancel_all(app: Stage, rule: str) -> set[str]:
    """Cancel what waits of a rule, a hundred at a time; the ids of the responses that were cancelled."""
    body, found = {"rule": rule, "status": "waiting", "reason": "it is no longer needed"}, set()
    url = f"{app.ready['functions']}/api/v1/bulk/cancel"
    while page := requests.post(url, json=body, timeout=60).json()["responses"]:
        found |= {one["id"] for one in page if one["result"] == "done"}
    return found


def test_each_event_delivered_one_to_five_times_among_others_acts_once(app: Stage) -> None:
    chance = random.Random(SEED)
    drifts = [app.drift_detected(f"copied-{number}", 0.5) for number in range(EVENTS // 2)]
    failures = [app.run_status_changed(f"bad-copied-{number}", "Failed") for number in range(EVENTS // 2)]
    others = [app.run_status_changed(f"good-{number}", "Completed") for number in range(OTHERS)]
    deliveries = [
        (function, event)
        for function, events in (("DatasetDriftDetected", drifts), ("RunStatusChanged", [*failures, *others]))
        for event in events
        for _ in range(chance.randint(1, MOST_COPIES))
    ]
    chance.shuffle(deliveries)
    assert deliver_all(app, deliveries) == {202: len(deliveries)}
    until(
        lambda: [one["status"] for one in app.responses()] == ["done"] * EVENTS,
        60,
        lambda: f"{Counter(one['status'] for one in app.responses())}",
    )
    assert sum("createRun" in one["path"] for one in app.requests_seen("POST")) == len(drifts)
    assert subjects(app, "bad-copied-") == {f"bad-copied-{number}": 1 for number in range(len(failures))}


def test_an_event_whose_response_cannot_be_scheduled_is_delivered_again(app: Stage) -> None:
    app.fault(match="START RespondToEvent", times=2)
    event = app.run_status_changed("bad-refused", "Failed")
    assert app.deliver("RunStatusChanged", event).status_code == 500
    assert app.responses(event_id=event["id"]) == []
    app.publish(event)  # the first delivery is refused too, the second is accepted
    until(lambda: subjects(app, "bad-refused") == {"bad-refused": 1}, 60, lambda: f"{app.faults()}")
    assert [one["left"] for one in app.faults()] == [0]


def test_a_load_has_exact_counts(app: Stage) -> None:
    matching = [app.run_status_changed(f"bad-load-{number}", "Failed") for number in range(MATCHING)]
    others = [app.run_status_changed(f"load-{number}", "Failed") for number in range(LOAD - MATCHING)]
    deliveries = [("RunStatusChanged", event) for event in (*matching, *others)]
    random.Random(SEED).shuffle(deliveries)
    assert deliver_all(app, deliveries) == {202: LOAD}
    until(
        lambda: count_responses(app, "alert", "bad-load-") == {"done": MATCHING},
        60,
        lambda: f"{count_responses(app, 'alert', 'bad-load-')}",
    )
    assert subjects(app, "bad-load-") == {f"bad-load-{number}": 1 for number in range(MATCHING)}
    assert count_responses(app, "alert", "/load-") == {}


def test_no_body_stops_the_webhook(app: Stage) -> None:
    """Each element that is a JSON object is accepted, whatever it holds: a refusal is delivered for a day."""
    chance = random.Random(SEED)
    samples = [path.read_bytes() for path in sorted((ROOT / "tests/data/events").glob("*.json"))]
    for _ in range(BODIES):
        body = damage_bytes(chance.choice(samples), chance).decode("utf-8", "replace")
        status = app.post(chance.choice(FUNCTIONS), body).status_code
        assert status == (202 if is_array_of_objects(body) else 500), body
    other = app.run_status_changed("bad-after-rubbish", "Failed")
    app.deliver("RunStatusChanged", other)
    assert [one["status"] for one in app.settled(event_id=other["id"])] == ["done"]


def is_array_of_objects(body: str) -> bool:
    """Whether the Functions host can hand each element to a function."""
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) or (
        isinstance(found, list) and all(isinstance(one, dict) for one in found)
    )


def test_three_hundred_responses_wait_at_once_and_hold_up_no_other(app: Stage) -> None:
    rules = f"{app.ready['functions']}/api/v1/rules/parked"
    assert requests.post(f"{rules}/hold", json={"reason": "a freeze"}, timeout=30).ok
    events = [app.model_registered(f"parked-{number}", "1", {}) for number in range(WAITING)]
    assert deliver_all(app, [("ModelRegistered", one) for one in events]) == {202: WAITING}
    until(
        lambda: count_responses(app, "parked", "parked-") == {"waiting": WAITING},
        60,
        lambda: f"{count_responses(app, 'parked', 'parked-')}",
    )
    other = app.run_status_changed("bad-meanwhile", "Failed")
    app.deliver("RunStatusChanged", other)
    assert [one["status"] for one in app.settled(event_id=other["id"])] == ["done"]
    assert len(cancel_all(app, "parked")) == WAITING
    until(
        lambda: count_responses(app, "parked", "parked-") == {"stopped": WAITING},
        60,
        lambda: f"{count_responses(app, 'parked', 'parked-')}",
    )
    assert requests.post(f"{rules}/release", json={"reason": "it is over"}, timeout=30).ok
    assert subjects(app, "parked-") == {}
