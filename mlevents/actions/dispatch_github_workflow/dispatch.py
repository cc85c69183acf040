"""What is sent to GitHub, and which runs come of it."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from mlevents.actions.dispatch_github_workflow.parameters import MOST_INPUTS, MOST_PAYLOAD_KEYS
from mlevents.actions.remote_run import KEY_HEAD, KEY_INPUT, Recognition, RemoteRun, RemoteRuns
from mlevents.errors import PermanentError, RefusedError
from mlevents.services.github.repository import Repository
from mlevents.services.github.workflows import (
    REPOSITORY_DISPATCH,
    WORKFLOW_DISPATCH,
    WorkflowRun,
    describe_failed_jobs,
    dispatch_workflow,
    list_workflow_runs,
    read_run,
    read_server_time,
    read_workflow,
    send_repository_event,
)


@dataclass(frozen=True, slots=True)
class Dispatch(RemoteRuns):
    """A request to a repository; `key` is the step's."""

    service = "GitHub"
    repository: Repository
    key: str

    @abstractmethod
    def list_runs(self, since: datetime) -> Iterable[WorkflowRun]:
        """The runs of this event since a time, whoever caused them."""

    @abstractmethod
    def fits(self, run: WorkflowRun) -> bool:
        """Whether a run without a key may have come of this request."""

    def list_ids(self, since: datetime) -> list[int]:
        """The runs of this event since a time."""
        return [run.id for run in self.list_runs(since)]

    def find_by_key(self, since: datetime) -> Recognition:
        """The runs whose name holds the step's key, the first one first."""
        return Recognition(tuple(sorted(self._list_own(self.list_runs(since)), key=lambda run: run.id)))

    def _list_own(self, runs: Iterable[WorkflowRun]) -> list[RemoteRun]:
        return [RemoteRun(run.id, run.link) for run in runs if self.key in run.title]

    def find_by_circumstances(self, since: datetime, before: Collection[int]) -> Recognition:
        """The runs with the key; else those that fit and are new, of this connection's own actor.

        Raises PermanentError when one workflow has several of these.
        """
        runs = list(self.list_runs(since))
        if own := self._list_own(runs):
            return Recognition(tuple(sorted(own, key=lambda run: run.id)))
        new = [run for run in runs if run.id not in before and KEY_HEAD not in run.title and self.fits(run)]
        actor = self.repository.read_actor() if new else None
        fitting = [run for run in new if actor is None or run.actor in (None, actor)]
        if max(Counter(run.workflow for run in fitting).values(), default=0) > 1:
            links = ", ".join(run.link for run in fitting[:5])
            raise PermanentError(
                f"{len(fitting)} runs may be this step's, and none has its key in its name: {links}; "
                f"show the input {KEY_INPUT} in `run-name` of the workflow"
            )
        reason = "recognised by time, branch and actor; it may belong to another response"
        return Recognition(tuple(RemoteRun(run.id, run.link) for run in fitting), reason)

    def lacks_key_input(self, error: RefusedError) -> bool:
        """Whether GitHub answered 422, `Unexpected inputs provided: ["mlevents_response"]`."""
        return error.status == 422 and "Unexpected inputs" in error.answer and KEY_INPUT in error.answer

    def read(self, run_id: int) -> RemoteRun:
        """A run, as it is now."""
        run = read_run(self.repository, run_id)
        conclusion = (run.conclusion or "unknown") if run.status == "completed" else None
        return RemoteRun(run.id, run.link, run.status, conclusion, conclusion == "success")

    def describe_failed_parts(self, run: RemoteRun) -> str:
        """Its failed jobs, each with its link."""
        return describe_failed_jobs(self.repository, run.id)


@dataclass(frozen=True, slots=True)
class WorkflowDispatch(Dispatch):
    """Starts one workflow at a branch or tag."""

    workflow: str
    ref: str
    inputs: Mapping[str, str]

    def __str__(self) -> str:
        return f"the workflow '{self.workflow}'"

    def read_time(self) -> datetime:
        """GitHub's time; raises PermanentError for a workflow that is missing or disabled."""
        workflow, now = read_workflow(self.repository, self.workflow)
        if workflow.state != "active":
            raise PermanentError(f"{self} is {workflow.state}: enable it in {self.repository.name}")
        return now

    def send(self, marked: bool) -> RemoteRun | None:
        """Start the workflow."""
        mark = {KEY_INPUT: self.key} if marked and len(self.inputs) < MOST_INPUTS else {}
        started = dispatch_workflow(self.repository, self.workflow, self.ref, {**self.inputs, **mark})
        return RemoteRun(started.id, started.link) if started else None

    def list_runs(self, since: datetime) -> Iterable[WorkflowRun]:
        """The runs of the workflow."""
        return list_workflow_runs(self.repository, WORKFLOW_DISPATCH, since, self.workflow)

    def fits(self, run: WorkflowRun) -> bool:
        """Whether it ran at the same branch or tag."""
        return run.branch == self.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


@dataclass(frozen=True, slots=True)
class RepositoryEvent(Dispatch):
    """Raises an event, which starts every workflow of the default branch that waits for its type."""

    event_type: str
    payload: Mapping[str, JsonValue]

    def __str__(self) -> str:
        return f"the event '{self.event_type}'"

    def read_time(self) -> datetime:
        """GitHub's time."""
        return read_server_time(self.repository)

    def send(self, marked: bool) -> None:  # noqa: ARG002 - a payload declares nothing
        """Raise the event."""
        mark = {KEY_INPUT: self.key} if len(self.payload) < MOST_PAYLOAD_KEYS else {}
        send_repository_event(self.repository, self.event_type, {**self.payload, **mark})

    def list_runs(self, since: datetime) -> Iterable[WorkflowRun]:
        """The runs of every workflow."""
        return list_workflow_runs(self.repository, REPOSITORY_DISPATCH, since)

    def fits(self, run: WorkflowRun) -> bool:
        """Whether it is named after the type of the event, as a run without `run-name` is."""
        return run.title == self.event_type
