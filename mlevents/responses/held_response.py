"""What a response does before its steps while an operator holds its rule: it waits, and asks its gates again.

A release wakes it up. If that message is lost, it finds out itself: it looks from time to time.
"""

import json
from dataclasses import dataclass
from datetime import UTC, timedelta

from durabletask.task import TaskFailedError, when_any

from mlevents.gates.gate import gate, gates_at
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import READ_HOLDS
from mlevents.orchestration.json_message import JsonMessage
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_errors import GateClosedError
from mlevents.orchestration.versions import FEWER_CALLS_SINCE, HOLDS_SINCE, since
from mlevents.responses.operated_response import OperatedResponse

_FIRST_LOOK, _LONGEST_LOOK = 60.0, 3600.0
"""Seconds after which a held response looks itself whether it is still held; doubled each time."""
UNKNOWN_TURN_WORDS = "hold: it cannot be read now whether the rule is held"


@dataclass(frozen=True, slots=True)
class Turn(JsonMessage):
    """Whether a response may act now: `hold` says why not; `released` that it may, in its order."""

    hold: str | None = None
    released: bool = False


def wait_for_release(record: OperatedResponse) -> Durable[None]:
    """Wait while an operator holds the rule; raises GateClosedError when the response must not act then."""
    if not since(record.context, HOLDS_SINCE):
        return
    if (yield from _wait(record)):
        check_delivery_gates(record)


def is_asked_by_first_step(record: OperatedResponse) -> bool:
    """Whether the first attempt of the first step looks itself for a hold: where nothing comes before it."""
    steps = record.response.steps[len(record.response.kept) :]
    return bool(steps) and not record.response.gates and since(record.context, FEWER_CALLS_SINCE)


def check_delivery_gates(record: OperatedResponse) -> None:
    """Raise GateClosedError when a gate objects to the event now; a rerun does not ask them."""
    if record.response.reruns:
        return
    now = record.context.current_utc_datetime.replace(tzinfo=UTC)
    for name, written in gates_at("delivery", record.response.delivery_gates).items():
        objection = gate.find(name).model_validate(written).objection_to_event(record.response.event, now)
        if objection:
            raise GateClosedError(name, objection)


def _wait(record: OperatedResponse) -> Durable[bool]:
    """Wait as long as the response is held; says whether it was."""
    seconds, was_held = _FIRST_LOOK, False
    while True:
        record.hold = yield from _read_hold(record)
        if record.hold is None:
            return was_held
        was_held = True
        record.publish()
        record.released = False
        timer = record.context.create_timer(timedelta(seconds=seconds))
        yield when_any([timer, record.interruption.queue.event])
        yield from record.interruption.check()
        seconds = min(2 * seconds, _LONGEST_LOOK)


def _read_hold(record: OperatedResponse) -> Durable[str | None]:
    """Why the response has to wait, None if it may act."""
    try:
        text = yield record.context.call_activity(READ_HOLDS, input=to_text(record.response.rule))
    except TaskFailedError:
        return UNKNOWN_TURN_WORDS
    turn = Turn.from_json(json.loads(text))
    return None if turn.released and record.released else turn.hold
