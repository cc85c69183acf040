"""A data factory: its pipelines, and their runs."""

import uuid
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.azure.data_factory.pipeline_runs import FactoryRuns, query_runs
from sandbox.azure.errors import ArmError
from sandbox.azure.operations import Operations
from sandbox.azure.routes import Call, Failure, Routes
from sandbox.azure.workspace import FACTORY_ID, FACTORY_PATH
from sandbox.pace import Pace

TYPES = frozenset({"object", "string", "int", "float", "bool", "array", "securestring"})
PAGE = 100


class DataFactory:
    """Serves the factory. What Data Factory does about parameters it does not know is not documented;
    here they are kept with the run.
    """

    def __init__(self, pace: Pace, operations: Operations, location: str, id: str = FACTORY_ID) -> None:
        self._id = id
        self._pace = pace
        self._operations = operations
        self._location = location
        self._pipelines: dict[str, dict[str, Any]] = {}
        self._runs = FactoryRuns(pace)

    def register(self, routes: Routes) -> None:
        """Serve the factory, its pipelines and their runs."""
        routes.add("GET", FACTORY_PATH, self._factory)
        routes.add("GET", f"{FACTORY_PATH}/pipelines", self._list)
        routes.add("GET", f"{FACTORY_PATH}/pipelines/{{pipeline}}", self._get)
        routes.add("PUT", f"{FACTORY_PATH}/pipelines/{{pipeline}}", self._put)
        routes.add("DELETE", f"{FACTORY_PATH}/pipelines/{{pipeline}}", self._remove)
        routes.add("POST", f"{FACTORY_PATH}/pipelines/{{pipeline}}/createRun", self._create_run)
        routes.add("GET", f"{FACTORY_PATH}/pipelineruns/{{run}}", self._run)
        routes.add("POST", f"{FACTORY_PATH}/pipelineruns/{{run}}/cancel", self._cancel)
        routes.add("POST", f"{FACTORY_PATH}/pipelineruns/{{run}}/queryActivityruns", self._activities)
        routes.add("POST", f"{FACTORY_PATH}/queryPipelineRuns", self._query)

    def has(self, name: str) -> bool:
        """Whether there is a pipeline of this name."""
        return name.lower() in self._pipelines

    def add(self, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        """Create or replace a pipeline."""
        resource = {
            "id": f"{self._id}/pipelines/{name}",
            "name": name,
            "type": "Microsoft.DataFactory/factories/pipelines",
            "properties": properties,
            "etag": str(uuid.uuid4()),
        }
        self._pipelines[name.lower()] = resource
        return resource

    async def _factory(self, _: Call) -> web.Response:
        return web.json_response(
            {
                "id": self._id,
                "name": self._id.rpartition("/")[2],
                "type": "Microsoft.DataFactory/factories",
                "location": self._location,
                "tags": {},
                "properties": {"provisioningState": "Succeeded", "version": "2018-06-01"},
                "eTag": '"sandbox"',
            }
        )

    async def _list(self, _: Call) -> web.Response:
        return web.json_response({"value": list(self._pipelines.values())})

    async def _get(self, call: Call) -> web.Response:
        pipeline = self._named(call)
        if call.request.headers.get("If-None-Match", "").strip('"') == pipeline["etag"]:
            return web.Response(status=304)
        return web.json_response(pipeline)

    async def _put(self, call: Call) -> web.Response:
        body = await call.body()
        if not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
            raise ArmError(400, "BadRequest", "'properties' is required, and must be an object.")
        for name, parameter in (body["properties"].get("parameters") or {}).items():
            kind = parameter.get("type") if isinstance(parameter, dict) else None
            if str(kind).lower() not in TYPES:
                raise ArmError(400, "BadRequest", f"'properties.parameters.{name}.type' is {kind!r}.")
        return web.json_response(self.add(call.names["pipeline"], body["properties"]))

    async def _remove(self, call: Call) -> web.Response:
        gone = self._pipelines.pop(call.names["pipeline"].lower(), None)
        return web.Response(status=200 if gone else 204)

    async def _create_run(self, call: Call) -> web.Response:
        pipeline, given = self._named(call), await call.body()
        if given is not None and not isinstance(given, dict):
            raise ArmError(400, "BadRequest", "The body must be an object: a parameter's name to its value.")
        query = call.request.query
        again = (
            self._runs.find(query["referencePipelineRunId"]) if "referencePipelineRunId" in query else None
        )
        values = self._values(pipeline, given or {}) if again is None else dict(again.parameters)
        run = self._runs.add(pipeline["name"], values, again if query.get("isRecovery") == "true" else None)
        self._operations.start_task(self._runs.execute(run, call.failure or _asked(pipeline)))
        return web.json_response({"runId": run.id})

    def _values(self, pipeline: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        declared = pipeline["properties"].get("parameters") or {}
        values = {key: value["defaultValue"] for key, value in declared.items() if "defaultValue" in value}
        values |= given
        missing = [name for name in declared if name not in values]
        if missing:
            text = f"ErrorCode=InvalidTemplate, ErrorMessage=The parameter '{missing[0]}' has no value."
            raise ArmError(400, "BadRequest", text)
        return values

    async def _run(self, call: Call) -> web.Response:
        return web.json_response(self._runs.find(call.names["run"]).to_json())

    async def _cancel(self, call: Call) -> web.Response:
        run = self._runs.find(call.names["run"])
        if run.status in ("Queued", "InProgress"):
            self._operations.start_task(self._runs.cancel(run))
        return web.Response(status=200)

    async def _activities(self, call: Call) -> web.Response:
        run, pipeline = self._runs.find(call.names["run"]), self._pipelines
        activities = pipeline[run.pipeline.lower()]["properties"].get("activities") or []
        shown = run.to_json()
        status = {"runId": "pipelineRunId", "status": "status", "pipelineName": "pipelineName"}
        rows = [
            {"activityName": activity.get("name"), "activityType": activity.get("type"), "error": run.error()}
            | {to: shown[source] for source, to in status.items()}
            for activity in activities
        ]
        return web.json_response({"value": rows if run.status != "Queued" else []})

    async def _query(self, call: Call) -> web.Response:
        body = await call.body()
        if not isinstance(body, dict):
            raise ArmError(400, "BadRequest", "The body must be an object.")
        after, before = (_time(body, name) for name in ("lastUpdatedAfter", "lastUpdatedBefore"))
        found = [run for run in self._runs.all() if after <= run.updated <= before]
        found = query_runs(found, body)
        first = int(body.get("continuationToken") or 0)
        answer: dict[str, Any] = {"value": [run.to_json() for run in found[first : first + PAGE]]}
        if first + PAGE < len(found):
            answer["continuationToken"] = str(first + PAGE)
        return web.json_response(answer)

    def _named(self, call: Call) -> dict[str, Any]:
        pipeline = self._pipelines.get(call.names["pipeline"].lower())
        if pipeline is None:
            text = "The document could not be retrieved because it does not exist."
            raise ArmError(404, "PipelineNotFound", text)
        return pipeline


def _asked(pipeline: dict[str, Any]) -> Failure | None:
    """A pipeline with the annotation `sandbox.fails` fails each time."""
    fails = "sandbox.fails" in (pipeline["properties"].get("annotations") or [])
    return Failure("2200", "The pipeline has the annotation sandbox.fails.") if fails else None


def _time(body: dict[str, Any], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(str(body[name]))
    except KeyError as error:
        raise ArmError(400, "BadRequest", f"'{name}' is required.") from error
    except ValueError as error:
        raise ArmError(
            400, "BadRequest", f"'{name}' is '{body[name]}', which is not a valid time."
        ) from error
    if time.tzinfo is None:
        raise ArmError(400, "BadRequest", f"'{name}' is '{body[name]}', which has no offset.")
    return time
