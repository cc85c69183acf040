"""What the app promises: nothing is lost, nothing is done twice, nothing foreign is acted on."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from mlevents.events import parse
from mlevents.responses.response_id import digest, response_id
from sandbox.sandbox_process import Stage, until

FRAUD = {"stage": "production", "accuracy": "0.95"}
ORDERS = r"""
version: 1
connections:
  retraining:
    type: data_factory
    id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/\
      Microsoft.DataFactory/factories/adf-retrain"
rules:
  - id: retrain
    event: drift.detected
    do:
      - uses: run_data_factory_pipeline
        with:
          connection: retraining
          pipeline: retrain
          parameters: {monitor: "${drift.monitor}"}
          wait: true
"""


def test_two_hundred_copies_at_once_make_one_response(shipped: Stage):
    shipped.register("fraud-copies", "1", {"stage": "dev"})
    event = shipped.model_registered("fraud-copies", "1", FRAUD)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: shipped.deliver("ModelRegistered", event).status_code, range(200)))
    assert answers == [202] * 200
    [one] = shipped.settled(event_id=event["id"])
    assert one["status"] == "done"
    puts = [one for one in shipped.requests_seen("PUT") if "/fraud-copies/deployments/" in one["path"]]
    assert len(puts) == 1


def test_a_redelivery_after_the_end_repeats_nothing(shipped: Stage):
    event = shipped.drift_detected("later", 0.7)
    shipped.deliver("DatasetDriftDetected", event)
    [first] = shipped.settled(event_id=event["id"])
    runs = len([one for one in shipped.requests_seen("POST") if "createRun" in one["path"]])
    assert shipped.deliver("DatasetDriftDetected", event).status_code == 202
    assert shipped.responses(event_id=event["id"]) == [first]
    assert len([one for one in shipped.requests_seen("POST") if "createRun" in one["path"]]) == runs


def test_a_foreign_workspace_is_refused(shipped: Stage):
    foreign = shipped.workspace.replace("ml-prod", "ml-elsewhere")
    event = shipped.model_registered("fraud-foreign", "1", FRAUD, topic=foreign)
    assert shipped.deliver("ModelRegistered", event).status_code == 202
    [one] = shipped.settled(event_id=event["id"])
    assert (one["status"], one["rule"], one["steps"]) == ("refused", None, [])
    assert foreign in one["because"]


def test_a_workspace_is_recognised_in_any_casing(shipped: Stage):
    event = shipped.drift_detected("casing", 0.7) | {"topic": shipped.workspace.upper()}
    shipped.deliver("DatasetDriftDetected", event)
    [one] = shipped.settled(event_id=event["id"])
    assert one["status"] == "done"


@pytest.mark.parametrize(
    ("rubbish", "says"),
    [
        ({}, "id"),
        ({"id": "r-1", "eventType": 7}, "eventType"),
        ({"id": "r-2", "eventType": "Microsoft.MachineLearningServices.ModelRegistered", "data": []}, "data"),
        ({"id": "r-3", "eventType": "Microsoft.MachineLearningServices.ModelRegistered", "data": {}}, "odel"),
    ],
)
def test_rubbish_is_kept_and_somebody_is_told(shipped: Stage, rubbish, says: str):
    before = {one["id"] for one in shipped.responses()}
    assert shipped.deliver("ModelRegistered", rubbish).status_code == 202
    found = until(
        lambda: [r for r in shipped.responses() if r["id"] not in before and r["status"] == "quarantined"],
        10,
        lambda: "nothing is in quarantine",
    )
    assert says in found[0]["because"]
    alone = requests.get(f"{shipped.ready['functions']}/api/responses/{found[0]['id']}", timeout=10).json()
    assert json.loads(alone["raw"]) == rubbish


@pytest.mark.parametrize("body", ["[[{}]]", "[17]", "[null]", '["text"]', '{"id": ', "17", ""])
def test_what_the_host_cannot_hand_over_is_refused_and_delivered_again(shipped: Stage, body: str):
    answer = shipped.post("ModelRegistered", body)
    assert (answer.status_code, answer.content) == (500, b"")  # delivered again, then a dead letter


@pytest.mark.parametrize("tag", ["a\x00b", "a\ud800b"], ids=["nul", "surrogate"])
def test_text_that_nothing_can_carry_is_quarantined_by_name(shipped: Stage, tag: str):
    event = shipped.model_registered("fraud-odd", "1", {**FRAUD, "note": tag})
    assert shipped.deliver("ModelRegistered", event).status_code == 202
    [one] = shipped.settled(event_id=event["id"])
    assert one["status"] == "quarantined"
    assert "data.modelTags.note" in one["because"]


def test_an_event_of_a_megabyte_is_an_event(shipped: Stage):
    event = shipped.model_registered("churn", "1", {"note": "x" * 1_000_000})
    assert shipped.deliver("ModelRegistered", event).status_code == 202
    assert shipped.responses(event_id=event["id"]) == []
    matching = shipped.drift_detected("big", 0.9)
    matching["data"]["note"] = "y" * 1_000_000
    assert shipped.deliver("DatasetDriftDetected", matching).status_code == 202
    [one] = shipped.settled(event_id=matching["id"])
    assert one["status"] == "done"


def test_a_name_that_no_endpoint_can_have_is_made_one(shipped: Stage):
    name = "fraud-" + "long_name." * 8
    shipped.register(name, "1", {"stage": "dev"})
    event = shipped.model_registered(name, "1", FRAUD)
    shipped.deliver("ModelRegistered", event)
    [one] = shipped.settled(event_id=event["id"])
    assert one["status"] == "done"


def test_performing_every_activity_twice_does_nothing_twice(start: Callable[..., Stage]):
    stage = start(ORDERS, "--twice")
    event = stage.drift_detected("twice", 0.5)
    stage.deliver("DatasetDriftDetected", event)
    [one] = stage.settled(event_id=event["id"])
    assert one["status"] == "done"
    assert len([one for one in stage.requests_seen("POST") if "createRun" in one["path"]]) == 1


def test_throttling_and_a_dropped_connection_are_survived(start: Callable[..., Stage]):
    stage = start(ORDERS)
    stage.fault(match="POST .*createRun.*", status=429, times=2, headers={"Retry-After": "1"})
    event = stage.drift_detected("throttled", 0.5)
    stage.deliver("DatasetDriftDetected", event)
    [one] = stage.settled(event_id=event["id"])
    assert one["status"] == "done"
    stage.fault(match="POST .*createRun.*", drop=True, times=1)
    event = stage.drift_detected("dropped", 0.5)
    stage.deliver("DatasetDriftDetected", event)
    [one] = stage.settled(event_id=event["id"])
    assert one["status"] == "done"


def test_a_broken_rule_file_loses_nothing(start: Callable[..., Stage]):
    stage = start("version: 1\nrules:\n  - id: x\n    event: model.registred\n    do: []\n")
    answer = requests.get(f"{stage.ready['functions']}/api/health", timeout=10)
    assert (answer.status_code, answer.json()) == (503, {"status": "failing"})
    details = requests.get(f"{stage.ready['functions']}/api/health/details", timeout=10).json()
    assert any("model.registered" in problem for problem in details["problems"])
    refused = stage.deliver("ModelRegistered", stage.model_registered("m", "1", {}))
    failed = "Exception while executing function: Functions.ModelRegistered"
    assert (refused.status_code, refused.text) == (500, failed)  # the host keeps the cause for its log


def test_a_response_that_nobody_knows_is_not_found(shipped: Stage):
    answer = requests.get(f"{shipped.ready['functions']}/api/responses/nobody.0", timeout=10)
    assert (answer.status_code, "nobody.0" in answer.text) == (404, True)


def test_health_says_nothing_but_ok(shipped: Stage):
    answer = requests.get(f"{shipped.ready['functions']}/api/health", timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


THROTTLED = r"""
version: 1
connections:
  mail: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@b.example, to: [t@b.example]}
  chat: {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none, sender: a@b.example, to: [t@b.example]}
