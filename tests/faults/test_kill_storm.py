"""Two hundred mixed events, and an app that is killed again and again while they are worked on.

Whatever dies at whatever moment: each event has its outcome, and nothing is done twice.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sandbox.sandbox_process import Stage, until
from tests.processes.pipeline_runs import pipeline_runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SEED = 20
DRIFTS, RUNS, MODELS, OTHERS = 80, 80, 10, 30
KILLS: list[dict[str, Any]] = [
    {},
    {},
    {"worker": True},
    {"worker": True},
    {"worker": True},
    {"at": "ACTIVITY PerformStep"},
    {"at": "ORCHESTRATION RespondToEvent"},
]
PAUSE = (0.2, 2.0)
"""Seconds, at least and at most, that the app works before it is killed."""
PATIENCE = 150.0
RULES = """
version: 1
endpoints: "*"
connections:
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
  mail: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@b.example, to: [t@b.example]}
rules:
  - id: retrain
    event: drift.detected
    do: [{uses: run_data_factory_pipeline, with: {connection: retraining, pipeline: retrain, parameters: {monitor: "${drift.monitor}"}, wait: true}}]
  - id: alert
    event: run.status_changed
    where: {run: {status: failed}}
    do: [{uses: notify, with: {to: mail, subject: "${run.id}", text: failed}}]
  - id: deploy
    event: model.registered
    order: {key: "${model.name}", by: "${model.version}"}
    do: [{uses: deploy_model, with: {template: deployments/small.yaml}}]
"""  # noqa: E501


def happenings(stage: Stage) -> list[Callable[[], Any]]:
    """What happens in the workspace, each by a call: the registration of a model raises its event."""
    raised = [stage.drift_detected(f"monitor-{number}", 0.5) for number in range(DRIFTS)]
    raised += [stage.run_status_changed(f"run-{number}", "Failed") for number in range(RUNS)]
    raised += [stage.run_status_changed(f"other-{number}", "Completed") for number in range(OTHERS)]
    registered = [partial(stage.register, f"storm-{number}", "1", {}) for number in range(MODELS)]
    return [*(partial(stage.publish, event) for event in raised), *registered]


def storm(stage: Stage, chance: random.Random) -> None:
    """All of it in some order, while the host, or its worker alone, dies at random moments."""
    waiting = happenings(stage)
    chance.shuffle(waiting)
    share = len(waiting) // len(KILLS) + 1
    for number, how in enumerate(chance.sample(KILLS, len(KILLS))):
        for happen in waiting[number * share : (number + 1) * share]:
            happen()
        time.sleep(chance.uniform(*PAUSE))
        if stage.host()["state"] == "failed":  # a worker was killed while it started
            stage.start()
        stage.kill(**how)
        if "at" in how:
            until(lambda: stage.host()["state"] == "stopped", PATIENCE, lambda: "the app was not killed")
        if "worker" not in how:
            stage.start()
    if stage.host()["state"] == "failed":
        stage.start()


def outcomes(stage: Stage) -> Counter[tuple[str, str]]:
    return Counter((one["rule"], one["status"]) for one in stage.responses())


def test_no_event_is_lost_and_nothing_is_done_twice(start: Callable[..., Stage]) -> None:
    stage = start(RULES, speed=600)
    stage.fault(match="ENTITY .*", times=2)
    storm(stage, random.Random(SEED))
    wanted = Counter({("retrain", "done"): DRIFTS, ("alert", "done"): RUNS, ("deploy", "done"): MODELS})
    until(lambda: outcomes(stage) == wanted, PATIENCE, lambda: f"{outcomes(stage)} is not {wanted}")
    asked = stage.requests_seen()
    started = Counter(run["parameters"]["monitor"] for run in pipeline_runs(stage))
    assert started == {f"monitor-{number}": 1 for number in range(DRIFTS)}
    mails = Counter(one["subject"] for one in stage.inbox())
    assert mails == {f"run-{number}": 1 for number in range(RUNS)}
    written = [one for one in asked if one["method"] == "PUT"]
    sent = Counter(one["path"] for one in written)
    answered = Counter(one["path"] for one in written if one["status"])
    for number in range(MODELS):
        endpoint = f"{stage.workspace}/onlineEndpoints/storm-{number}"
        deployment = f"{endpoint}/deployments/storm-{number}-1"
        # A write that died with the app has no answer, and is sent again when it was not carried out.
        assert answered[deployment] <= 1 <= sent[deployment]
        assert answered[endpoint] <= 2 <= sent[endpoint], "created, and given its traffic"
