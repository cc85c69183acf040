"""`run_ml_pipeline` with the real azure-ai-ml over TLS: three ways to start one job."""

import time
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done, StepContext
from mlevents.actions.run_ml_pipeline.action import RunMlPipeline
from mlevents.errors import PermanentError, TransientError
from mlevents.events import Event
from mlevents.services.services import Services
from tests.sandbox.arm_server import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs

JOB = """
type: pipeline
inputs: {learning_rate: 0.1, reference: {type: uri_folder, path: "azureml:reference:3"}}
settings: {default_compute: azureml:cpu-cluster}
jobs:
  train:
    type: pipeline
    component: azureml:retrain:1
    inputs: {learning_rate: "${{parent.inputs.learning_rate}}"}
"""
WAYS = [{"job": "job.yml"}, {"component": "retrain@latest"}, {"batch_endpoint": "retrain-batch"}]
SPEED = 6000
FILES = {"job.yml": JOB}


named = pytest.mark.parametrize("way", WAYS, ids=["job", "component", "batch"])


def context(server: Server) -> StepContext:
    key = f"mlevents-{len(server.manager.journal.entries)}"
    event = Event("e1", "drift.detected", ("drift.detected",), None, "s", server.manager.workspace_id, {})
    return StepContext("rule-1.abc", "rule-1", "train", key, event, {})


def follow(action: RunMlPipeline, at: StepContext, services: Services) -> Done:
    """Every attempt twice, until it is done."""
    for _ in range(200):
        try:
            action.perform(at, services)
            outcome = action.perform(at, services)
        except TransientError:
            continue
        if isinstance(outcome, Done):
            return outcome
        at = replace(at, progress=outcome.progress)
        time.sleep(0.02)
    raise AssertionError("the job does not come to an end")


def started(server: Server, since: int) -> list[str]:
    """The jobs that were started by requests after the first so many."""
    entries = list(server.manager.journal.entries)[since:]
    made = [entry for entry in entries if entry.method in ("PUT", "POST") and entry.status == 201]
    return [entry.path.rpartition("/workspaces/")[2] for entry in made if "jobs" in entry.path]


@named
def test_performing_twice_starts_one_job_and_follows_it(
    server: Server, services: Services, way: dict[str, str]
) -> None:
    since = len(server.manager.journal.entries)
    done = follow(RunMlPipeline(**way, inputs={"learning_rate": 0.5}, wait=True), context(server), services)  # type: ignore[arg-type]
    assert done.result["status"] == "Completed"
    assert len(started(server, since)) == 1


@named
def test_a_broken_connection_leads_to_one_job_all_the_same(
    server: Server, services: Services, way: dict[str, str]
) -> None:
    since = len(server.manager.journal.entries)
    server.fault(match="(PUT .*/jobs/|POST /batch/).*", drop=True)
    follow(RunMlPipeline(**way, inputs={"learning_rate": 0.5}), context(server), services)  # type: ignore[arg-type]
    assert len(started(server, since)) == 1


UNREADABLE: dict[str, Any] = {"text": "<html>", "list": [], "empty": {}, "number": 5, "null": None}
UNREADABLE["other"] = {"id": 5, "name": [], "properties": {"jobType": 7, "status": {}, "tags": "x"}}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("match", ["GET .*/jobs/.*", "PUT .*/jobs/.*", "GET .*/components/.*"])
def test_an_answer_that_cannot_be_read_leads_to_one_job_all_the_same(
    server: Server, services: Services, match: str, body: Any
) -> None:
    since, at = len(server.manager.journal.entries), context(server)
    server.fault(match=match, status=200, body=body)
    follow(RunMlPipeline(component="retrain:1", wait=True), at, services)
    assert len(started(server, since)) == 1


@pytest.mark.parametrize("tags", [{}, {"mlevents.key": "another"}])
def test_a_planted_job_is_not_ours(server: Server, services: Services, tags: dict[str, str]) -> None:
    at = context(server)
    component = f"{server.manager.workspace_id}/components/retrain/versions/1"
    body = {"properties": {"jobType": "Pipeline", "componentId": component, "tags": tags}}
    assert server.call("PUT", f"jobs/{at.key}", json=body).status_code == 201
    with pytest.raises(PermanentError, match="but not our mark: someone else submitted it"):
        follow(RunMlPipeline(component="retrain:1"), at, services)


def test_a_job_says_where_it_came_from(server: Server, services: Services) -> None:
    at = context(server)
    follow(RunMlPipeline(component="retrain:1", tags={"team": "risk"}, compute="cpu-cluster"), at, services)
    job: Any = server.call("GET", f"jobs/{at.key}").json()["properties"]
    assert (job["tags"]["team"], job["tags"]["mlevents.response"]) == ("risk", "rule-1.abc")
    assert job["componentId"] == f"{server.manager.workspace_id}/components/retrain/versions/1"
    assert job["settings"]["default_compute"].endswith("/computes/cpu-cluster")
    assert job["experimentName"] == "retrain"


def test_a_jobs_data_is_named_by_reference(server: Server, services: Services) -> None:
    at = context(server)
    follow(RunMlPipeline(job="job.yml", inputs={"reference": "azureml:reference:4"}), at, services)
    job: Any = server.call("GET", f"jobs/{at.key}").json()["properties"]
    assert job["inputs"]["reference"]["uri"].endswith("/data/reference/versions/4")


@pytest.mark.parametrize(
    ("way", "fact"),
    [
        ({"component": "nobodys:1"}, "reading component 'nobodys:1': Azure answered 404"),
        ({"component": "nobodys@latest"}, "reading component 'nobodys@latest'"),
        ({"component": "retrain:1", "compute": "nobodys"}, "nobodys"),
        ({"batch_endpoint": "nobodys"}, "invoking batch endpoint 'nobodys': Azure answered 404"),
    ],
)
def test_what_is_missing_is_a_permanent_error(
    server: Server, services: Services, way: dict[str, str], fact: str
) -> None:
    with pytest.raises(PermanentError, match=fact):
        follow(RunMlPipeline.model_validate(way), context(server), services)


def test_a_job_that_fails_fails_the_step(server: Server, services: Services) -> None:
    server.fault(match="PUT .*/jobs/.*", fail_operation={"code": "UserError"})
    with pytest.raises(PermanentError, match=r"is Failed: see why at https://ml.azure.com/runs/"):
        follow(RunMlPipeline(component="retrain:1", wait=True), context(server), services)
