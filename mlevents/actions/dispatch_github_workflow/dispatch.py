"""What is sent to GitHub, and which runs come of it."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import JsonValue

from mlevents.errors import PermanentError, RefusedError
from mlevents.services.github.repository import Repository
from mlevents.services.github.workflows import (
    REPOSITORY_DISPATCH,
    WORKFLOW_DISPATCH,
    StartedRun,
    WorkflowRun,
    dispatch_workflow,
    list_workflow_runs,
    send_repository_event,
)

KEY_INPUT = "mlevents_response"
"""The input, or the key of the payload, that holds the step's key."""
MOST_INPUTS, MOST_PAYLOAD_KEYS = 25, 10
"""https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event"""
LONGEST_PAYLOAD = 65_535
"""Characters of all inputs together; https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows"""
KEY_HEAD = "mlevents-"
"""With what the key of every step begins."""
WORKFLOW = re.compile(r"[\w][\w. -]{0,200}\.ya?ml|[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Dispatch(ABC):
    """A request to GitHub; `key` is the step's."""

    event: ClassVar[str]
    key: str

    def __str__(self) -> str:
        return f"the event {self.event}"

    @abstractmethod
    def send(self, repository: Repository, marked: bool) -> StartedRun | None:
        """Send it, with the key where it is `marked`; the run, where GitHub names it."""

    @abstractmethod
    def list_runs(self, repository: Repository, since: datetime) -> Iterable[WorkflowRun]:
        """The runs of this event since a time, whoever caused them."""

    @abstractmethod
    def fits(self, run: WorkflowRun) -> bool:
        """Whether a run without a key may have come of this request."""


@dataclass(frozen=True, slots=True)
class WorkflowDispatch(Dispatch):
    """Starts one workflow at a branch or tag."""

    event = WORKFLOW_DISPATCH
    workflow: str
    ref: str
    inputs: Mapping[str, str]

    def send(self, repository: Repository, marked: bool) -> StartedRun | None:
        """Start the workflow."""
        mark = {KEY_INPUT: self.key} if marked and len(self.inputs) < MOST_INPUTS else {}
        return dispatch_workflow(repository, self.workflow, self.ref, {**self.inputs, **mark})

    def list_runs(self, repository: Repository, since: datetime) -> Iterable[WorkflowRun]:
        """The runs of the workflow."""
        return list_workflow_runs(repository, self.event, since, self.workflow)

    def fits(self, run: WorkflowRun) -> bool:
        """Whether it ran at the same branch or tag."""
        return run.branch == self.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


@dataclass(frozen=True, slots=True)
class RepositoryEvent(Dispatch):
    """Raises an event, which starts every workflow of the default branch that waits for its type."""

    event = REPOSITORY_DISPATCH
    event_type: str
    payload: Mapping[str, JsonValue]

    def send(self, repository: Repository, marked: bool) -> None:  # noqa: ARG002 - a payload declares nothing
        """Raise the event."""
        mark = {KEY_INPUT: self.key} if len(self.payload) < MOST_PAYLOAD_KEYS else {}
        send_repository_event(repository, self.event_type, {**self.payload, **mark})

    def list_runs(self, repository: Repository, since: datetime) -> Iterable[WorkflowRun]:
        """The runs of every workflow."""
        return list_workflow_runs(repository, self.event, since)

    def fits(self, run: WorkflowRun) -> bool:
        """Whether it is named after the type of the event, as a run without `run-name` is."""
        return run.title == self.event_type


def write_input(value: JsonValue) -> str:
    """The text of an input: GitHub takes texts only, and reads `true`, numbers and JSON from them."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def check_workflow(text: str) -> str:
    """Raise ValueError for a text that is neither the name of a workflow's file nor its id."""
    if "${" in text or WORKFLOW.fullmatch(text):
        return text
    raise ValueError(f"'{text}' is not a workflow: write the name of its file, such as promote.yml")


def check_inputs(inputs: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    """Raise ValueError for more inputs than GitHub takes, and for the one that mlevents fills in."""
    return _check_keys(inputs, MOST_INPUTS, "inputs", "where the workflow declares it")


def check_payload(payload: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    """Raise ValueError for more keys than GitHub takes, and for the one that mlevents fills in."""
    return _check_keys(payload, MOST_PAYLOAD_KEYS, "keys", "where there is room for it")


def _check_keys(
    values: dict[str, JsonValue] | None, most: int, what: str, when: str
) -> dict[str, JsonValue] | None:
    if KEY_INPUT in (values or {}):
        raise ValueError(f"'{KEY_INPUT}' is filled in by mlevents {when}: leave it out")
    if len(values or {}) > most:
        raise ValueError(
            f"there are {len(values or {})} {what}, and GitHub takes {most}: put some into one map"
        )
    return values


def require_size(values: Mapping[str, JsonValue], what: str) -> None:
    """Raise PermanentError for values that are longer than GitHub takes."""
    size = len(json.dumps(values, ensure_ascii=False))
    if size > LONGEST_PAYLOAD:
        raise PermanentError(
            f"`{what}` has {size:,} characters, and GitHub takes {LONGEST_PAYLOAD:,}: send less"
        )


def lacks_mark(error: RefusedError) -> bool:
    """Whether GitHub refused the dispatch because the workflow does not declare our input.

    GitHub answers 422, `Unexpected inputs provided: ["mlevents_response"]`.
    """
    return error.status == 422 and "Unexpected inputs" in error.answer and KEY_INPUT in error.answer
