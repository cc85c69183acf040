"""Why one run failed, as far as Azure ML knows it now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlevents.errors import ActionError, PermanentError
from mlevents.services.sdk_errors import clean_text

if TYPE_CHECKING:
    from mlevents.services.machine_learning.run_details import RunDetails
    from mlevents.services.machine_learning.run_history import RunHistory
    from mlevents.settings import Settings

MOST_STEPS = 5
"""The most failed steps of a run that a message shows."""
FAILED_RUN = "Failed"

REASON_NAMES = (
    *("code", "message", "cause", "causes", "children", "duration", "compute", "owner", "status", "steps"),
    *("log", "log_file", "log_missing", "missing"),
)
"""The fields of the `reason` that templates insert."""

RunReason = Mapping[str, Any]
"""What templates insert as `reason`, as JSON; besides, the `status` of the run and the ids of its `steps`."""


def read_reason(runs: RunHistory, run_id: str) -> dict[str, Any]:
    """The error of a run and of its failed steps; raises PermanentError for no such run, or as Azure does."""
    details = runs.find_details(run_id)
    if details is None:
        raise PermanentError(f"there is no run '{run_id}' in the workspace any more")
    steps = _read_failed_steps(runs, run_id) if details.status == FAILED_RUN else []
    children = [{"name": one.name, "code": one.code, "message": clean_text(one.message)} for one in steps]
    codes = [one.code for one in (*steps, details) if one.code]
    return {
        "status": details.status,
        "code": details.code,
        "message": clean_text(details.message),
        "cause": codes[0] if codes else "",
        "children": children,
        "duration": details.seconds,
        "compute": details.compute or next((one.compute for one in steps if one.compute), ""),
        "owner": details.owner,
        "steps": [one.id for one in steps],
    }


def read_log(runs: RunHistory, run_id: str, steps: list[str], settings: Settings) -> dict[str, Any]:
    """The end of the log of the first failed step, or of a run without steps.

    An error does not hide the rest of the reason: then `log_missing` says why there are no lines.
    """
    from mlevents.services.machine_learning.run_log import find_log, read_log_end

    try:
        for name in (*steps[:1], run_id):
            details = runs.find_details(name)
            if details and (path := find_log(details.logs)):
                return {"log": read_log_end(details.logs[path], settings), "log_file": path}
    except ActionError as error:
        return {"log": [], "log_missing": clean_text(str(error))}
    return {"log": [], "log_missing": "the run has none"}


def _read_failed_steps(runs: RunHistory, run_id: str) -> list[RunDetails]:
    """The first steps that failed, each with its error."""
    failed = [one for one in runs.list_children(run_id) if one.status == FAILED_RUN]
    return list(_complete(runs, failed[:MOST_STEPS]))


def _complete(runs: RunHistory, steps: list[RunDetails]) -> Iterator[RunDetails]:
    """A list may leave out the error of a step, which its details have."""
    for one in steps:
        yield one if one.message or one.code else runs.find_details(one.id) or one
