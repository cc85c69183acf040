"""The orchestrator ReportFlood: reports events in quarantine at once, then once a window with a count.

Only one instance runs at a time. It starts with the first event that cannot be parsed, and ends after
a window without another one; the next such event starts it again. Each event is counted first; then, if the
report has ended, another one is started.
"""

import json
import logging
from dataclasses import replace

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import EVENT_FLOOD
from mlevents.orchestration.messages import Failure, Response
from mlevents.responses.flood import MOST_STORED, TOTAL, WINDOW
from mlevents.responses.response_record import ResponseRecord
from mlevents.responses.step_endings import complete_deferred, perform_on_failure

MOST_WINDOWS = 24
INSTANCE = "quarantine.report"
"""The id of the one instance; no response has it, for a response's id ends in a digest."""
FAILURE = Failure(None, None, "quarantined")

log = logging.getLogger("mlevents")


def report_flood(context: OrchestrationContext, text: str) -> Durable[dict[str, int]]:
    """Report the first event, given as its response with its `flood`, and count the others."""
    response = Response.from_json(json.loads(text))
    if response.flood is None:
        raise ValueError(f"the input of {INSTANCE} names no flood")
    record = ResponseRecord(context, response)
    yield from _notify(record)
    reported = 1
    for window in range(2, MOST_WINDOWS + 2):
        yield context.create_timer(WINDOW)
        total = yield from _read_total(context, response.flood.key)
        if total is None:
            continue
        if total <= reported:
            break
        name = f"{window}" if response.attempt == 1 else f"{response.attempt}-{window}"
        record.because = _describe_window(total - reported, response.because)
        steps = tuple(replace(step, id=f"{step.id}.{name}") for step in response.on_failure)
        record.response = replace(response, on_failure=steps)
        yield from _notify(record)
        reported = total
    return {"events": reported}


def _notify(record: ResponseRecord) -> Durable[None]:
    """Perform `on_failure`, also those steps that wait long to be retried."""
    yield from perform_on_failure(record, FAILURE)
    yield from complete_deferred(record)


def _describe_window(more: int, first: str | None) -> str:
    """What the message of a window says."""
    events = "1 more event" if more == 1 else f"{more:,} more events"
    return (
        f"{events} could not be understood within an hour. Of each hour the first {MOST_STORED} are stored, "
        f"the others are in the log only. The first one's problem was: {first}"
    )


def _read_total(context: OrchestrationContext, flood: str) -> Durable[int | None]:
    """How many events were counted; None when the entity gave no answer."""
    try:
        total: int = yield context.call_entity(EntityInstanceId(EVENT_FLOOD, flood), TOTAL)
    except TaskFailedError as error:
        if not context.is_replaying:
            log.warning("the count of %s cannot be read now: %s", flood, error.details.message)
        return None
    return total
