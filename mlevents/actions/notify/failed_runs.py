"""The runs of a message, read from Azure ML just before it is sent: those that failed, and why.

What is read goes into the progress of the step, so that the message is the same for each receiver.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlevents.actions.action import Pending
from mlevents.actions.notify.run_reading import RunReading
from mlevents.actions.notify.run_reason import FAILED_RUN, RunReason
from mlevents.errors import ActionError, TransientError
from mlevents.services.sdk_errors import clean_text

if TYPE_CHECKING:
    from mlevents.actions.action import StepContext
    from mlevents.services.services import Services

log = logging.getLogger("mlevents")

MOST_READINGS, _READING_PAUSE, _LONGEST_PAUSE = 3, 5.0, 60.0
"""How often runs are read that Azure cannot give at once, and the seconds between: unless Azure says more."""
RUN_FAILURES = (FAILED_RUN, "Canceled")
"""Statuses that a run does not leave by itself, besides Completed."""


def attempt_reading(
    context: StepContext, services: Services, *, with_log: bool
) -> Mapping[str, Any] | Pending:
    """What a message says of its runs, read by its first attempt; or when to read them again.

    Nothing that goes wrong here keeps the message back: then it says why the reason is missing.
    """
    kept: Mapping[str, Any] = context.progress.get("reading") or {}
    if "reason" in kept:
        return kept
    tries = kept.get("tries", 0) + 1
    try:
        found = read_failed_runs(context, services, with_log=with_log)
    except TransientError as error:
        if tries < MOST_READINGS:
            pause = min(max(_READING_PAUSE, error.retry_after or 0.0), _LONGEST_PAUSE)
            return Pending(f"reads the run: {error}", pause, {"reading": {"tries": tries}}, exact=True)
        found = _unread(str(error))
    except ActionError as error:
        found = _unread(str(error))
    except Exception as error:  # the boundary of the reading: the message is more important
        log.exception("reading the runs of response %s: a fault in mlevents", context.id)
        found = _unread(f"a fault in mlevents: {type(error).__name__}")
    return found


def read_failed_runs(context: StepContext, services: Services, *, with_log: bool) -> dict[str, Any]:
    """What a message says of its runs: the `reason` of the first, `causes` of all, and `restarts`.

    `restarts` are the runs that have not failed any more, with their status now. Raises TransientError when
    the first run may be read later.
    """
    events = list(list_runs(context.names))
    names = list(dict.fromkeys(str(run["id"]) for run in events if run.get("id")))
    reading = RunReading(context, services)
    try:
        found = reading.read_reasons(names)
        restarts = dict(_find_restarts(events, found))
        first = next((name for name in names if name not in restarts), "")
        reason: dict[str, Any] = _describe(found[first]) if first else {"missing": "the event names no run"}
        if with_log and "missing" not in reason:
            reason |= reading.read_log(first, reason["steps"])
    finally:
        reading.close()
    reason["causes"] = _count_causes(one for name, one in found.items() if name not in restarts)
    return {"reason": reason, "restarts": restarts}


def list_runs(names: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The runs of a group, or of the event alone, as the events describe them."""
    for one in _list_events(names):
        if isinstance(run := one.get("run"), Mapping):
            yield run


def leave_out(names: Mapping[str, Any], restarts: Mapping[str, str]) -> dict[str, Any]:
    """The names without the runs that have not failed any more; the first run left is the message's own."""
    if not restarts:
        return dict(names)
    events = _list_events(names)
    left = [one for one in events if _run_id(one) not in restarts]
    known = names.get("group") or {"count": 1}
    group = {**known, "count": known["count"] - len(events) + len(left), "events": left}
    own = {"run": left[0]["run"]} if left and _run_id(names) in restarts else {}
    return {**names, **own, "group": group}


def describe_restarts(restarts: Mapping[str, str]) -> str:
    """The runs that have not failed any more, in words."""
    return ", ".join(f"{run} is {status} now" for run, status in restarts.items())


def _unread(why: str) -> dict[str, Any]:
    return {"reason": {"missing": clean_text(why)}, "restarts": {}}


def _list_events(names: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    group = names.get("group")
    events = group.get("events") if isinstance(group, Mapping) else None
    return [one for one in events if isinstance(one, Mapping)] if isinstance(events, list) else [names]


def _run_id(names: Mapping[str, Any]) -> str:
    run = names.get("run")
    return str(run.get("id") or "") if isinstance(run, Mapping) else ""


def _find_restarts(
    events: list[Mapping[str, Any]], found: Mapping[str, RunReason | ActionError]
) -> Iterator[tuple[str, str]]:
    """The runs whose event says that they failed, and whose status now is another one."""
    for run in events:
        reason = found.get(str(run.get("id")))
        if not isinstance(reason, Mapping) or str(run.get("status")) not in RUN_FAILURES:
            continue
        if reason["status"] not in RUN_FAILURES:
            yield str(run["id"]), str(reason["status"])


def _describe(found: RunReason | ActionError) -> dict[str, Any]:
    if isinstance(found, TransientError):
        raise found
    return {"missing": str(found)} if not isinstance(found, Mapping) else dict(found)


def _count_causes(found: Iterator[RunReason | ActionError]) -> list[dict[str, Any]]:
    causes = Counter(one["cause"] for one in found if isinstance(one, Mapping) and one["cause"])
    return [{"code": code, "count": count} for code, count in causes.most_common(5)]