rules:
  - id: tell
    event: model.registered
    do:
      - {id: late, uses: notify, with: {to: mail, subject: "late ${model.name}", text: t}}
      - {id: next, uses: notify, with: {to: chat, subject: "next ${model.name}", text: t}}
"""  # noqa: E501


def test_a_notification_throttled_for_an_hour_holds_up_no_other_step(start: Callable[..., Stage]):
    stage = start(THROTTLED, speed=300)  # an hour takes twelve seconds
    stage.fault(match="POST /emails:send.*", status=429, times=1, headers={"Retry-After": "3600"})
    event = stage.model_registered("slow", "1", {})
    assert stage.deliver("ModelRegistered", event).status_code == 202
    until(lambda: "next slow" in subjects(stage), 30, lambda: f"{stage.responses(event_id=event['id'])}")
    assert "late slow" not in subjects(stage)
    [during] = stage.responses(event_id=event["id"])
    assert (during["status"], [step["status"] for step in during["steps"]]) == (
        "running",
        ["running", "done"],
    )
    [one] = stage.settled(event_id=event["id"])
    assert (one["status"], [step["status"] for step in one["steps"]]) == ("done", ["done", "done"])
    assert sorted(subjects(stage)) == ["late slow", "next slow"]


def subjects(stage: Stage) -> list[str]:
    return [message["subject"] for message in stage.inbox()]


RETRAINING = """
version: 1
rules:
  - id: retrain
    event: drift.detected
    do: [{id: start, uses: run_ml_pipeline, with: {component: "retrain:1", wait: true}}]
"""


def test_a_job_that_was_planted_under_a_name_that_events_tell_changes_nothing(start: Callable[..., Stage]):
    stage = start(RETRAINING)
    event = stage.drift_detected("planted", 0.5)
    parsed = parse(event)
    response = response_id("retrain", parsed.identity(parsed.type))
    job = f"mlevents-{digest(f'{response} start')}"
    tags = {"mlevents.response": response, "mlevents.key": job}
    component = f"{stage.workspace}/components/retrain/versions/1"
    body = {"properties": {"jobType": "Pipeline", "componentId": component, "tags": tags}}
    stage.arm(f"{stage.workspace}/jobs/{job}?api-version=2024-10-01", "PUT", body)
    stage.deliver("DatasetDriftDetected", event)
    [one] = stage.settled(event_id=event["id"])
    assert (one["id"], one["status"]) == (response, "done")
    assert job not in one["steps"][0]["detail"]
    assert "mlevents-" in one["steps"][0]["detail"]
