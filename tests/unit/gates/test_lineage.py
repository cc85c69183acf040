"""A chain that goes through a job without tags of ours is found by the job, and ends."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from mlevents.errors import PermanentError
from mlevents.events import parse
from mlevents.gates.lineage import MOST_RUNS, Lineage
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.services.machine_learning.registered_models import ModelVersion
from mlevents.services.machine_learning.run_history import HistoricRun
from mlevents.settings import Settings
from tests.unit.gates.gate_world import WORKSPACE, GateWorld

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def run(name: str, depth: int = 0, parent: str = "", root: str = "") -> HistoricRun:
    tags = {"mlevents.depth": str(depth)} if depth else {}
    return HistoricRun(name, "Completed", None, "e", THEN, THEN, tags, parent=parent, root=root)


@dataclass
class Azure:
    """A model `net:7` of this job, and the runs that there are."""

    job: str = ""
    runs: dict[str, HistoricRun] = field(default_factory=dict)
    closed: bool = False
    asked: list[str] = field(default_factory=list)

    def find_version(self, name: str, version: str) -> ModelVersion:
        if self.closed:
            raise PermanentError("403")
        return ModelVersion(name, version, THEN, job=self.job)

    def find_run(self, run_id: str) -> HistoricRun | None:
        self.asked.append(run_id)
        return self.runs.get(run_id)

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        workspace = SimpleNamespace(models=self, runs=self)
        services: Any = SimpleNamespace(settings=Settings(), machine_learning=lambda _: workspace)
        names = query["response"]["event"]["names"]
        found = Lineage(True).read(names, query["document"], services)
        return Answer(AnswerKind.DONE, "", result=dict(found)).to_json()


def respond(azure: Azure, tags: dict[str, str] | None = None) -> tuple[dict[str, Any], GateWorld]:
    document = {
        "id": "1",
        "topic": WORKSPACE,
        "subject": "models/net:7",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {"modelName": "net", "modelVersion": "7", "modelTags": tags or {}},
    }
    world = GateWorld(reads=azure.answer)
    return world.respond("one", {"lineage": True}, event=parse(document).to_json()), world


def of_runs(job: str, *runs: HistoricRun) -> Azure:
    return Azure(job, {one.id: one for one in runs})


@pytest.mark.parametrize(
    "azure",
    [
        of_runs("job", run("job", 2)),
        of_runs("step", run("step", parent="job", root="job"), run("job", 2)),
        of_runs("trial", run("trial", parent="step"), run("step", parent="job"), run("job", 2)),
    ],
)
def test_what_the_response_creates_is_one_level_deeper_than_the_job(azure: Azure):
    done, world = respond(azure)
    assert done["status"] == "done"
    assert world.performed[0]["response"]["depth"] == 3


def test_a_chain_that_is_too_deep_stops_and_notifies():
    stopped, world = respond(of_runs("step", run("step", parent="job"), run("job", 3)))
    assert stopped["status"] == "stopped"
    assert "this event comes by run 'job' from a chain of 3 responses" in stopped["because"]
    assert [call["step"]["id"] for call in world.performed] == ["on_failure.alarm"]


def test_what_no_response_led_to_acts():
    for azure in (Azure(), of_runs("job", run("job")), of_runs("gone")):
        done, _ = respond(azure)
        assert (done["status"], done["gates"][0]["detail"]) == ("done", "no response led to it")


def test_a_lineage_that_cannot_be_read_does_not_end_the_response():
    done, _ = respond(Azure(closed=True))
    assert done["status"] == "done"
    assert done["gates"][0]["detail"] == "the lineage is unknown: 403"


def test_an_event_with_the_tag_is_not_read_again():
    done, _ = respond(azure := of_runs("job", run("job", 3)), {"mlevents.depth": "1"})
    assert (done["status"], azure.asked) == ("done", [])


def test_the_number_of_reads_is_limited():
    chain = [run(f"r{number}", parent=f"r{number + 1}") for number in range(9)]
    respond(azure := of_runs("r0", *chain))
    assert len(azure.asked) == MOST_RUNS


@pytest.mark.parametrize(
    ("properties", "job"),
    [
        ({"jobName": "train-1"}, "train-1"),
        ({"modelUri": "azureml://jobs/train-2/outputs/artifacts/paths/model"}, "train-2"),
        ({"modelUri": "runs:/train-3/model"}, "train-3"),
        ({"modelUri": "azureml://datastores/x/paths/y"}, ""),
    ],
)
def test_the_job_of_a_model_is_in_its_resource(properties: dict[str, Any], job: str):
    resource = {"name": "1", "properties": properties, "systemData": {"createdAt": "2026-01-01T00:00:00Z"}}
    assert ModelVersion.read("net", resource).job == job
