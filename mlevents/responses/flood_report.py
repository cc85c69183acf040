"""The orchestrator ReportFlood: a message about events in quarantine at once, then one a window with a count.

One instance of it runs at a time. It begins with the first event that nobody could understand, and ends after
a window in which no other came; the next one begins it anew. Whoever counts an event looks afterwards whether
the report still runs, and begins another one where it has ended.
"""

import json
import logging
from collections.abc import Generator, Mapping
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.orchestration.function_names import EVENT_FLOOD
from mlevents.orchestration.response import Step
from mlevents.orchestration.step_runner import Course, StepFailedError
from mlevents.responses.deferral import complete_deferred
from mlevents.responses.flood import MOST_STORED, TOTAL, WINDOW
from mlevents.responses.respond import perform_on_failure
from mlevents.responses.response_record import Line, Record
from mlevents.responses.step_orchestration import attempt_of

MOST_WINDOWS = 24
INSTANCE = "quarantine.report"
"""The id of the one instance; no response has it, for a response's id ends in a digest."""
FAILURE: Mapping[str, Any] = {"step": None, "uses": None, "status": "quarantined"}

log = logging.getLogger("mlevents")


def report_flood(context: OrchestrationContext, text: str) -> Generator[Any, Any, dict[str, int]]:
    """Report the first event, given as its response with the name of the `flood`, and count the others."""
    document = json.loads(text)
    record, attempt = Record(context, document), attempt_of(document)
    yield from _notify(context, document, record)
    reported = 1
    for window in range(2, MOST_WINDOWS + 2):
        yield context.create_timer(WINDOW)
        total = yield from _counted(context, document["flood"]["key"])
        if total is None:
            continue
        if total <= reported:
            break
        name = f"{window}" if attempt == 1 else f"{attempt}-{window}"
        record.because = _words(total - reported, record.response["because"])
        steps = [{**step, "id": f"{step['id']}.{name}"} for step in document["on_failure"]]
        yield from _notify(context, {**document, "on_failure": steps}, record)
        reported = total
    return {"events": reported}


def _notify(context: OrchestrationContext, document: dict[str, Any], record: Record) -> Course:
    """Perform `on_failure`, those steps too that wait long to be retried."""
    yield from perform_on_failure(context, document, record, dict(FAILURE))
    return (yield from complete_deferred(record, lambda what: _failed(record, what)))


def _failed(record: Record, what: tuple[Step, Line, StepFailedError]) -> Course:
    """A notification that failed leads to no other."""
    _, line, error = what
    record.note(line, "failed", str(error))
    yield from ()
    return {}


def _words(more: int, first: str) -> str:
    """What the message of a window says."""
    events = "1 more event" if more == 1 else f"{more:,} more events"
    return (
        f"{events} could not be understood within an hour. Of each hour the first {MOST_STORED} are stored, "
        f"the others are in the log only. The first one's problem was: {first}"
    )


def _counted(context: OrchestrationContext, flood: str) -> Generator[Any, Any, int | None]:
    """How many events were counted; None when the entity gave no answer."""
    try:
        total: int = yield context.call_entity(EntityInstanceId(EVENT_FLOOD, flood), TOTAL)
    except TaskFailedError as error:
        if not context.is_replaying:
            log.warning("the count of %s cannot be read now: %s", flood, error.details.message)
        return None
    return total
