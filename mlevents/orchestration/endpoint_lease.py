"""The entity EndpointLease, one for each endpoint: who may change it, and who is waiting.

Entity messages may arrive twice, late, or in another order (`entityMessageReorderWindowInMinutes` is 0 in
host.json). So each operation is a *statement* by one orchestration, which numbers its statements in order. A
statement that is not newer than the last one of its instance changes nothing. The answer to each statement
is the state of the entity.

| operation | says |
|---|---|
| `acquire` | I want the endpoint; granted when no one holds it, and `record` is kept then |
| `renew` | I still hold it; others can restore the traffic from `record` if I cannot |
| `release_completed` | I have completed and no longer hold it; until the next holder, `record` says so |
| `take_over` | the instance `holder` has ended or is silent; no effect if it has made a statement since |
| `release` | I no longer hold it or wait for it |
| `look` | nothing; it only reads |
| `forget` | this state, as text, was old when it was read: it is emptied, unless it has changed since |

`completed` is the one that has completed and whose answer `record` still is. Another start of
it, or one that takes over from it, holds the lease with that record; that of any other holder replaces it.

`gone` lists waiting instances that have ended, each with its last number; they are removed. Expiry needs no
clock here: each waiting orchestration counts its own waits, see `lease`.
"""

import json
from typing import Any

from durabletask.client import TaskHubGrpcClient
from durabletask.entities import EntityContext, EntityInstanceId

from mlevents.orchestration.function_names import ENDPOINT_LEASE
from mlevents.orchestration.lease_messages import (
    Holder,
    LeaseClaim,
    LeaseState,
    LeaseView,
    Statement,
    Ticket,
)
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_id import is_other_start

ACQUIRE, RENEW, TAKE_OVER, RELEASE, LOOK = "acquire", "renew", "take_over", "release", "look"
RELEASE_COMPLETED, FORGET = "release_completed", "forget"
MOST_REMEMBERED = 100
"""Instances that have left and whose last number is still known, so that a late repetition is recognised."""


def endpoint_lease(context: EntityContext, text: Any) -> str:
    """Apply one statement, as JSON text; gives what its orchestration may know, as JSON text."""
    stored: str | None = context.get_state(str)
    if context.operation == FORGET:
        if stored == text:
            context.set_state(None)
        return ""
    state, statement = read_state(stored), Statement.from_json(json.loads(text))
    apply_statement(state, context.operation, statement)
    if context.operation != LOOK:
        context.set_state(to_text(state.to_json()))
    return to_text(view_of(state, statement.id).to_json())


def find_loss(client: TaskHubGrpcClient, claim: LeaseClaim) -> str | None:
    """Why an orchestration must not write: another one has its lease; None when it has it still."""
    entity = client.get_entity(EntityInstanceId(ENDPOINT_LEASE, claim.key))
    holder = read_state(entity.get_typed_state(str) if entity else None).holder
    return None if holder is not None and holder.id == claim.id else describe_loss(holder)


def describe_loss(holder: Holder | None) -> str:
    """What people read of a lease that was lost to this holder."""
    by = holder.id if holder else "nobody"
    return f"the endpoint was taken over by {by}: nothing more is written to it"


def read_state(text: str | None) -> LeaseState:
    """The state; an empty one at first."""
    return LeaseState.from_json(json.loads(text)) if text else LeaseState(None, None, {}, {})


def is_idle(state: LeaseState) -> bool:
    """Whether nobody holds the lease or waits for it."""
    return state.holder is None and not state.waiting


def apply_statement(state: LeaseState, operation: str, statement: Statement) -> None:
    """Change the state by one statement, unless it is a repetition or too late."""
    if operation == LOOK:
        return
    change, known = CHANGES[operation], state.known.get(statement.id)
    if known is not None and statement.number <= known:
        return
    state.known.pop(statement.id, None)
    state.known[statement.id] = statement.number
    for ended in statement.gone:
        if ended.id in state.waiting and state.waiting[ended.id].number == ended.number:
            del state.waiting[ended.id]
    change(state, statement)
    _forget(state)


def view_of(state: LeaseState, instance: str) -> LeaseView:
    """Who holds the endpoint, and who waits; the record for the holder alone, if there is one."""
    waiting = tuple(ticket for ticket in state.waiting.values() if ticket.id != instance)
    record = state.record if state.holder is None or _is_held_by(state, instance) else None
    return LeaseView(state.holder, waiting, record, state.completed)


def _is_held_by(state: LeaseState, instance: str) -> bool:
    return state.holder is not None and state.holder.id == instance


def _acquire(state: LeaseState, statement: Statement) -> None:
    if state.holder is None or _is_held_by(state, statement.id):
        _hold(state, statement)
    else:
        ticket = Ticket(statement.id, statement.number, statement.order)
        state.waiting[statement.id] = ticket


def _renew(state: LeaseState, statement: Statement) -> None:
    if _is_held_by(state, statement.id):
        _hold(state, statement)
        state.record, state.completed = statement.record, None


def _release_completed(state: LeaseState, statement: Statement) -> None:
    if _is_held_by(state, statement.id):
        state.holder, state.record, state.completed = None, statement.record, statement.id


def _take_over(state: LeaseState, statement: Statement) -> None:
    if state.holder is None or state.holder.latest == statement.holder:
        _hold(state, statement)


def _release(state: LeaseState, statement: Statement) -> None:
    state.waiting.pop(statement.id, None)
    if _is_held_by(state, statement.id):
        state.holder = state.record = state.completed = None


def _hold(state: LeaseState, statement: Statement) -> None:
    if state.holder is None and not _may_ask_for_answer(state, statement):
        state.record, state.completed = statement.record, None
    state.holder = Holder(statement.id, statement.number, statement.ttl)
    state.waiting.pop(statement.id, None)


def _may_ask_for_answer(state: LeaseState, statement: Statement) -> bool:
    """Whether the answer of the one that has completed may be what the next holder needs.

    That is so for another start of it, and for one that found it still holding the lease, and ended.
    """
    completed, former = state.completed, statement.holder
    if completed is None:
        return False
    return is_other_start(completed, statement.id) or (former is not None and former.id == completed)


def _forget(state: LeaseState) -> None:
    holder = state.holder.id if state.holder else None
    gone = [one for one in state.known if one != holder and one not in state.waiting]
    for one in gone[: max(0, len(gone) - MOST_REMEMBERED)]:
        del state.known[one]


CHANGES = {
    ACQUIRE: _acquire,
    RENEW: _renew,
    RELEASE_COMPLETED: _release_completed,
    TAKE_OVER: _take_over,
    RELEASE: _release,
}
