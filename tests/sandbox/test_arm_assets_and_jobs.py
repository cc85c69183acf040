"""Models, components, jobs and batch endpoints, through the real azure-ai-ml over TLS."""

import itertools
import json
from typing import Any

import pytest

from sandbox.azure.identity import OWNER, OWNER_NAME, PRINCIPAL
from tests.sandbox.arm_server import Server, serving, until

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
MODEL = "azureml://jobs/train-7/outputs/artifacts/paths/model"
FINAL = ["NotStarted", "Queued", "Preparing", "Running", "Finalizing", "Completed"]
numbers = itertools.count(1)


@pytest.fixture
def ml(server, monkeypatch):
    server.settings(monkeypatch, OWNER)
    return server.ml_client()


@pytest.fixture
def name() -> str:
    return f"thing-{next(numbers)}"


def raised(server: Server, kind: str, part: str) -> list[dict[str, Any]]:
    wanted = f"Microsoft.MachineLearningServices.{kind}"
    return [event for event in server.events if event["eventType"] == wanted and part in event["subject"]]


def statuses(server: Server, run: str) -> list[str]:
    return [event["data"]["runStatus"] for event in raised(server, "RunStatusChanged", f"/runs/{run}")]


def job_body(server: Server, **properties: Any) -> dict[str, Any]:
    component = f"{server.manager.workspace_id}/components/retrain/versions/1"
    return {"properties": {"jobType": "Pipeline", "componentId": component, **properties}}


def finished(server: Server, job: str) -> str:
    def status() -> str:
        found = server.call("GET", f"jobs/{job}").json()["properties"]["status"]
        return found if found in ("Completed", "Failed", "Canceled") else ""

    return until(status)


def test_a_model_says_who_created_it_and_who_changed_it(server: Server, name: str) -> None:
    path, body = f"models/{name}/versions/1", {"properties": {"modelUri": MODEL, "modelType": "mlflow_model"}}
    audience = "https://management.azure.com"
    person = {"Authorization": f"Bearer {server.identity.owner_token(audience)}"}
    app = {"Authorization": f"Bearer {server.identity.token(audience)}"}
    names = ("createdBy", "createdByType", "lastModifiedBy", "lastModifiedByType")
    server.call("POST", "/_sandbox/permissions", json={"permissions": [{"actions": ["*"]}]})
    of_person, of_app = (OWNER_NAME, "User"), (PRINCIPAL, "Application")
    for headers, expected in ((person, of_person + of_person), (app, of_person + of_app)):
        assert server.call("PUT", path, json=body, headers=headers).ok
        found = server.call("GET", path).json()["systemData"]
        assert tuple(found[key] for key in names) == expected
    server.call("DELETE", "/_sandbox/permissions")


def test_registering_a_model_raises_its_event(server, ml, name) -> None:
    from azure.ai.ml.entities import Model

    model = Model(name=name, version="7", path=MODEL, type="mlflow_model", tags={"stage": "production"})
    assert ml.models.create_or_update(model).version == "7"
    (event,) = raised(server, "ModelRegistered", name)
    assert event["subject"] == f"models/{name}:7"
    assert event["topic"] == server.manager.workspace_id
    assert event["data"] == {
        "modelName": name,
        "modelVersion": "7",
        "modelTags": {"stage": "production"},
        "modelProperties": {},
    }
    assert set(event) == {
        *("id", "topic", "subject", "eventType", "eventTime", "data", "dataVersion", "metadataVersion"),
    }


def test_changing_a_model_raises_nothing_and_its_path_stays(server, ml, name) -> None:
    from azure.ai.ml.entities import Model
    from azure.core.exceptions import HttpResponseError

    model = ml.models.create_or_update(Model(name=name, version="1", path=MODEL))
    model.tags = {"hold": "legal"}
    assert ml.models.create_or_update(model).tags == {"hold": "legal"}
    assert len(raised(server, "ModelRegistered", name)) == 1
    with pytest.raises(HttpResponseError, match="immutable"):
        ml.models.create_or_update(Model(name=name, version="1", path=f"{MODEL}-2"))


def test_versions_count_up_and_the_latest_is_the_last_created(ml, name) -> None:
    from azure.ai.ml.entities import Model

    for _ in range(2):
        ml.models.create_or_update(Model(name=name, path="azureml://datastores/workspaceblobstore/paths/m"))
    ml.models.create_or_update(Model(name=name, version="beta", path=MODEL))
    assert ml.models.get(name, label="latest").version == "beta"
    assert [model.version for model in ml.models.list(name)] == ["beta", "2", "1"]
    ml.models.archive(name, "beta")
    assert [model.version for model in ml.models.list(name)] == ["2", "1"]
    assert ml.models.get(name, "beta").version == "beta"


