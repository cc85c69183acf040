"""A Data Factory made after the REST reference: pipelines, createRun, queryPipelineRuns, pipelineruns."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

from tests.unit.stand_ins import Answer, Request

ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-data"
    "/providers/Microsoft.DataFactory/factories/adf-retrain"
)
ROUTES = re.compile(
    re.escape(ID) + r"/(?:pipelines/(?P<pipeline>[^/?]+)(?P<create>/createRun)?"
    r"|(?P<query>queryPipelineRuns)|pipelineruns/(?P<run>[^/?]+))\?api-version=2018-06-01"
)
START = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


class FactoryStandIn:
    """`statuses` are what a run goes through, one a look; `next_answer` overrides one answer."""

    def __init__(self, pipelines: dict[str, list[str]]) -> None:
        self.pipelines = pipelines
        self.runs: list[dict[str, Any]] = []
        self.statuses = ["Succeeded"]
        self.message = ""
        self.now = START
        self.page = 100
        self.instead: dict[str, Callable[[], Answer]] = {}

    def add(self, parameters: dict[str, Any], invoked_by: str = "Manual", pipeline: str = "retrain") -> str:
        """A run that begins now; parameters are shown as text, as Data Factory does."""
        shown = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
        run = {
            "runId": str(uuid4()),
            "pipelineName": pipeline,
            "parameters": shown,
            "invokedBy": {"id": "i", "name": invoked_by, "invokedByType": invoked_by},
            "runStart": self.now.isoformat(),
            "lastUpdated": self.now.isoformat(),
            "status": "InProgress",
        }
        self.runs.append(run)
        return str(run["runId"])

    def __call__(self, request: Request) -> Answer:
        self.now += timedelta(seconds=1)
        answer = self._answer(request)
        date = {"Date": format_datetime(self.now, usegmt=True)}
        return replace(answer, headers={**date, **answer.headers})

    def _answer(self, request: Request) -> Answer:
        route = ROUTES.fullmatch(request.path)
        if not route or request.headers["Authorization"] != "Bearer t0ken":
            return _error(404 if not route else 401, "Unexpected", request.path)
        if route["query"]:
            return self._instead("query") or self._query(request.json)
        if route["run"]:
            return self._instead("run") or self._run(route["run"])
        if route["pipeline"] not in self.pipelines:
            return _error(404, "PipelineNotFound", f"no pipeline {route['pipeline']}")
        if route["create"]:
            return self._create(route["pipeline"], request)
        declared = {name: {"type": "String"} for name in self.pipelines[route["pipeline"]]}
        properties = {"parameters": declared, "activities": []}
        return self._instead("pipeline") or Answer(body={"name": route["pipeline"], "properties": properties})

    def _instead(self, what: str) -> Answer | None:
        given = self.instead.pop(what, None)
        return given() if given else None

    def _create(self, pipeline: str, request: Request) -> Answer:
        if "create" in self.instead:
            return self.instead.pop("create")()
        run_id = self.add(request.json if request.body else {}, pipeline=pipeline)
        return self._instead("created") or Answer(body={"runId": run_id})

    def _query(self, wanted: dict[str, Any]) -> Answer:
        names = next(f["values"] for f in wanted["filters"] if f["operand"] == "PipelineName")
        after, before = (datetime.fromisoformat(wanted[k]) for k in ("lastUpdatedAfter", "lastUpdatedBefore"))
        found = [
            run
            for run in self.runs
            if run["pipelineName"] in names and after <= datetime.fromisoformat(run["lastUpdated"]) <= before
        ]
        first = int(wanted.get("continuationToken") or 0)
        more = {"continuationToken": str(first + self.page)} if len(found) > first + self.page else {}
        return Answer(body={"value": found[first : first + self.page], **more})

    def _run(self, run_id: str) -> Answer:
        run = next((run for run in self.runs if run["runId"] == run_id), None)
        if run is None:
            return _error(404, "PipelineRunNotFound", run_id)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Answer(body={**run, "status": status, "message": self.message})


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


def refused(status: int, code: str, **headers: str) -> Callable[[], Answer]:
    """An answer that refuses, with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: Answer(status, {"error": {"code": code, "message": "said so"}}, named)


def lost() -> Answer:
    """The connection breaks: whether the request was carried out remains unknown."""
    return Answer(drop=True)
