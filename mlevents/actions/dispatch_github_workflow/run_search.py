"""The way from an intent to the end of a run, over many attempts: each stores what it found.

The progress of a step has `since`, `before` (the runs that existed then), `marked` (whether the key is sent)
and `lost` (answers that were lost); while it looks for its run also `looks` and `accepted`; in the end only
`runs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.dispatch_github_workflow.dispatch import Dispatch, WorkflowDispatch
from mlevents.actions.dispatch_github_workflow.recognition import Recognition, recognise_by_circumstances
from mlevents.errors import PermanentError
from mlevents.services.github.repository import Repository
from mlevents.services.github.workflows import (
    WorkflowRun,
    describe_failed_jobs,
    read_run,
    read_server_time,
    read_workflow,
)

_LOOK_BACK = timedelta(minutes=1)
"""How far before the intent runs are listed: GitHub's times are whole seconds of several machines."""
LOOK_AFTER, POLL_RUN_AFTER = 15.0, 20.0
"""Seconds; GitHub lists a run some seconds after its dispatch. Each look waits longer than the one before."""
MOST_LOOKS = 4
"""Looks, in two and a half minutes, before a run counts as missing."""


def store_intent(repository: Repository, dispatch: Dispatch) -> Pending:
    """Store what tells the runs of this dispatch from earlier ones.

    Raises PermanentError for a workflow that is disabled.
    """
    if isinstance(dispatch, WorkflowDispatch):
        workflow, now = read_workflow(repository, dispatch.workflow)
        if workflow.state != "active":
            text = f"the workflow '{dispatch.workflow}' is {workflow.state}: enable it in {repository.name}"
            raise PermanentError(text)
    else:
        now = read_server_time(repository)
    since = now - _LOOK_BACK
    before = [run.id for run in dispatch.list_runs(repository, since)]
    progress = {"since": since.isoformat(), "before": before, "marked": True, "lost": 0}
    return Pending(f"about to send {dispatch}", 0.0, progress)


def wait_to_look(said: str, progress: Mapping[str, Any], *, accepted: bool) -> Pending:
    """Look for the run later; `accepted` says that GitHub took the dispatch."""
    return Pending(said, LOOK_AFTER, {**progress, "looks": 0, "accepted": accepted}, exact=True)


def look_for_runs(
    repository: Repository, dispatch: Dispatch, progress: Mapping[str, Any], attempts: int
) -> Recognition | Pending:
    """The runs, or another look; or another dispatch, where none came of one whose answer was lost.

    Raises PermanentError when there is no run in the end.
    """
    since, looks = datetime.fromisoformat(progress["since"]), int(progress["looks"]) + 1
    found = recognise_by_circumstances(dispatch, repository, since, progress["before"])
    if found.runs:
        return found
    said = f"no run of {dispatch} is listed yet"
    if looks < MOST_LOOKS:
        return Pending(said, LOOK_AFTER * (looks + 1), {**progress, "looks": looks}, exact=True)
    if progress["accepted"]:
        raise PermanentError(
            f"GitHub accepted {dispatch}, but lists no run of it: look under Actions in {repository.name}"
        )
    lost = int(progress["lost"]) + 1
    if lost >= attempts:
        raise PermanentError(f"gave up after {lost} attempts: GitHub gave no answer, and no run was started")
    kept = {name: progress[name] for name in ("since", "before", "marked")}
    return Pending(f"{said}: it is sent again", 0.0, {**kept, "lost": lost})


def follow_runs(repository: Repository, progress: Mapping[str, Any]) -> Outcome:
    """The result of runs that have succeeded; raises PermanentError for one that ended otherwise."""
    runs = [read_run(repository, run_id) for run_id in progress["runs"]]
    for run in runs:
        if run.status == "completed" and run.conclusion != "success":
            raise PermanentError(_describe_failure(repository, run))
    first = runs[0]
    if open_runs := [run for run in runs if run.status != "completed"]:
        run = open_runs[0]
        return Pending(f"run {run.id} is {run.status} ({run.link})", POLL_RUN_AFTER, progress)
    result = {"run_id": first.id, "link": first.link, "status": first.status, "conclusion": first.conclusion}
    return Done(f"run {first.id} succeeded", result)


def _describe_failure(repository: Repository, run: WorkflowRun) -> str:
    jobs = describe_failed_jobs(repository, run.id)
    failed = f": {jobs}" if jobs else ""
    return f"run {run.id} ended as '{run.conclusion}'{failed}; see {run.link}"
