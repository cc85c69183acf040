"""The way of a step whose run another service performs: started once, found again, followed to its end.

The progress of a step has `since`, `before` (the runs that existed then), `marked` (whether the key is sent)
and `lost` (answers that were lost); while it looks for its run also `looks` and `accepted`; in the end only
`runs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mlevents.actions.action import Done, Outcome, Pending, StepContext
from mlevents.actions.remote_run import KEY_INPUT, Recognition, RemoteRun, RemoteRuns
from mlevents.errors import ActionError, PermanentError, RefusedError
from mlevents.services.http.rest_client import LostAnswerError

RUN_LOOK_BACK = timedelta(minutes=1)
"""How far before the intent runs are listed: the times of a service are those of several machines."""
LOOK_AFTER, POLL_RUN_AFTER = 15.0, 20.0
"""Seconds; a run is listed some seconds after its start. Each look waits longer than the one before."""
MOST_LOOKS = 4
"""Looks, in two and a half minutes, before a run counts as missing."""


def advance_run(runs: RemoteRuns, context: StepContext, *, wait: bool) -> Outcome:
    """Store the intent, then find or start the run, then follow it: one of these in each attempt."""
    progress = context.progress
    if "runs" in progress:
        return _follow(runs, progress)
    if "since" not in progress:
        return _store_intent(runs)
    if "looks" in progress:
        found = _look(runs, progress, context.retry.attempts)
        return _take(found, wait) if isinstance(found, Recognition) else found
    return _start(runs, progress, wait)


def _store_intent(runs: RemoteRuns) -> Pending:
    """Store what tells the run of this step from earlier ones."""
    since = runs.read_time() - RUN_LOOK_BACK
    progress = {"since": since.isoformat(), "before": runs.list_ids(since), "marked": True, "lost": 0}
    return Pending(f"about to start {runs}", 0.0, progress)


def _start(runs: RemoteRuns, progress: Mapping[str, Any], wait: bool) -> Outcome:
    if (found := runs.find_by_key(datetime.fromisoformat(progress["since"]))).runs:
        return _take(found, wait)
    try:
        run = runs.send(marked=bool(progress["marked"]))
    except LostAnswerError as error:
        return _wait_to_look(f"{error}; looks whether it was accepted", progress, accepted=False)
    except RefusedError as error:
        if progress["marked"] and runs.lacks_key_input(error):
            said = f"{runs} declares no '{KEY_INPUT}', so it is started without"
            return Pending(said, 0.0, {**progress, "marked": False})
        raise
    if run is not None:
        return _end(f"started run {run.id}", (run,), wait)
    if not wait:
        return Done(f"{runs.service} accepted {runs}", {"status": "accepted"})
    return _wait_to_look(f"{runs.service} accepted {runs}", progress, accepted=True)


def _wait_to_look(said: str, progress: Mapping[str, Any], *, accepted: bool) -> Pending:
    return Pending(said, LOOK_AFTER, {**progress, "looks": 0, "accepted": accepted}, exact=True)


def _look(runs: RemoteRuns, progress: Mapping[str, Any], attempts: int) -> Recognition | Pending:
    """The runs, or another look; or another start, where none came of one whose answer was lost.

    Raises PermanentError when there is no run in the end.
    """
    since, looks = datetime.fromisoformat(progress["since"]), int(progress["looks"]) + 1
    found = runs.find_by_circumstances(since, progress["before"])
    if found.runs:
        return found
    said = f"no run of {runs} is listed yet"
    if looks < MOST_LOOKS:
        return Pending(said, LOOK_AFTER * (looks + 1), {**progress, "looks": looks}, exact=True)
    if progress["accepted"]:
        raise PermanentError(
            f"{runs.service} accepted {runs}, but lists no run of it: look there for the reason"
        )
    lost = int(progress["lost"]) + 1
    if lost >= attempts:
        raise PermanentError(
            f"gave up after {lost} attempts: no answer of {runs.service}, and no run of {runs}"
        )
    kept = {name: progress[name] for name in ("since", "before", "marked")}
    return Pending(f"{said}: it is sent again", 0.0, {**kept, "lost": lost})


def _take(found: Recognition, wait: bool) -> Outcome:
    return _end(f"found run {found.runs[0].id}, {found.reason}", found.runs, wait)


def _end(said: str, runs: tuple[RemoteRun, ...], wait: bool) -> Outcome:
    """The run goes on: follow it, or leave it alone."""
    first = runs[0]
    if wait:
        return Pending(f"{said} ({first.link})", POLL_RUN_AFTER, {"runs": [run.id for run in runs]})
    return Done(said, {"run_id": first.id, "link": first.link, "status": "started"})


def _follow(source: RemoteRuns, progress: Mapping[str, Any]) -> Outcome:
    """The result of runs that have succeeded; raises PermanentError for one that ended otherwise."""
    runs = [source.read(run_id) for run_id in progress["runs"]]
    for run in runs:
        if run.conclusion is not None and not run.succeeded:
            raise PermanentError(
                f"run {run.id} ended as '{run.conclusion}'{_explain(source, run)}; see {run.link}"
            )
    first = next((run for run in runs if run.conclusion is None), runs[0])
    if first.conclusion is None:
        return Pending(f"run {first.id} is {first.state} ({first.link})", POLL_RUN_AFTER, progress)
    result = {"run_id": first.id, "link": first.link, "status": first.state, "conclusion": first.conclusion}
    return Done(f"run {first.id} succeeded", result)


def _explain(source: RemoteRuns, run: RemoteRun) -> str:
    """What failed in a run; a service that cannot say it does not hide that the run failed."""
    try:
        parts = source.describe_failed_parts(run)
    except ActionError as error:
        parts = f"what failed cannot be read: {error}"
    return f": {parts}" if parts else ""
