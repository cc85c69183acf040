"""GitHub's REST API: repositories with workflows, and the tokens that may use them.

In the sandbox every repository exists, and every workflow of it, which takes any input and shows the step's
key in its name. What is dispatched is listed in the inbox.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.github.answers import GitHubError, not_found_error, require_keys
from sandbox.github.call import GitHubCall
from sandbox.github.callers import GitHubCallers
from sandbox.github.issues import create_issue, list_issues
from sandbox.github.workflow_file import FOLDER
from sandbox.github.workflow_runs import WorkflowRuns
from sandbox.inboxes.inbox import Inbox
from sandbox.outside_service import OutsideService

HOST = "api.github.com"
SERVER_PATH = "/api/v3"
"""Where the API is on GitHub Enterprise Server."""
API = r"/repos/(?P<repository>[^/]+/[^/]+)"
PAGE = 30


type Answer = Callable[[GitHubCall], web.Response]


@dataclass
class GitHub(OutsideService):
    """GitHub; `repositories` are those that exist, or None for all."""

    inbox: Inbox
    callers: GitHubCallers = field(default_factory=GitHubCallers)
    repositories: dict[str, WorkflowRuns] | None = None
    _open: dict[str, WorkflowRuns] = field(default_factory=dict)

    def serves(self, request: web.Request) -> bool:
        """Whether the request is to its host."""
        return request.url.host == HOST

    async def answer(self, request: web.Request) -> web.Response:
        """The answer to any request."""
        try:
            return self._answer(request, json.loads(await request.read() or b"{}"))
        except GitHubError as error:
            return error.answer()
        except ValueError:
            return GitHubError(400, "Problems parsing JSON").answer()

    def _answer(self, request: web.Request, body: Any) -> web.Response:
        if not request.headers.get("User-Agent"):
            raise GitHubError(403, "Request forbidden by administrative rules.")
        path = request.path.removeprefix(SERVER_PATH)
        if answer := self._answer_app(request, path, body):
            return answer
        caller = self.callers.find(request.headers.get("Authorization"))
        if path == "/user":
            if caller.is_app:
                raise GitHubError(403, "Resource not accessible by integration")
            return web.json_response({"login": caller.login})
        for method, pattern, answer_call in ROUTES:
            found = re.fullmatch(API + pattern, path)
            if found and method == request.method:
                name = found["repository"]
                part = found.groupdict().get("part") or ""
                call = GitHubCall(caller, name, self._find(name), part, request.query, body, self.inbox)
                return answer_call(self, call)
        raise not_found_error()

    def _answer_app(self, request: web.Request, path: str, body: Any) -> web.Response | None:
        """The answer to a GitHub App about its installation; None for any other request."""
        authorization = request.headers.get("Authorization")
        if found := re.fullmatch(API + "/installation", path):
            self.callers.require_app(authorization)
            self._find(found["repository"])
            self._owner = found["repository"].partition("/")[0]
            return web.json_response(self.callers.describe_installation())
        if re.fullmatch(r"/app/installations/42/access_tokens", path):
            self.callers.require_app(authorization)
            return web.json_response(self.callers.issue(self._owner, body), status=201)
        return None

    def _find(self, name: str) -> WorkflowRuns:
        if self.repositories is None:
            return self._open.setdefault(name, WorkflowRuns())
        for known, runs in self.repositories.items():
            if known.lower() == name.lower():
                return runs
        raise not_found_error()

    def read_repository(self, call: GitHubCall) -> web.Response:
        """`GET /repos/{owner}/{repo}`."""
        call.require("metadata", "read")
        private = {"private": True, "visibility": "private", "default_branch": "main"}
        return web.json_response({"full_name": call.repository, **private})

    def read_workflow(self, call: GitHubCall) -> web.Response:
        """`GET …/actions/workflows/{id}`."""
        call.require("actions", "read")
        file = call.runs.find(call.part)
        return web.json_response({"id": file.id, "path": f"{FOLDER}{file.name}", "state": file.state})

    def dispatch(self, call: GitHubCall) -> web.Response:
        """`POST …/actions/workflows/{id}/dispatches`."""
        call.require("actions", "write")
        details = ("return_run_details",) if call.runs.names_runs else ()
        body = require_keys(call.body, ("ref",), ("inputs", *details))
        file = call.runs.find(call.part)
        run = call.runs.dispatch(file, body, call.caller.login)
        call.put(f"workflow {file.name} at {run.branch}")
        if not body.get("return_run_details"):
            return web.Response(status=204)
        link = f"https://github.com/{call.repository}/actions/runs/{run.id}"
        address = f"https://{HOST}/repos/{call.repository}/actions/runs/{run.id}"
        return web.json_response({"workflow_run_id": run.id, "run_url": address, "html_url": link})

    def raise_event(self, call: GitHubCall) -> web.Response:
        """`POST …/dispatches`."""
        call.require("contents", "write")
        body = require_keys(call.body, ("event_type",), ("client_payload",))
        call.runs.raise_event(body, call.caller.login)
        call.put(f"event {body['event_type']}")
        return web.Response(status=204)

    def list_runs(self, call: GitHubCall) -> web.Response:
        """`GET …/actions/runs`, and those of one workflow."""
        call.require("actions", "read")
        workflow = call.runs.find(call.part).name if call.part else None
        found = list(call.runs.list_runs(call.query.get("event"), call.query.get("created"), workflow))
        size, page = int(call.query.get("per_page", PAGE)), int(call.query.get("page", 1))
        listed = found[size * (page - 1) : size * page]
        runs = [run.describe(call.repository) for run in listed]
        return web.json_response({"total_count": len(found), "workflow_runs": runs})

    def read_run(self, call: GitHubCall) -> web.Response:
        """`GET …/actions/runs/{id}`: each look takes the run a state further."""
        call.require("actions", "read")
        run = call.runs.get(int(call.part))
        answer = web.json_response(run.describe(call.repository))
        run.advance()
        return answer

    def list_jobs(self, call: GitHubCall) -> web.Response:
        """`GET …/actions/runs/{id}/jobs`."""
        call.require("actions", "read")
        run = call.runs.get(int(call.part))
        link = f"https://github.com/{call.repository}/actions/runs/{run.id}/job"
        jobs = [
            {"name": name, "conclusion": conclusion, "html_url": f"{link}/{number}"}
            for number, (name, conclusion) in enumerate((("build", "success"), ("promote", run.conclusion)))
        ]
        return web.json_response({"total_count": len(jobs), "jobs": jobs})

    def read_file(self, call: GitHubCall) -> web.Response:
        """`GET …/contents/{path}`, as it is."""
        call.require("contents", "read")
        return web.Response(text=call.runs.find(call.part.removeprefix(FOLDER)).text)


ROUTES: tuple[tuple[str, str, Callable[[GitHub, GitHubCall], web.Response]], ...] = (
    ("GET", "", GitHub.read_repository),
    ("POST", "/dispatches", GitHub.raise_event),
    ("GET", r"/contents/(?P<part>.+)", GitHub.read_file),
    ("GET", r"/actions/workflows/(?P<part>[^/]+)", GitHub.read_workflow),
    ("POST", r"/actions/workflows/(?P<part>[^/]+)/dispatches", GitHub.dispatch),
    ("GET", r"/actions/workflows/(?P<part>[^/]+)/runs", GitHub.list_runs),
    ("GET", "/actions/runs", GitHub.list_runs),
    ("GET", "/issues", list_issues),
    ("POST", "/issues", create_issue),
    ("GET", r"/actions/runs/(?P<part>[0-9]+)", GitHub.read_run),
    ("GET", r"/actions/runs/(?P<part>[0-9]+)/jobs", GitHub.list_jobs),
)
