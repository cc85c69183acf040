"""Jobs: submitting, reading, cancelling."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.azure.errors import not_found, user_error
from sandbox.azure.machine_learning.assets import Assets, page
from sandbox.azure.machine_learning.runs import Run, Runs
from sandbox.azure.operations import Operations, Work
from sandbox.azure.request_bodies import check_body
from sandbox.azure.routes import Call, Failure, Routes
from sandbox.azure.workspace import ML, WORKSPACE_PATH, Workspace

CHANGEABLE = frozenset({"description", "tags", "displayName", "properties", "isArchived"})
CANCEL = 10
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")
RUN_TYPES = {"Pipeline": "azureml.PipelineRun", "Sweep": "hyperdrive", "AutoML": "automl"}


class Jobs:
    """Serves the workspace's jobs. `names` gives the names that may be referred to, by kind."""

    def __init__(
        self,
        workspace: Workspace,
        operations: Operations,
        assets: Mapping[str, Assets],
        computes: Mapping[str, Any],
    ) -> None:
        self._workspace = workspace
        self._operations = operations
        self._assets = assets
        self._computes = computes
        self.runs = Runs(workspace)
        self._jobs: dict[str, dict[str, Any]] = {}

    def register(self, routes: Routes) -> None:
        """Serve the jobs and what can be done with each."""
        path = f"{WORKSPACE_PATH}/jobs"
        routes.add("GET", path, self._list)
        routes.add("GET", f"{path}/{{job}}", self._get)
        routes.add("PUT", f"{path}/{{job}}", self._put)
        routes.add("POST", f"{path}/{{job}}/cancel", self._cancel)

    def submit(self, name: str, body: dict[str, Any], failure: Failure | None = None) -> dict[str, Any]:
        """Start a job; raises ArmError when the body is refused. The steps follow their parent."""
        if not NAME.fullmatch(name):
            raise user_error(f"The job name '{name}' is invalid.")
        check_body("jobs", body)
        properties = {key: value for key, value in body["properties"].items() if value is not None}
        self._check_references(properties)
        job = self._jobs[name] = self._resource(name, properties)
        shown = job["properties"]
        kind = shown["properties"]["azureml.runsource"]
        run = Run(name, shown["experimentName"], kind, shown, self._steps(properties))
        self._operations.start_task(self.runs.execute(run, failure))
        return job

    def _resource(self, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        kind = RUN_TYPES.get(properties["jobType"], "azureml.scriptrun")
        return {
            "id": f"{self._workspace.id}/jobs/{name}",
            "name": name,
            "type": f"{ML}/workspaces/jobs",
            "properties": {
                "tags": {},
                "isArchived": False,
                "services": _services(self._workspace.id, name),
                **properties,
                "experimentName": properties.get("experimentName") or "Default",
                "displayName": properties.get("displayName") or name,
                "properties": {**(properties.get("properties") or {}), "azureml.runsource": kind},
                "status": "NotStarted",
            },
            "systemData": self._workspace.system_data(),
        }

    def _steps(self, properties: dict[str, Any]) -> list[str]:
        if properties["jobType"] != "Pipeline":
            return []
        component = self._assets["components"].find(properties.get("componentId") or "")
        spec = (component or {"properties": {}})["properties"].get("componentSpec") or {}
        return list(properties.get("jobs") or spec.get("jobs") or {})

    def _check_references(self, properties: dict[str, Any]) -> None:
        steps = properties.get("jobs") or {}
        components = [
            properties.get("componentId"),
            *(_member(step, "componentId") for step in steps.values()),
        ]
        for component in components:
            if self._assets["components"].is_missing(component):
                raise user_error(f"The component {component} was not found.", ResourceNotFound=str(component))
        settings = properties.get("settings") or {}
        computes = [properties.get("computeId"), settings.get("default_compute")]
        for compute in [*computes, *(_member(step, "computeId") for step in steps.values())]:
            name = (compute or "serverless").rsplit("/", 1)[-1].lower()
            if name != "serverless" and name not in self._computes:
                raise user_error(f"Unknown compute target '{name}'.")
        self._check_inputs(properties)

    def _check_inputs(self, properties: dict[str, Any]) -> None:
        component = self._assets["components"].find(properties.get("componentId") or "")
        spec = (component or {"properties": {}})["properties"].get("componentSpec") or {}
        for name, wanted in (spec.get("inputs") or {}).items():
            optional = str(wanted.get("optional")).lower() == "true" or wanted.get("default") is not None
            if not optional and name not in (properties.get("inputs") or {}):
                raise user_error(f"The required input '{name}' of the component has no value.")

    async def _list(self, call: Call) -> web.Response:
        query = call.request.query
        jobs = [job for job in reversed(self._jobs.values()) if _wanted(job["properties"], query)]
        return page(call, jobs)

    async def _get(self, call: Call) -> web.Response:
        return web.json_response(self._named(call))

    async def _put(self, call: Call) -> web.Response:
        name, body = call.names["job"], await call.body()
        if name not in self._jobs:
            return web.json_response(self.submit(name, body, call.failure), status=201)
        check_body("jobs", body)
        job = self._jobs[name]
        wanted = {key: value for key, value in body["properties"].items() if value is not None}
        for key, value in wanted.items():
            if key not in CHANGEABLE and json.dumps(job["properties"].get(key)) != json.dumps(value):
                raise user_error(
                    f"A job with the name '{name}' already exists, and its '{key}' differs. Of an existing "
                    f"job only {', '.join(sorted(CHANGEABLE))} can be changed: submit under another name."
                )
        kept = {**job["properties"]["properties"], **(wanted.get("properties") or {})}
        job["properties"] |= {key: wanted[key] for key in CHANGEABLE & set(wanted)} | {"properties": kept}
        return web.json_response(job)

    async def _cancel(self, call: Call) -> web.Response:
        job = self._named(call)
        run = self.runs.cancel(job["name"])

        def done() -> None:
            if run:
                self.runs.canceled(run)

        operation = self._operations.begin(Work("jc", CANCEL, done), call.failure)
        return self._operations.answer_location(call, operation)

    def _named(self, call: Call) -> dict[str, Any]:
        job = self._jobs.get(call.names["job"])
        if job is None:
            raise not_found(call.request.path, "UserError")
        return job


def _member(step: Any, name: str) -> str | None:
    value = step.get(name) if isinstance(step, dict) else None
    return value if isinstance(value, str) else None


def _wanted(properties: dict[str, Any], query: Mapping[str, str]) -> bool:
    view = query.get("listViewType", "ActiveOnly").lower()
    name, _, value = query.get("tag", "").partition("=")
    tags = properties.get("tags") or {}
    return (
        (view == "all" or bool(properties.get("isArchived")) == (view == "archivedonly"))
        and query.get("jobType", properties["jobType"]).lower() == properties["jobType"].lower()
        and (not name or (name in tags and (not value or tags[name] == value)))
    )


def _services(workspace: str, name: str) -> dict[str, Any]:
    empty = {"port": None, "status": None, "errorMessage": None, "properties": None, "nodes": None}
    tracking = f"azureml://westeurope.api.azureml.ms/mlflow/v1.0{workspace}?"
    studio = f"https://ml.azure.com/runs/{name}?wsid={workspace}&tid={uuid.UUID(int=0)}"
    return {
        kind: {**empty, "jobServiceType": kind, "endpoint": endpoint}
        for kind, endpoint in {"Tracking": tracking, "Studio": studio}.items()
    }
