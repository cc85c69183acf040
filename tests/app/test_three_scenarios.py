"""The mission: a model is deployed, drift starts a pipeline, a failed run is told."""

import json
from itertools import groupby

import pytest
import requests

from sandbox.sandbox_process import Stage, until
from tests.processes.pipeline_runs import pipeline_runs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs, at import

FRAUD = {"stage": "production", "accuracy": "0.95"}


@pytest.fixture
def azure_ml(shipped: Stage, monkeypatch: pytest.MonkeyPatch):
    for name, value in shipped.environment().items():
        monkeypatch.setenv(name, value)
    return shipped.azure_ml()


def azure_calls(shipped: Stage, part: str, start: int = 0) -> list[str]:
    """The app's requests to a part of Azure, repeated looks once: polls depend on Azure's time."""
    seen = [one for one in shipped.requests_seen()[start:] if one["who"] == "app" and part in one["path"]]
    calls = [f"{one['method']} {one['path'].partition(part)[2]}".rstrip() for one in seen]
    return [call for call, _ in groupby(calls)]


def test_a_model_with_matching_tags_is_deployed_and_answers(shipped: Stage, azure_ml):
    register(azure_ml, "fraud-cards", "3", FRAUD)
    found = until(lambda: shipped.settled_or_none(subject="models/fraud-cards:3"), 10, lambda: "no response")
    assert [(one["rule"], one["status"]) for one in found] == [("deploy-production-models", "done")]
    [one] = found

    endpoint = azure_ml.online_endpoints.get("fraud-cards")
    [(deployment, share)] = endpoint.traffic.items()
    assert share == 100
    tags = azure_ml.online_deployments.get(deployment, "fraud-cards").tags
    assert tags["mlevents.response"] == one["id"]
    assert tags["mlevents.event"] == one["event"]["id"]
    assert tags["mlevents.rule"] == "deploy-production-models"
    rights = ["GET /providers/Microsoft.Insights/metrics", "POST /listKeys"]
    assert azure_calls(shipped, "/onlineEndpoints/fraud-cards") == [
        *("GET", *rights, "GET", "PUT", "GET", "GET /deployments"),
        *(f"GET /deployments/{deployment}", "GET", "GET /deployments", f"PUT /deployments/{deployment}"),
        *(f"GET /deployments/{deployment}", "GET", f"GET /deployments/{deployment}", "POST /listKeys"),
        *("GET", f"GET /deployments/{deployment}", "GET", "PUT", "GET", "GET /deployments", "GET"),
    ]

    key = azure_ml.online_endpoints.get_keys("fraud-cards").primary_key
    answer = requests.post(
        endpoint.scoring_uri,
        json={"input_data": [[1, 2]]},
        headers={"Authorization": f"Bearer {key}"},
        verify=shipped.ready["ca"],
        timeout=10,
    )
    assert answer.status_code == 200
    assert answer.json()["version"] == "3"


def register(azure_ml, name: str, version: str, tags: dict[str, str]) -> None:
    from azure.ai.ml.entities import Model

    path = f"azureml://jobs/train-{name}/outputs/artifacts/paths/model"
    azure_ml.models.create_or_update(
        Model(name=name, version=version, tags=tags, type="mlflow_model", path=path)
    )


def test_a_model_whose_tags_do_not_match_is_left_alone(shipped: Stage):
    event = shipped.model_registered("fraud-cards", "4", {**FRAUD, "stage": "dev"})
    assert shipped.deliver("ModelRegistered", event).status_code == 202
    assert shipped.responses(event_id=event["id"]) == []


def test_a_tag_cannot_name_another_teams_endpoint(shipped: Stage):
    event = shipped.model_registered("fraud-evil", "1", {**FRAUD, "endpoint": "payments-prod"})
    shipped.publish(event)
    [one] = shipped.settled(event_id=event["id"])
    assert (one["rule"], one["status"]) == ("deploy-production-models", "refused")
    assert "payments-prod" in one["because"]
    assert [seen for seen in shipped.requests_seen("PUT") if "payments-prod" in seen["path"]] == []