def test_a_list_longer_than_a_page_is_read_to_its_end(server, ml, name) -> None:
    for number in range(105):
        body = {"properties": {"modelUri": MODEL}}
        server.call("PUT", f"models/{name}/versions/{number}", json=body)
    assert len(list(ml.models.list(name))) == 105


def test_a_component_runs_as_a_job_and_the_same_job_again_is_the_same(server, ml, name) -> None:
    def submit(rate: float) -> Any:
        job = ml.components.get("retrain", "1")(learning_rate=rate)
        job.name, job.experiment_name, job.tags = name, "retrain", {"mlevents.rule": "r"}
        job.settings.default_compute = "cpu-cluster"
        return ml.jobs.create_or_update(job)

    assert submit(0.5).status == "NotStarted"
    assert submit(0.5).name == name
    assert finished(server, name) == "Completed"
    assert submit(0.5).status == "Completed"
    assert statuses(server, name) == FINAL
    (event,) = raised(server, "RunCompleted", f"/runs/{name}")
    assert "runStatus" not in event["data"]
    assert event["data"]["runType"] == "azureml.PipelineRun"
    assert event["data"]["runTags"] == {"mlevents.rule": "r"}
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="already exists"):
        submit(0.9)


def test_the_steps_of_a_pipeline_publish_events_that_name_their_parent(server, name) -> None:
    server.call("PUT", f"jobs/{name}", json=job_body(server))
    finished(server, name)
    steps = [event["data"] for event in server.events if event["data"].get("runType") == "azureml.StepRun"]
    mine = [step for step in steps if step["runTags"]["azureml.pipelinerunid"] == name]
    assert [step["runStatus"] for step in mine if "runStatus" in step][-1] == "Completed"


@pytest.mark.parametrize("way", ["tag", "fault"])
def test_a_job_fails_on_request(server, name, way) -> None:
    tags = {"sandbox.outcome": "Failed"} if way == "tag" else {}
    if way == "fault":
        server.fault(match=f"PUT .*/jobs/{name}", fail_operation={"code": "UserError", "message": "boom"})
    server.call("PUT", f"jobs/{name}", json=job_body(server, tags=tags))
    assert finished(server, name) == "Failed"
    assert statuses(server, name)[-1] == "Failed"
    assert raised(server, "RunCompleted", f"/runs/{name}") == []


def test_a_job_is_cancelled(tmp_path) -> None:
    with serving(tmp_path, speed=100) as server:
        server.call("PUT", "jobs/long", json=job_body(server))
        until(lambda: server.call("GET", "jobs/long").json()["properties"]["status"] == "Preparing")
        assert server.call("POST", "jobs/long/cancel").status_code == 202
        assert finished(server, "long") == "Canceled"
        assert statuses(server, "long")[-2:] == ["CancelRequested", "Canceled"]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"componentId": "{ws}/components/none/versions/1"}, "components/none/versions/1 was not found"),
        ({"settings": {"default_compute": "{ws}/computes/none"}}, "Unknown compute target 'none'"),
        ({"inputs": {"a": {"jobInputType": "literal"}}}, "'properties.inputs.a.value' is required"),
    ],
)
def test_jobs_that_azure_refuses(server, name, properties, said) -> None:
    text = json.dumps(properties).replace("{ws}", server.manager.workspace_id)
    response = server.call("PUT", f"jobs/{name}", json=job_body(server, **json.loads(text)))
    assert response.status_code == 400
    assert said in response.json()["error"]["message"]
    assert server.call("GET", f"jobs/{name}").status_code == 404


def test_jobs_are_found_by_tag_and_kind(server, name) -> None:
    server.call("PUT", f"jobs/{name}", json=job_body(server, tags={"mlevents.response": name}))

    def found(**query: str) -> list[str]:
        rows = server.call("GET", "jobs", params=query).json()["value"]
        return [row["name"] for row in rows if row["name"] == name]

    assert found(tag=f"mlevents.response={name}") == found(jobType="Pipeline") == [name]
    assert found(tag="mlevents.response=other") == found(jobType="Command") == []


def test_invoking_a_batch_endpoint_starts_a_job(server, ml, name) -> None:
    from azure.ai.ml import Input

    inputs = {"learning_rate": Input(type="number", default=0.2)}
    started = ml.batch_endpoints.invoke("retrain-batch", inputs=inputs, job_name=name)
    assert started.name != name, "Azure ML keeps no name of ours"
    assert finished(server, started.name) == "Completed"
    assert ml.jobs.get(started.name).status in FINAL
    deployments = list(ml.batch_deployments.list("retrain-batch"))
    assert [deployment.name for deployment in deployments] == ["default"]


def test_the_workspace_and_what_belongs_to_it(ml) -> None:
    assert ml.workspaces.get("ml-prod").location == "westeurope"
    assert ml.datastores.get_default().name == "workspaceblobstore"
    assert ml.compute.get("cpu-cluster").size == "STANDARD_DS3_V2"
    assert ml.environments.get("inference", label="latest").version == "1"
