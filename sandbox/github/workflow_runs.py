"""GitHub Actions of one repository: workflow files, dispatches, and runs.

A run is listed only after some listings, as on GitHub; each look at it takes it a state further.
https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.github.answers import GitHubError, not_found_error
from sandbox.github.workflow_file import ANY_WORKFLOW, FOLDER, WorkflowFile

MOST_INPUTS, MOST_KEYS, LONGEST_PAYLOAD = 25, 10, 65_535
STATES = ("queued", "in_progress", "completed")


@dataclass
class WorkflowRun:
    """One run; `hidden` is how many listings leave it out, `state` the position in `STATES`."""

    id: int
    workflow: WorkflowFile
    title: str
    event: str
    branch: str
    actor: str
    created: datetime
    values: Mapping[str, Any]
    hidden: int = 0
    state: int = 0
    conclusion: str = "success"

    def describe(self, repository: str) -> dict[str, Any]:
        """As GitHub describes it, as far as the app reads it."""
        state = STATES[self.state]
        return {
            "id": self.id,
            "name": self.workflow.content.get("name"),
            "display_title": self.title,
            "event": self.event,
            "status": state,
            "conclusion": self.conclusion if state == "completed" else None,
            "workflow_id": self.workflow.id,
            "head_branch": self.branch,
            "path": f"{FOLDER}{self.workflow.name}",
            "actor": {"login": self.actor},
            "created_at": self.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "html_url": f"https://github.com/{repository}/actions/runs/{self.id}",
        }

    def advance(self) -> None:
        """Go on to the next state."""
        self.state = min(self.state + 1, len(STATES) - 1)


@dataclass
class WorkflowRuns:
    """The workflows, runs and issues of a repository.

    `listing_lag` is how many listings leave a new run out. `names_runs` is False for a server that does not
    know `return_run_details`. `conclusions` are those of the next runs; `success` after them.
    """

    files: dict[str, str] | None = None
    branches: tuple[str, ...] | None = None
    listing_lag: int = 1
    names_runs: bool = True
    conclusions: list[str] = field(default_factory=list)
    runs: list[WorkflowRun] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)
    issues: list[dict[str, Any]] = field(default_factory=list)

    def find(self, name: str) -> WorkflowFile:
        """A workflow by the name of its file or its id; raises GitHubError 404."""
        if self.files is None:
            return WorkflowFile(1, name, ANY_WORKFLOW, takes_any=True)
        for number, (known, text) in enumerate(self.files.items(), 1):
            if name in (known, str(number)):
                state = "disabled_manually" if known in self.disabled else "active"
                return WorkflowFile(number, known, text, state)
        raise not_found_error()

    def dispatch(self, file: WorkflowFile, body: Mapping[str, Any], actor: str) -> WorkflowRun:
        """Start a run of a workflow; raises GitHubError 422."""
        self._require_ref(body["ref"])
        if file.state != "active":
            raise GitHubError(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
        trigger = file.trigger("workflow_dispatch")
        if trigger is None:
            raise GitHubError(422, "Workflow does not have 'workflow_dispatch' trigger")
        inputs = body.get("inputs") or {}
        if not file.takes_any:
            _require_inputs(inputs, trigger.get("inputs") or {})
        _require_size(inputs, "inputs")
        branch = re.sub(r"^refs/(heads|tags)/", "", body["ref"])
        return self._start(file, "workflow_dispatch", branch, inputs, actor)

    def raise_event(self, body: Mapping[str, Any], actor: str) -> None:
        """Start every workflow that waits for this type of `repository_dispatch`; raises GitHubError 422."""
        payload = body.get("client_payload") or {}
        if len(payload) > MOST_KEYS:
            supplied = f"{len(payload)} were supplied"
            raise GitHubError(422, f"No more than {MOST_KEYS} properties are allowed; {supplied}")
        _require_size(payload, "client_payload")
        for name in self.files or ("any.yml",):
            file = self.find(name)
            trigger = file.trigger("repository_dispatch")
            if trigger is not None and body["event_type"] in trigger.get("types", [body["event_type"]]):
                self._start(file, "repository_dispatch", "main", {**payload, "": body["event_type"]}, actor)

    def _start(
        self, file: WorkflowFile, event: str, branch: str, values: Mapping[str, Any], actor: str
    ) -> WorkflowRun:
        title = file.name_run(values, str(values.get("") or file.content.get("name") or file.name))
        run = WorkflowRun(1000 + len(self.runs), file, title, event, branch, actor, datetime.now(UTC), values)
        run.hidden = self.listing_lag
        run.conclusion = self.conclusions.pop(0) if self.conclusions else "success"
        self.runs.append(run)
        return run

    def list_runs(self, event: str | None, since: str | None, workflow: str | None) -> Iterator[WorkflowRun]:
        """The runs that are listed by now, the newest first."""
        moment = datetime.fromisoformat(since.removeprefix(">=")) if since else None
        for run in reversed(self.runs):
            if run.hidden > 0:
                run.hidden -= 1
            elif (
                event in (None, run.event)
                and (moment is None or run.created >= moment)
                and workflow in (None, run.workflow.name, str(run.workflow.id))
            ):
                yield run

    def get(self, id: int) -> WorkflowRun:
        """A run; raises GitHubError 404."""
        for run in self.runs:
            if run.id == id:
                return run
        raise not_found_error()

    def _require_ref(self, ref: Any) -> None:
        name = re.sub(r"^refs/(heads|tags)/", "", str(ref))
        if self.branches is not None and name not in self.branches:
            raise GitHubError(422, f"No ref found for: {ref}")


def _require_inputs(inputs: Mapping[str, Any], declared: Mapping[str, Any]) -> None:
    if len(inputs) > MOST_INPUTS:
        raise GitHubError(
            422, f"No more than {MOST_INPUTS} properties are allowed; {len(inputs)} were supplied"
        )
    if unknown := [name for name in inputs if name not in declared]:
        raise GitHubError(422, f"Unexpected inputs provided: {json.dumps(unknown)}")
    for name, one in declared.items():
        if (one or {}).get("required") == "true" and "default" not in one and name not in inputs:
            raise GitHubError(422, f"Required input '{name}' not provided")
        if name in inputs and not isinstance(inputs[name], str):
            raise GitHubError(422, f"Invalid value for input '{name}'")


def _require_size(values: Mapping[str, Any], what: str) -> None:
    if len(json.dumps(values)) > LONGEST_PAYLOAD:
        text = f"{what} is too large." if what == "client_payload" else f"{what} are too large."
        raise GitHubError(422, text)
