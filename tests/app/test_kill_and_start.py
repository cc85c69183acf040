"""The whole app killed and started again at its work: nothing is lost, nothing is started twice."""

import time
from collections.abc import Callable
from functools import partial

import pytest
import requests

from sandbox.sandbox_process import PATIENCE, Stage, until

RULES = """
version: 1
connections:
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
rules:
  - id: retrain
    event: drift.detected
    do:
      - uses: run_data_factory_pipeline
        with: {connection: retraining, pipeline: retrain, parameters: {monitor: "${drift.monitor}"}, wait: true}
"""  # noqa: E501


@pytest.fixture
def stage(start: Callable[..., Stage]) -> Stage:
    return start(RULES, speed=120)


def runs(stage: Stage) -> int:
    return sum("createRun" in one["path"] for one in stage.requests_seen("POST"))


def test_a_response_under_way_survives_a_kill_and_starts_its_run_once(stage: Stage):
    event = stage.drift_detected("monitor", 0.5)
    stage.publish(event)
    until(lambda: runs(stage), PATIENCE, lambda: "no run is started")
    stage.kill()
    assert requests.get(f"{stage.ready['functions']}/api/health", timeout=10).status_code == 503
    stage.start()
    [one] = stage.settled(event_id=event["id"])
    assert (one["status"], runs(stage)) == ("done", 1)


def test_a_run_whose_start_was_not_recorded_is_found_and_not_started_again(stage: Stage):
    event = stage.drift_detected("monitor", 0.5)
    stage.kill(at="ACTIVITY .*")
    stage.publish(event)
    until(lambda: stage.host()["state"] == "stopped", PATIENCE, lambda: "the app was not killed")
    stage.start()
    [one] = stage.settled(event_id=event["id"])
    assert (one["status"], runs(stage)) == ("done", 1)


def test_events_published_while_the_app_is_down_are_delivered_when_it_is_up(stage: Stage):
    stage.kill()
    events = [stage.drift_detected(f"monitor-{number}", 0.5) for number in range(3)]
    stage.publish(*events)
    time.sleep(0.5)
    stage.start()
    for event in events:
        until(partial(stage.responses, event_id=event["id"]), PATIENCE, lambda: "an event is lost")
        assert stage.settled(event_id=event["id"])[0]["status"] == "done"
    assert runs(stage) == 3


def test_a_lost_worker_costs_the_response_nothing(stage: Stage):
    event = stage.drift_detected("monitor", 0.5)
    stage.publish(event)
    until(lambda: runs(stage), PATIENCE, lambda: "no run is started")
    stage.kill(worker=True)
    [one] = stage.settled(event_id=event["id"])
    assert (one["status"], runs(stage)) == ("done", 1)
