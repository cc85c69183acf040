"""A GitHub on loopback with one repository, and a step that works there to its end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from mlevents.actions.action import Action, Done, Outcome, Pending
from mlevents.errors import TransientError
from mlevents.orchestration.step_plan import RetryPlan
from mlevents.services.github.app_token import forget_tokens
from mlevents.services.services import Services
from sandbox.azure.faults import Faults
from sandbox.github.callers import ALL, Caller, GitHubCallers, make_app_key
from sandbox.github.github import GitHub
from sandbox.github.workflow_runs import WorkflowRuns
from sandbox.inboxes.inbox import Inbox
from tests.unit.served_application import served
from tests.unit.stand_ins import Authority, services, step

REPOSITORY, TOKEN = "example/ml-cd", "a personal token of the test"
KEY = "mlevents-01234567890123456789"
PROMOTE = """\
name: promote
run-name: Promote ${{ inputs.model }} (${{ inputs.mlevents_response }})
on:
  workflow_dispatch:
    inputs:
      model: {required: true}
      version: {default: "1"}
      mlevents_response: {required: false}
jobs: {}
"""
UNMARKED = PROMOTE.replace("      mlevents_response: {required: false}\n", "").replace(
    " (${{ inputs.mlevents_response }})", ""
)
LISTENER = """\
name: listen
run-name: Event ${{ github.event.client_payload.mlevents_response }}
on:
  repository_dispatch: {types: [model-registered]}
jobs: {}
"""
FILES = {"promote.yml": PROMOTE, "plain.yml": UNMARKED, "listen.yml": LISTENER}
MOST_ATTEMPTS = 60
app_key = cache(make_app_key)


@dataclass
class GitHubWorld:
    """GitHub as a test sees it: what it knows, what fails, and what arrived."""

    github: GitHub
    runs: WorkflowRuns
    faults: Faults
    address: str
    ca: str
    calls: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def connect(self, **changes: Any) -> Services:
        """Services with the connections `ml-cd`, by token, and `app`, as a GitHub App."""
        place = {"type": "github", "repository": REPOSITORY, "base": self.address, "allow_private": True}
        connections = {
            "ml-cd": {**place, "token": {"setting": "GITHUB_TOKEN"}, **changes},
            "app": {**place, "app_id": "7", "private_key": {"setting": "GITHUB_KEY"}},
        }
        settings = {"GITHUB_TOKEN": TOKEN, "GITHUB_KEY": self.github.callers.private_key}
        return services(connections, REQUESTS_CA_BUNDLE=self.ca, **settings)

    def perform(self, action: Action, progress: Mapping[str, Any] | None = None, key: str = KEY) -> Outcome:
        """One attempt."""
        context = step(key=key, progress=progress or {}, retry=RetryPlan(attempts=3, first=1, max=1))
        return action.perform(context, self.connect())

    def work(self, action: Action, key: str = KEY) -> Done:
        """Every attempt to the end, as the orchestrator makes them; a transient error is retried twice."""
        progress: Mapping[str, Any] = {}
        left = 2
        for _ in range(MOST_ATTEMPTS):
            try:
                outcome = self.perform(action, progress, key)
            except TransientError:
                left -= 1
                if left < 0:
                    raise
                continue
            if isinstance(outcome, Done):
                return outcome
            assert isinstance(outcome, Pending)
            self.waits.append(outcome.after)
            progress = outcome.progress
        raise AssertionError("the step does not end")

    def started(self) -> list[dict[str, Any]]:
        """What the runs that were started got, in order."""
        return [dict(run.values) for run in self.runs.runs]


@contextmanager
def github_world(trusted: Authority) -> Iterator[GitHubWorld]:
    """A GitHub that is served."""
    runs = WorkflowRuns(files=dict(FILES), branches=("main", "release"))
    caller = Caller("octocat", ALL)
    github = GitHub(Inbox(), GitHubCallers({TOKEN: caller}, app_id="7", make_key=app_key), {REPOSITORY: runs})
    faults, calls = Faults(), list[str]()

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        calls.append(f"{request.method} {request.path}")
        return await handler(request)

    application = github.application()
    application.middlewares.extend([note, faults.middleware])
    forget_tokens()
    with served(application, trusted.context) as address:
        yield GitHubWorld(github, runs, faults, address, str(trusted.ca), calls)
