"""Azure DevOps: organizations with projects, their pipelines, and who may use them.

In the sandbox every organization, project and pipeline exists; a pipeline takes any parameter. What is
started is listed in the inbox.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.azure.identity import Identity, TokenError
from sandbox.devops.answers import DevOpsError, ask_to_sign_in
from sandbox.devops.call import DevOpsCall
from sandbox.devops.pipeline_runs import LOOKS, PipelineRun, PipelineRuns
from sandbox.devops.work_items import create_work_item, query_work_items, read_work_item_type
from sandbox.inboxes.inbox import Inbox
from sandbox.outside_service import OutsideService

HOST = "dev.azure.com"
AUDIENCE = "499b84ac-1321-427f-aa17-267ca6975798"
SANDBOX_PAT = "a token of the sandbox"


type Answer = Callable[["DevOps", DevOpsCall], web.Response]


@dataclass
class DevOps(OutsideService):
    """Azure DevOps; `projects` are those that exist, by organization and name, or None for all."""

    inbox: Inbox
    identity: Identity | None = None
    tokens: set[str] = field(default_factory=lambda: {SANDBOX_PAT})
    projects: dict[str, PipelineRuns] | None = None
    refused: str = ""
    _open: dict[str, PipelineRuns] = field(default_factory=dict)

    def serves(self, request: web.Request) -> bool:
        """Whether the request is to its host."""
        return request.url.host == HOST

    async def answer(self, request: web.Request) -> web.Response:
        """The answer to any request."""
        if not self._is_known(request.headers.get("Authorization")):
            return ask_to_sign_in(request)
        try:
            return self._answer(request, json.loads(await request.read() or b"{}"))
        except DevOpsError as error:
            return error.answer()
        except ValueError:
            return DevOpsError(400, "The body is not JSON.").answer()

    def _is_known(self, authorization: str | None) -> bool:
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            try:
                return b64decode(value, validate=True).decode().partition(":")[2] in self.tokens
            except (binascii.Error, UnicodeDecodeError):
                return False
        try:
            return self.identity is not None and bool(self.identity.check(authorization, (AUDIENCE,)))
        except TokenError:
            return False

    def _answer(self, request: web.Request, body: Any) -> web.Response:
        if "api-version" not in request.query:
            text = f'No api-version was supplied for the "{request.method}" request.'
            raise DevOpsError(400, text, "VssVersionNotSpecifiedException")
        if self.refused and request.method == "POST":
            raise DevOpsError(403, self.refused, "AccessDeniedException")
        if found := re.fullmatch(r"/([^/]+)/_apis/projects/([^/]+)", request.path):
            self._find(f"{found[1]}/{found[2]}")
            return web.json_response({"id": "1", "name": found[2], "state": "wellFormed"})
        for method, pattern, answer in ROUTES:
            found = re.fullmatch(r"/(?P<place>[^/]+/[^/]+)/_apis" + pattern, request.path)
            if found and method == request.method:
                kind = request.content_type
                place, part = found["place"], found.groupdict().get("part") or ""
                address = f"https://{HOST}/{place}"
                runs = self._find(place)
                call = DevOpsCall(address, place, runs, part, request.query, kind, body, self.inbox)
                return answer(self, call)
        raise DevOpsError(404, f"No resource is at {request.path}.")

    def _find(self, place: str) -> PipelineRuns:
        if self.projects is None:
            return self._open.setdefault(place, PipelineRuns())
        for known, runs in self.projects.items():
            if known.lower() == place.lower():
                return runs
        name = place.partition("/")[2]
        text = f"TF200016: The following project does not exist: {name}. Verify that the name is correct."
        raise DevOpsError(404, text, "ProjectDoesNotExistWithNameException")

    def list_definitions(self, call: DevOpsCall) -> web.Response:
        """`GET …/build/definitions?name=`."""
        found = call.runs.find(call.query.get("name"), call.query.get("path"))
        listed = [{"id": one.id, "name": one.name, "queueStatus": one.status} for one in found]
        return web.json_response({"count": len(listed), "value": listed})

    def read_definition(self, call: DevOpsCall) -> web.Response:
        """`GET …/build/definitions/{id}`."""
        one = call.runs.get(int(call.part))
        return web.json_response({"id": one.id, "name": one.name, "queueStatus": one.status})

    def start(self, call: DevOpsCall) -> web.Response:
        """`POST …/pipelines/{id}/runs`."""
        pipeline = call.runs.get(int(call.part))
        run = call.runs.start(pipeline, call.body)
        if run is None:
            return web.json_response({"finalYaml": "steps: []"})
        call.put(f"pipeline {pipeline.name} at {run.ref}")
        return web.json_response(_describe(call, run))

    def read_run(self, call: DevOpsCall) -> web.Response:
        """`GET …/pipelines/{id}/runs/{run}`: each look takes the run further."""
        pipeline, _, number = call.part.partition("/runs/")
        run = call.runs.get_run(int(number))
        if run.pipeline.id != int(pipeline):
            raise DevOpsError(404, f"The run {number} is not of the pipeline {pipeline}.")
        answer = web.json_response(_describe(call, run))
        run.looks += 1
        return answer

    def list_builds(self, call: DevOpsCall) -> web.Response:
        """`GET …/build/builds`; a list has no parameters of the runs."""
        listed = call.runs.list_runs(int(call.query["definitions"]), call.query.get("minTime"))
        runs = [{"id": run.id, "status": "notStarted"} for run in listed[: int(call.query.get("$top", 100))]]
        return web.json_response({"count": len(runs), "value": runs})

    def read_timeline(self, call: DevOpsCall) -> web.Response:
        """`GET …/build/builds/{id}/timeline`."""
        failed = call.runs.get_run(int(call.part)).result == "failed"
        issues = [{"type": "error", "message": "promote.sh ended with 1"}] if failed else []
        task = {"type": "Task", "name": "Promote", "result": "failed" if failed else "succeeded"}
        stage = {"type": "Stage", "name": "Deploy", "result": task["result"]}
        return web.json_response({"records": [stage, {**task, "issues": issues}]})


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/build/definitions", DevOps.list_definitions),
    ("GET", r"/build/definitions/(?P<part>[0-9]+)", DevOps.read_definition),
    ("POST", r"/pipelines/(?P<part>[0-9]+)/runs", DevOps.start),
    ("GET", r"/pipelines/(?P<part>[0-9]+/runs/[0-9]+)", DevOps.read_run),
    ("GET", "/build/builds", DevOps.list_builds),
    ("GET", r"/build/builds/(?P<part>[0-9]+)/timeline", DevOps.read_timeline),
    ("POST", "/wit/wiql", query_work_items),
    ("POST", r"/wit/workitems/\$(?P<part>[^/]+)", create_work_item),
    ("GET", r"/wit/workitemtypes/(?P<part>[^/]+)", read_work_item_type),
)


def _describe(call: DevOpsCall, run: PipelineRun) -> dict[str, Any]:
    """A run as Azure DevOps describes it, as far as the app reads it."""
    completed = run.looks >= LOOKS
    return {
        "id": run.id,
        "name": f"20260102.{run.id}",
        "state": "completed" if completed else "inProgress",
        **({"result": run.result} if completed else {}),
        "createdDate": run.created.isoformat(),
        "pipeline": {"id": run.pipeline.id, "name": run.pipeline.name},
        "resources": {"repositories": {"self": {"refName": run.ref}}},
        "templateParameters": dict(run.parameters),
        "variables": dict(run.variables),
        "_links": {"web": {"href": f"{call.address}/_build/results?buildId={run.id}"}},
    }