def test_drift_starts_the_data_factory_pipeline_with_values_from_the_event(shipped: Stage):
    start = len(shipped.requests_seen())
    event = shipped.drift_detected("cards-drift", 0.83)
    shipped.publish(event)
    [one] = shipped.settled(event_id=event["id"])
    assert (one["rule"], one["status"]) == ("retrain-on-drift", "done")
    assert one["steps"][0]["uses"] == "run_data_factory_pipeline"
    [run] = [run for run in pipeline_runs(shipped) if run["parameters"]["monitor"] == "cards-drift"]
    assert (run["pipelineName"], run["parameters"]["coefficient"]) == ("retrain", "0.83")
    calls = azure_calls(shipped, "/factories/adf-retrain", start)
    looks = ["POST /queryPipelineRuns"]  # two: before the intent is stored, and before the run is created
    assert calls[:3] == ["GET /pipelines/retrain", *looks, "POST /pipelines/retrain/createRun"]
    assert set(calls[3:]) == {f"GET /pipelineruns/{run['runId']}"}


def count_worst(stage: Stage) -> int:
    """The runs for the worst of the two breaches; other tests start some too."""
    return sum(run["parameters"].get("coefficient") == "0.41" for run in pipeline_runs(stage))


def test_two_breached_signals_of_one_monitor_run_retrain_once(shipped: Stage):
    before = count_worst(shipped)
    events = [
        shipped.signal_breached("monitor-7", signal, status)
        for signal in ("inputs", "outputs")
        for status in ("Finalizing", "Failed")
    ]
    for event in events:
        assert shipped.deliver("RunStatusChanged", event).status_code == 202
    [one] = [r for e in events for r in shipped.settled_or_none(event_id=e["id"])]
    assert (one["rule"], one["status"]) == ("retrain-on-drift", "done")
    assert count_worst(shipped) == before + 1


def test_poor_predictions_are_reported_with_their_numbers(shipped: Stage):
    found = [(None, 0.6, "Accuracy", 0.8)]
    event = shipped.signal_breached("monitor-8", "predictions", "Completed", found)
    shipped.publish(event)
    answered = {one["rule"]: one["status"] for one in shipped.settled(event_id=event["id"])}
    assert answered == {"retrain-on-drift": "done", "alert-poor-predictions": "done"}
    told = [message for message in shipped.inbox() if "Accuracy 0.6, threshold 0.8" in message["text"]]
    assert {message["via"] for message in told} == {"email", "webhook"}


def test_a_failed_run_is_told_by_mail_and_to_teams(shipped: Stage):
    start = len(shipped.requests_seen())
    event = shipped.run_status_changed("train-77", "Failed")
    shipped.publish(event)
    [one] = shipped.settled(event_id=event["id"])
    assert (one["rule"], one["status"]) == ("alert-failed-runs", "done")
    runs = azure_calls(shipped, "/runs/train-77/", start)
    assert runs == ["GET details", "GET children", "GET details"]  # the last for the address of the log
    assert not azure_calls(shipped, "/onlineEndpoints", start) + azure_calls(shipped, "/factories", start)
    told = [message for message in shipped.inbox() if "train-77" in json.dumps(message)]
    assert {message["via"] for message in told} == {"email", "webhook"}
    mail = next(message for message in told if message["via"] == "email")
    for expected in (
        "train-77",
        "train-fraud",
        "Failed",
        shipped.workspace,
        "https://ml.azure.com/runs/train-77",
    ):
        assert expected in mail["subject"] + mail["text"]


def test_registering_a_model_closes_the_loop_by_itself(shipped: Stage, azure_ml):
    register(azure_ml, "fraud-loop", "1", FRAUD)
    found = until(lambda: shipped.responses("models/fraud-loop:1"), 10, lambda: "no response")
    assert found[0]["rule"] == "deploy-production-models"
