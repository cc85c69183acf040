"""Azure Pipelines: find a pipeline, start a run, follow it.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs, the list and the timeline of runs:
https://learn.microsoft.com/rest/api/azure/devops/build
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from mlevents.errors import PermanentError
from mlevents.services.answer_fields import require_list, require_object, require_text
from mlevents.services.azure_devops.project import Project
from mlevents.services.http.answers import read_answer_time
from mlevents.services.http.rest_client import read_accepted_answer
from mlevents.services.sdk_errors import translate_errors

_MOST_RUNS = 50
"""Runs of one pipeline that are compared; they began since a minute before the step."""
_MOST_PARTS = 5


@dataclass(frozen=True, slots=True)
class DevOpsPipeline:
    """A pipeline; `status` is `enabled`, `paused` or `disabled`, `time` is when it was read."""

    id: int
    name: str
    status: str
    time: datetime

    @classmethod
    def read(cls, answer: Any, time: datetime) -> Self:
        """From Azure DevOps' answer; raises ValueError, LookupError or TypeError for another shape."""
        found = require_object(answer, "a pipeline")
        status = str(found.get("queueStatus", "enabled"))
        return cls(int(found["id"]), require_text(found["name"], "its name"), status, time)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """From what `to_json` wrote."""
        return cls(found["id"], found["name"], found["status"], datetime.fromisoformat(found["time"]))

    def to_json(self) -> dict[str, Any]:
        """As JSON, for a later attempt."""
        return {"id": self.id, "name": self.name, "status": self.status, "time": self.time.isoformat()}


@dataclass(frozen=True, slots=True)
class DevOpsRun:
    """A run; `result` is None until its `state` is `completed`."""

    id: int
    link: str
    state: str
    result: str | None
    ref: str | None
    parameters: Mapping[str, str]
    variables: Mapping[str, str]

    @classmethod
    def read(cls, answer: Any, project: Project) -> Self:
        """From Azure DevOps' answer; raises ValueError, LookupError or TypeError for another shape."""
        run = require_object(answer, "a run")
        number = int(run["id"])
        web = (run.get("_links") or {}).get("web") or {}
        source = ((run.get("resources") or {}).get("repositories") or {}).get("self") or {}
        variables = run.get("variables") or {}
        return cls(
            id=number,
            link=str(web.get("href") or f"{project.address}/_build/results?buildId={number}"),
            state=require_text(run["state"], "the state of a run"),
            result=run.get("result"),
            ref=source.get("refName"),
            parameters={name: str(value) for name, value in (run.get("templateParameters") or {}).items()},
            variables={name: str(one.get("value")) for name, one in variables.items()},
        )


def find_pipeline(project: Project, name: str) -> DevOpsPipeline:
    """A pipeline by its id, its name, or its folder and name (`\\folder\\name`).

    Raises PermanentError when there is none, or more than one.
    """
    path, query = f"/build/definitions/{name}", {}
    if not name.isdecimal():
        folder, _, last = name.rpartition("\\")
        query = {"name": last, **({"path": f"\\{folder.removeprefix('\\')}"} if folder else {})}
        path = "/build/definitions"
    answer = project.send("GET", path, query=query)
    with translate_errors(f"reading the pipeline '{name}'"):
        found = require_object(answer.read_json(), "a pipeline")
        listed = require_list(found["value"], "the pipelines") if query else [found]
        pipelines = [DevOpsPipeline.read(one, read_answer_time(answer)) for one in listed]
    if not pipelines:
        raise PermanentError(f"the project '{project.name}' has no pipeline '{name}': correct `pipeline`")
    if len(pipelines) > 1:
        ids = ", ".join(str(one.id) for one in pipelines[:_MOST_PARTS])
        raise PermanentError(f"{len(pipelines)} pipelines have the name '{name}': write one of the ids {ids}")
    return pipelines[0]


def run_pipeline(project: Project, pipeline: int, body: Mapping[str, Any]) -> DevOpsRun:
    """Start a run; raises LostAnswerError when it may have been started all the same."""
    answer = project.send("POST", f"/pipelines/{pipeline}/runs", dict(body))
    with read_accepted_answer(f"starting the pipeline {pipeline}"):
        return DevOpsRun.read(answer.read_json(), project)


def preview_run(project: Project, pipeline: int, body: Mapping[str, Any]) -> None:
    """Let Azure DevOps check what a run would be started with; raises PermanentError as a start would."""
    project.send("POST", f"/pipelines/{pipeline}/runs", {**body, "previewRun": True})


def read_pipeline_run(project: Project, pipeline: int, run_id: int) -> DevOpsRun:
    """A run, as it is now."""
    with translate_errors(f"reading run {run_id} of the pipeline {pipeline}"):
        return DevOpsRun.read(project.get(f"/pipelines/{pipeline}/runs/{run_id}"), project)


def list_run_ids(project: Project, pipeline: int, since: datetime) -> list[int]:
    """The runs of a pipeline that were queued since a time, the newest first."""
    query = {
        "definitions": pipeline,
        "minTime": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "queryOrder": "queueTimeDescending",
        "$top": _MOST_RUNS,
    }
    with translate_errors(f"listing the runs of the pipeline {pipeline}"):
        answer = require_object(project.get("/build/builds", query), "the runs")
        return [int(one["id"]) for one in require_list(answer["value"], "the runs")]


def describe_failed_tasks(project: Project, run_id: int) -> str:
    """The tasks that made a run fail, each with its first error; empty when there is none."""
    with translate_errors(f"reading the timeline of run {run_id}"):
        answer = require_object(project.get(f"/build/builds/{run_id}/timeline"), "the timeline")
        records = [require_object(one, "a record") for one in require_list(answer["records"], "the records")]
    failed = [one for one in records if one.get("type") == "Task" and one.get("result") == "failed"]
    said = [f"'{one.get('name')}'{_find_error(one)}" for one in failed]
    more = len(said) - _MOST_PARTS
    return ", ".join(said[:_MOST_PARTS]) + (f" and {more} more" if more > 0 else "")


def _find_error(record: Mapping[str, Any]) -> str:
    issues = record.get("issues") or []
    texts = [one.get("message") for one in issues if isinstance(one, Mapping) and one.get("type") == "error"]
    return f": {texts[0]}" if texts else ""
