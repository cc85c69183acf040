"""The history of runs, which Studio and azure-ai-ml ask: runs with their steps, by experiment.

Its requests are those of azure-ai-ml's own client (`_restclient/runhistory`). A query filters as azureml-core
does (`_odata`): `(CreatedUtc ge <time>)`, `(ParentRunId eq null)`, joined by `and`.
"""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.azure.errors import ArmError, not_found, user_error
from sandbox.azure.machine_learning.run_details import (
    OWNER,
    RunLogs,
    describe_details,
    find_compute,
    find_error,
)
from sandbox.azure.machine_learning.runs import Run, Runs
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import WORKSPACE_PATH

PATH = f"/history/v1.0{WORKSPACE_PATH}"
PAGE = 100
MODULE = "azureml.moduleName"
"""The property with the name of a step."""
COMPARISON = re.compile(r"\(?\s*(CreatedUtc|ParentRunId)\s+(ge|gt|eq|ne)\s+(\S+?)\s*\)?", re.IGNORECASE)
MEMBERS = {"createdutc": "createdUtc", "parentrunid": "parentRunId"}


class RunHistory:
    """Serves the experiments and the runs of the workspace."""

    def __init__(self, runs: Runs) -> None:
        self._runs, self._logs = runs, RunLogs(runs)

    def register(self, routes: Routes) -> None:
        """Serve the queries, a run, its details, its children, its logs, and an experiment."""
        self._logs.register(routes)
        for method, path, handler in (
            ("POST", "experiments:query", self._experiments),
            ("GET", "experimentids/{experiment}", self._experiment),
            ("POST", "experimentids/{experiment}/runs:query", self._by_experiment),
            ("GET", "runs/{run}", self._run),
            ("GET", "runs/{run}/details", self._details),
            ("GET", "runs/{run}/children", self._children),
        ):
            routes.add(method, f"{PATH}/{path}", handler, versioned=False)

    async def _experiments(self, call: Call) -> web.Response:
        return _answer(call, self._list_experiments(), await _query(call))

    async def _experiment(self, call: Call) -> web.Response:
        wanted = call.names["experiment"].lower()
        found = next((one for one in self._list_experiments() if one["experimentId"].lower() == wanted), None)
        if found is None:
            raise not_found(call.request.path)
        return web.json_response(found)

    async def _by_experiment(self, call: Call) -> web.Response:
        wanted, query = call.names["experiment"].lower(), await _query(call)
        runs = [run for run in self._runs.all_runs() if run.experiment_id.lower() == wanted]
        return _answer(call, _filtered(map(self._show, runs), query), query)

    async def _run(self, call: Call) -> web.Response:
        return web.json_response(self._show(self._named(call)))

    async def _details(self, call: Call) -> web.Response:
        run = self._named(call)
        logs = self._logs.list_logs(run, call.data_plane)
        return web.json_response(describe_details(run, self._runs, logs))

    async def _children(self, call: Call) -> web.Response:
        parent = self._named(call).id
        given = {name.lstrip("$").lower(): value for name, value in call.request.query.items()}
        query = {"continuationToken": given.get("continuationtoken"), "top": given.get("top")}
        children = [self._show(run) for run in self._runs.all_runs() if run.parent == parent]
        return _answer(call, children, query)

    def _named(self, call: Call) -> Run:
        run = self._runs.find(call.names["run"])
        if run is None:
            raise not_found(call.request.path)
        return run

    def _show(self, run: Run) -> dict[str, Any]:
        """A run as the service gives it."""
        times = {"createdUtc": run.created, "startTimeUtc": run.started, "endTimeUtc": run.ended}
        return {
            "runId": run.id,
            "rootRunId": run.root or run.id,
            "parentRunId": run.parent,
            "experimentId": run.experiment_id,
            "status": run.status,
            "runType": run.kind,
            "displayName": run.properties.get("displayName") or run.own_properties.get(MODULE) or run.id,
            "tags": run.tags,
            "properties": run.own_properties,
            "hidden": False,
            "target": find_compute(run),
            "createdBy": OWNER,
            "error": find_error(run, self._runs),
            **{name: moment and moment.isoformat() for name, moment in times.items()},
        }

    def _list_experiments(self) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for run in self._runs.all_runs():
            found.setdefault(
                run.experiment_id,
                {
                    "experimentId": run.experiment_id,
                    "name": run.experiment,
                    "createdUtc": run.created.isoformat(),
                    "tags": {},
                },
            )
        return list(found.values())


async def _query(call: Call) -> dict[str, Any]:
    body = await call.body()
    if not isinstance(body, dict):
        raise ArmError(400, "UserError", "A value is required but was not present in the request.")
    return body


def _filtered(runs: Iterable[dict[str, Any]], query: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that a filter asks for, in the order that it asks for, else the oldest first."""
    tests = [_comparison(part) for part in re.split(r"\s+and\s+", query.get("filter") or "") if part]
    found = [run for run in runs if all(test(run) for test in tests)]
    order = (query.get("orderBy") or "CreatedUtc asc").lower().split()
    return sorted(found, key=lambda run: str(run["createdUtc"]), reverse=order[1:] == ["desc"])


def _comparison(text: str) -> Callable[[dict[str, Any]], bool]:
    match = COMPARISON.fullmatch(text.strip())
    if match is None:
        raise user_error(f"The filter '{text}' is invalid.")
    member, verb, operand = MEMBERS[match[1].lower()], match[2].lower(), match[3]
    if verb in ("eq", "ne"):
        wanted = None if operand == "null" else operand.strip("'\"")
        return lambda run: (run[member] == wanted) == (verb == "eq")
    try:
        bound = datetime.fromisoformat(operand)
    except ValueError as error:
        raise user_error(f"'{operand}' in the filter is not a time.") from error
    return lambda run: (
        (moment := datetime.fromisoformat(run[member])) > bound or (verb == "ge" and moment == bound)
    )


def _answer(call: Call, items: list[dict[str, Any]], query: dict[str, Any]) -> web.Response:
    """One page; the token that leads to the next says nothing to callers."""
    first = _read_token(query.get("continuationToken"))
    last = first + min(int(query.get("top") or PAGE), PAGE)
    token = base64.urlsafe_b64encode(f"from {last}".encode()).decode() if last < len(items) else None
    link = str(call.request.url.update_query({"$continuationtoken": token})) if token else None
    return web.json_response({"value": items[first:last], "continuationToken": token, "nextLink": link})


def _read_token(token: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from ")) if token else 0
    except ValueError as error:
        raise user_error("The continuation token is invalid.") from error
