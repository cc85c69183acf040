"""The statuses of a job's run, each published as an event, and the runs of its steps.

A job whose tags hold `sandbox.outcome: Failed` (or Canceled) ends that way; so does one that a
`fail_operation` fault matches.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.routes import Failure
from sandbox.azure.workspace import Workspace

OUTCOME = "sandbox.outcome"
FINAL = frozenset({"Completed", "Failed", "Canceled"})
BEGINNING = {"NotStarted": 1, "Queued": 10, "Preparing": 30}
STEP, RUNNING, FINALIZING = 60, 60, 10


@dataclass(slots=True)
class Run:
    """One run; `properties` are the job's, whose status follows. `steps` are names of child runs."""

    id: str
    experiment: str
    kind: str
    properties: dict[str, Any]
    steps: list[str] = field(default_factory=list)
    task: asyncio.Task[Any] | None = None

    @property
    def status(self) -> str:
        """The status in the job's resource."""
        return str(self.properties["status"])


class Runs:
    """Executes runs and publishes their events."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._running: dict[str, Run] = {}

    async def execute(self, run: Run, failure: Failure | None = None) -> None:
        """Take a run from NotStarted to its end."""
        self._running[run.id] = run
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
        run = self._running.get(name)
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
        step = Run(str(uuid.uuid4()), parent.experiment, "azureml.StepRun", properties)
        for status in ("NotStarted", "Queued", "Running"):
            self._enter(step, status)
            await self._workspace.pace.sleep(STEP / 3)
        self._enter(step, outcome)

    def _enter(self, run: Run, status: str) -> None:
        run.properties["status"] = status
        experiment = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._workspace.id}/experiments/{run.experiment}"))
        content: dict[str, Any] = {
            "experimentId": experiment,
            "experimentName": run.experiment,
            "runId": run.id,
            "runType": run.kind,
            "runTags": dict(run.properties.get("tags") or {}),
            "runProperties": self._properties(run),
        }
        subject = f"experiments/{experiment}/runs/{run.id}"
        self._workspace.publish_event("RunStatusChanged", subject, {**content, "runStatus": status})
        if status == "Completed":
            self._workspace.publish_event("RunCompleted", subject, content)

    def _properties(self, run: Run) -> dict[str, str]:
        properties = dict(run.properties.get("properties") or {})
        inputs = run.properties.get("inputs") or {}
        if run.kind == "azureml.PipelineRun":
            literal = {name: value.get("value") for name, value in inputs.items() if isinstance(value, dict)}
            properties |= {"runType": "HTTP", "azureml.parameters": json.dumps(literal)}
        return properties
