"""Runs of Data Factory pipelines: their statuses, and the queries that find them."""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.azure.routes import Failure
from sandbox.azure.workspace import FACTORY_ID
from sandbox.pace import Pace

QUEUED, RUNNING, CANCELLING = 5, 120, 10
FINAL = frozenset({"Succeeded", "Failed", "Cancelled"})


@dataclass(slots=True)
class FactoryRun:
    """One run of a pipeline. Runs of one `group` are a run and its recoveries."""

    id: str
    group: str
    pipeline: str
    parameters: dict[str, Any]
    started: datetime
    updated: datetime
    ended: datetime | None = None
    status: str = "Queued"
    message: str = ""
    latest: bool = True
    task: asyncio.Task[Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The run as Data Factory returns it; its parameters are texts."""
        took = (self.ended - self.started).total_seconds() if self.ended else None
        return {
            "id": f"{FACTORY_ID}/pipelineruns/{self.id}",
            "runId": self.id,
            "runGroupId": self.group,
            "isLatest": self.latest,
            "debugRunId": None,
            "pipelineName": self.pipeline,
            "parameters": {name: _text(value) for name, value in self.parameters.items()},
            "invokedBy": {"id": self.id.replace("-", ""), "name": "Manual", "invokedByType": "Manual"},
            "runStart": self.started.isoformat(),
            "runEnd": self.ended.isoformat() if self.ended else None,
            "durationInMs": None if took is None else round(took * 1000),
            "status": self.status,
            "message": self.message,
            "lastUpdated": self.updated.isoformat(),
            "annotations": [],
            "runDimension": {},
        }

    def error(self) -> dict[str, str]:
        """The error of its last activity."""
        return {"errorCode": "", "message": self.message, "failureType": "", "target": ""}


class FactoryRuns:
    """Every run of the factory."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._runs: dict[str, FactoryRun] = {}

    def all(self) -> list[FactoryRun]:
        """Every run, oldest first."""
        return list(self._runs.values())

    def find(self, name: str) -> FactoryRun:
        """The run of this id; raises ArmError 404."""
        run = self._runs.get(name.lower())
        if run is None:
            raise ArmError(404, "PipelineRunNotFound", f"The pipeline run '{name}' could not be found.")
        return run

    def add(self, pipeline: str, parameters: dict[str, Any], again: FactoryRun | None) -> FactoryRun:
        """A new run; `again` is the one that it recovers."""
        now = self._pace.now()
        name = str(uuid.uuid4())
        run = self._runs[name] = FactoryRun(
            name, again.group if again else name, pipeline, parameters, now, now
        )
        if again:
            again.latest = False
        return run

    async def execute(self, run: FactoryRun, failure: Failure | None = None) -> None:
        """Take a run from Queued to its end."""
        run.task = asyncio.current_task()
        await self._pace.sleep(QUEUED)
        self._enter(run, "InProgress")
        await self._pace.sleep(RUNNING)
        if failure:
            run.message = f"Operation on target failed: ErrorCode={failure.code}, {failure.message}"
        self._enter(run, "Failed" if failure else "Succeeded")

    async def cancel(self, run: FactoryRun) -> None:
        """Stop a run that has not ended."""
        if run.task:
            run.task.cancel()
        self._enter(run, "Canceling")
        await self._pace.sleep(CANCELLING)
        self._enter(run, "Cancelled")

    def _enter(self, run: FactoryRun, status: str) -> None:
        run.status = status
        run.updated = self._pace.now()
        run.ended = run.updated if status in FINAL else None


OPERANDS: Mapping[str, Callable[[FactoryRun], str]] = {
    "pipelinename": lambda run: run.pipeline,
    "status": lambda run: run.status,
    "runstart": lambda run: run.started.isoformat(),
    "runend": lambda run: run.ended.isoformat() if run.ended else "",
    "rungroupid": lambda run: run.group,
    "latestonly": lambda run: str(run.latest).lower(),
}
OPERATORS: Mapping[str, Callable[[str, list[str]], bool]] = {
    "equals": lambda value, wanted: value == wanted[0],
    "notequals": lambda value, wanted: value != wanted[0],
    "in": lambda value, wanted: value in wanted,
    "notin": lambda value, wanted: value not in wanted,
}


def query_runs(runs: list[FactoryRun], query: Mapping[str, Any]) -> list[FactoryRun]:
    """The runs that pass every filter, in the requested order; raises ArmError."""
    for condition in query.get("filters") or []:
        operand = _of(OPERANDS, condition, "operand")
        operator = _of(OPERATORS, condition, "operator")
        values = [str(value).lower() for value in condition.get("values") or []]
        if not values:
            raise ArmError(400, "BadRequest", "'filters.values' is required, and must not be empty.")
        runs = [run for run in runs if operator(operand(run).lower(), values)]
    for order in reversed(query.get("orderBy") or []):
        key = _of(OPERANDS, order, "orderBy")
        runs = sorted(runs, key=key, reverse=str(order.get("order")).upper() == "DESC")
    return runs


def _of[T](known: Mapping[str, T], given: Mapping[str, Any], name: str) -> T:
    found = known.get(str(given.get(name)).lower())
    if found is None:
        raise ArmError(
            400, "BadRequest", f"'{name}' is {given.get(name)!r}, which pipeline runs do not have."
        )
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
