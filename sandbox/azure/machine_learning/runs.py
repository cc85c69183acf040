"""The statuses of a job's run, each published as an event, and the runs of its steps.

A job whose tags hold `sandbox.outcome: Failed` (or Canceled) ends that way; so does one that a
`fail_operation` fault matches.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.azure.routes import Failure
from sandbox.azure.workspace import Workspace

OUTCOME = "sandbox.outcome"
FINAL = frozenset({"Completed", "Failed", "Canceled"})
BEGINNING = {"NotStarted": 1, "Queued": 10, "Preparing": 30}
STEP, RUNNING, FINALIZING = 60, 60, 10


@dataclass(slots=True)
class Run:
    """One run; `properties` are the job's, whose status follows. `steps` are names of child runs.

    `parent` is the run above it, and `root` the topmost one. It has started when it is Running.
    """

    id: str
    experiment: str
    kind: str
    properties: dict[str, Any]
    steps: list[str] = field(default_factory=list)
    task: asyncio.Task[Any] | None = None
    parent: str | None = None
    experiment_id: str = ""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def status(self) -> str:
        """The status in the job's resource."""
        return str(self.properties["status"])

    @property
    def root(self) -> str | None:
        """The topmost run: here a step's parent has none above it."""
        return self.parent

    @property
    def tags(self) -> dict[str, str]:
        """The tags that it has now."""
        return dict(self.properties.get("tags") or {})

    @property
    def own_properties(self) -> dict[str, str]:
        """The properties, with those that a pipeline's run has besides."""
        properties = dict(self.properties.get("properties") or {})
        if self.kind == "azureml.PipelineRun" and "jobType" in self.properties:
            inputs = self.properties.get("inputs") or {}
            literal = {name: value.get("value") for name, value in inputs.items() if isinstance(value, dict)}
            properties |= {"runType": "HTTP", "azureml.parameters": json.dumps(literal)}
        return properties

    def enter(self, status: str, now: datetime) -> None:
        """Take a status, and remember when the run started and ended."""
        self.properties["status"] = status
        if status == "Running" and self.started is None:
            self.started = now
        if status in FINAL:
            self.ended = now


class Runs:
    """Executes runs and publishes their events."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._runs: dict[str, Run] = {}

    def all_runs(self) -> list[Run]:
        """Every run, steps too, the oldest first."""
        return list(self._runs.values())

    def find(self, name: str) -> Run | None:
        """The run or step with this id."""
        return self._runs.get(name)

    def announce(self, run: Run, now: datetime) -> None:
        """Remember a run by an event that someone published, in place of what was known of it."""
        known = self._runs.get(run.id)
        if known is not None and known.task is not None:
            return  # it is a job of this workspace, which publishes its own events
        run.experiment_id = run.experiment_id or experiment_id(self._workspace.id, run.experiment)
        run.created, run.started = (known.created, known.started) if known else (now, None)
        run.enter(run.status, now)
        self._runs[run.id] = run

    async def execute(self, run: Run, failure: Failure | None = None) -> None:
        """Take a run from NotStarted to its end."""
        run.task = asyncio.current_task()
        for status, seconds in BEGINNING.items():
            self._enter(run, status)
            await self._workspace.pace.sleep(seconds)
        self._enter(run, "Running")
        outcome = self._outcome(run, failure)
        for step in run.steps:
            await self._step(run, step, outcome if step == run.steps[-1] else "Completed")
        await self._workspace.pace.sleep(0 if run.steps else RUNNING)
        self._enter(run, "Finalizing")
        await self._workspace.pace.sleep(FINALIZING)
        self._enter(run, outcome)

    def cancel(self, name: str) -> Run | None:
        """Stop a run that has not ended; the caller calls `canceled` later."""
        run = self._runs.get(name)
        if run is None or run.status in FINAL or run.task is None:
            return None
        run.task.cancel()
        self._enter(run, "CancelRequested")
        return run

    def canceled(self, run: Run) -> None:
        """A cancelled run has come to its end."""
        self._enter(run, "Canceled")

    def _outcome(self, run: Run, failure: Failure | None) -> str:
        asked = (run.properties.get("tags") or {}).get(OUTCOME, "")
        if failure:
            run.properties["properties"]["azureml.errorCode"] = failure.code
            run.properties["properties"]["azureml.errorMessage"] = failure.message
            return "Failed"
        return asked if asked in FINAL else "Completed"

    async def _step(self, parent: Run, name: str, outcome: str) -> None:
        tags = {"azureml.pipelinerunid": parent.id, "azureml.nodename": name}
        properties = {"tags": tags, "properties": {"azureml.moduleName": name}, "status": "NotStarted"}
        step = Run(str(uuid.uuid4()), parent.experiment, "azureml.StepRun", properties, parent=parent.id)
        for status in ("NotStarted", "Queued", "Running"):
            self._enter(step, status)
            await self._workspace.pace.sleep(STEP / 3)
        self._enter(step, outcome)

    def _enter(self, run: Run, status: str) -> None:
        run.experiment_id = run.experiment_id or experiment_id(self._workspace.id, run.experiment)
        self._runs.setdefault(run.id, run)
        run.enter(status, self._workspace.pace.now())
        content: dict[str, Any] = {
            "experimentId": run.experiment_id,
            "experimentName": run.experiment,
            "runId": run.id,
            "runType": run.kind,
            "runTags": run.tags,
            "runProperties": run.own_properties,
        }
        subject = f"experiments/{run.experiment_id}/runs/{run.id}"
        self._workspace.publish_event("RunStatusChanged", subject, {**content, "runStatus": status})
        if status == "Completed":
            self._workspace.publish_event("RunCompleted", subject, content)


def experiment_id(workspace: str, name: str) -> str:
    """The id of the experiment with this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{workspace}/experiments/{name}"))
