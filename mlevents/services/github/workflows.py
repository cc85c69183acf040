"""GitHub Actions: start workflows, and follow their runs.

https://docs.github.com/rest/actions/workflows, https://docs.github.com/rest/actions/workflow-runs,
https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote

from mlevents.errors import RefusedError
from mlevents.services.answer_fields import require_list, require_object, require_text
from mlevents.services.github.repository import Repository
from mlevents.services.http.answers import read_answer_time
from mlevents.services.http.http_client import HttpAnswer
from mlevents.services.http.rest_client import read_accepted_answer
from mlevents.services.sdk_errors import translate_errors

WORKFLOW_DISPATCH, REPOSITORY_DISPATCH = "workflow_dispatch", "repository_dispatch"
RETURN_DETAILS = "return_run_details"
"""The parameter that makes GitHub answer with the run; GitHub Enterprise Server may not know it.
Source: https://github.blog/changelog/2026-02-19-workflow-dispatch-api-now-returns-run-ids"""
_PAGE, _MOST_PAGES = 30, 10
"""A run has about 13 kB in GitHub's answer, and an answer may have 1 MB."""
_PASSED = frozenset({"success", "skipped", "neutral"})
"""Conclusions of a job that did not make its run fail."""
LONGEST_LIST = 5


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow; `path` is its file, `state` is `active` unless it is disabled."""

    id: int
    path: str
    state: str


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run of a workflow; `conclusion` is None until its `status` is `completed`."""

    id: int
    workflow: int
    title: str
    event: str
    status: str
    conclusion: str | None
    link: str
    branch: str | None
    actor: str | None

    @classmethod
    def read(cls, answer: Any) -> Self:
        """From GitHub's answer; raises ValueError, LookupError or TypeError for another shape."""
        run = require_object(answer, "a run")
        return cls(
            id=int(run["id"]),
            workflow=int(run["workflow_id"]),
            title=str(run.get("display_title") or run.get("name") or ""),
            event=require_text(run["event"], "the event of a run"),
            status=require_text(run["status"], "the status of a run"),
            conclusion=run.get("conclusion"),
            link=require_text(run["html_url"], "the link of a run"),
            branch=run.get("head_branch"),
            actor=(run.get("actor") or {}).get("login"),
        )


@dataclass(frozen=True, slots=True)
class StartedRun:
    """The run that GitHub named in its answer to a dispatch."""

    id: int
    link: str


def read_workflow(repository: Repository, workflow: str) -> tuple[Workflow, datetime]:
    """A workflow by the name of its file or its id, and GitHub's time."""
    answer = repository.rest.send("GET", f"/actions/workflows/{quote(workflow, safe='')}")
    with translate_errors(f"reading the workflow '{workflow}'"):
        found = require_object(answer.read_json(), "a workflow")
        state = require_text(found["state"], "the state")
        path = require_text(found["path"], "the path")
        return Workflow(int(found["id"]), path, state), read_answer_time(answer)


def read_server_time(repository: Repository) -> datetime:
    """GitHub's time."""
    return read_answer_time(repository.rest.send("GET", ""))


def dispatch_workflow(
    repository: Repository, workflow: str, ref: str, inputs: Mapping[str, str]
) -> StartedRun | None:
    """Start a workflow at a branch or tag; the run, or None where GitHub does not name it.

    Raises LostAnswerError when it may have been started all the same.
    """
    body = {"ref": ref, "inputs": dict(inputs)}
    try:
        answer = _dispatch(repository, workflow, {**body, RETURN_DETAILS: True})
    except RefusedError as error:
        if error.status not in (400, 422) or RETURN_DETAILS not in error.answer:
            raise
        answer = _dispatch(repository, workflow, body)
    if not answer.content:
        return None
    with read_accepted_answer(f"starting the workflow '{workflow}'"):
        started = require_object(answer.read_json(), "a started run")
        return StartedRun(int(started["workflow_run_id"]), require_text(started["html_url"], "its link"))


def _dispatch(repository: Repository, workflow: str, body: Mapping[str, Any]) -> HttpAnswer:
    path = f"/actions/workflows/{quote(workflow, safe='')}/dispatches"
    return repository.rest.send("POST", path, body, expected=(200, 204))


def send_repository_event(repository: Repository, event_type: str, payload: Mapping[str, Any]) -> None:
    """Raise a `repository_dispatch` event; raises LostAnswerError when GitHub may have taken it."""
    body = {"event_type": event_type, "client_payload": dict(payload)}
    repository.rest.send("POST", "/dispatches", body, expected=(204,))


def list_workflow_runs(
    repository: Repository, event: str, since: datetime, workflow: str | None = None
) -> Iterator[WorkflowRun]:
    """The runs of an event that began since a time, the newest first; of one workflow, or of all."""
    place = f"/actions/workflows/{quote(workflow, safe='')}/runs" if workflow else "/actions/runs"
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with translate_errors(f"listing the runs of {repository.name}"):
        query = {"event": event, "created": f">={moment}"}
        yield from map(WorkflowRun.read, _list_pages(repository, place, query, "workflow_runs"))


def _list_pages(
    repository: Repository, path: str, query: Mapping[str, Any], name: str
) -> Iterator[Mapping[str, Any]]:
    """The entries of a list, page by page."""
    for page in range(1, _MOST_PAGES + 1):
        answer = repository.rest.get(path, {**query, "per_page": _PAGE, "page": page})
        found = require_list(require_object(answer, "a page")[name], name)
        yield from (require_object(one, "an entry") for one in found)
        if len(found) < _PAGE:
            return


def read_run(repository: Repository, run_id: int) -> WorkflowRun:
    """A run, as it is now."""
    with translate_errors(f"reading run {run_id} of {repository.name}"):
        return WorkflowRun.read(repository.rest.get(f"/actions/runs/{run_id}"))


def describe_failed_jobs(repository: Repository, run_id: int) -> str:
    """The jobs that made a run fail, each with its conclusion and link; empty when there is none."""
    path = f"/actions/runs/{run_id}/jobs"
    with translate_errors(f"listing the jobs of run {run_id} of {repository.name}"):
        jobs = list(_list_pages(repository, path, {"filter": "latest"}, "jobs"))
    failed = [one for one in jobs if one.get("conclusion") not in (None, *_PASSED)]
    said = [f"'{one.get('name')}' {one.get('conclusion')} ({one.get('html_url')})" for one in failed]
    more = len(said) - LONGEST_LIST
    return ", ".join(said[:LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")
