"""The entity EndpointLease, one for each endpoint: who may change it, and who waits for that.

Entity messages may arrive twice, late, or in another order (`entityMessageReorderWindowInMinutes` is 0 in
host.json). So each operation is a *statement* by one orchestration, numbered in the order in which it makes
them: a statement that is not newer than the last known one of its instance changes nothing. Every statement
is answered with what the entity knows by then.

| operation | says |
|---|---|
| `acquire` | I want the endpoint; granted when nobody holds it |
| `renew` | I still hold it; `record` is what is needed to put the traffic back if I cannot |
| `take_over` | the holder named in `holder` has ended or is silent; nothing if it has said something since |
| `release` | I am gone, whether I held it or waited |
| `look` | nothing |

`gone` lists waiting instances that have ended, each with its last number; they are dropped. Expiry needs no
clock here: who waits counts its own waiting, see `lease`.
"""

import json
from collections.abc import Mapping
from typing import Any

from durabletask.entities import EntityContext

from mlevents.orchestration.serialization import to_text

ACQUIRE, RENEW, TAKE_OVER, RELEASE, LOOK = "acquire", "renew", "take_over", "release", "look"
MOST_REMEMBERED = 100
"""Instances that are gone and whose last number is still known, so that a late repetition is one."""

Number = list[Any]
"""When an orchestration began (ISO 8601) and how many statements it has made: greater is later."""
State = dict[str, Any]
"""`holder` ({id, n, ttl} or None), `record`, `waiting` by id ({n, key, by}), `known` numbers by id."""
Statement = Mapping[str, Any]


def endpoint_lease(context: EntityContext, text: Any) -> str:
    """Take one statement, as JSON text; gives what it may know, as JSON text."""
    state, statement = loaded(context.get_state(str)), json.loads(text)
    take(state, context.operation, statement)
    if context.operation != LOOK:
        context.set_state(to_text(state))
    return to_text(known_to(state, statement["id"]))


def loaded(text: str | None) -> State:
    """The state; an empty one at first."""
    found: State = json.loads(text) if text else {"holder": None, "record": None, "waiting": {}, "known": {}}
    return found


def take(state: State, operation: str, statement: Statement) -> None:
    """Change the state by one statement, unless it is a repetition or too late."""
    if operation == LOOK:
        return
    change, instance = CHANGES[operation], statement["id"]
    if instance in state["known"] and statement["n"] <= state["known"][instance]:
        return
    state["known"].pop(instance, None)
    state["known"][instance] = statement["n"]
    for ghost, number in statement.get("gone", ()):
        if state["waiting"].get(ghost, {}).get("n") == number:
            del state["waiting"][ghost]
    change(state, statement)
    _forget(state)


def known_to(state: State, instance: str) -> dict[str, Any]:
    """Who holds the endpoint, and who waits; the record for the holder alone."""
    waiting = [{"id": one, **ticket} for one, ticket in state["waiting"].items() if one != instance]
    known = {"holder": state["holder"], "waiting": waiting}
    holds = state["holder"] is not None and state["holder"]["id"] == instance
    return {**known, "record": state["record"]} if holds else known


def _acquire(state: State, statement: Statement) -> None:
    if state["holder"] is None or state["holder"]["id"] == statement["id"]:
        _hold(state, statement)
    else:
        ticket = {name: statement[name] for name in ("n", "key", "by") if name in statement}
        state["waiting"][statement["id"]] = ticket


def _renew(state: State, statement: Statement) -> None:
    if state["holder"] is not None and state["holder"]["id"] == statement["id"]:
        _hold(state, statement)
        state["record"] = statement.get("record")


def _take_over(state: State, statement: Statement) -> None:
    holder = state["holder"]
    if holder is None or [holder["id"], holder["n"]] == statement["holder"]:
        _hold(state, statement)


def _release(state: State, statement: Statement) -> None:
    state["waiting"].pop(statement["id"], None)
    if state["holder"] is not None and state["holder"]["id"] == statement["id"]:
        state["holder"] = state["record"] = None


def _hold(state: State, statement: Statement) -> None:
    state["holder"] = {name: statement[name] for name in ("id", "n", "ttl")}
    state["waiting"].pop(statement["id"], None)


def _forget(state: State) -> None:
    holder = state["holder"]["id"] if state["holder"] else None
    gone = [one for one in state["known"] if one != holder and one not in state["waiting"]]
    for one in gone[: max(0, len(gone) - MOST_REMEMBERED)]:
        del state["known"][one]


CHANGES = {ACQUIRE: _acquire, RENEW: _renew, TAKE_OVER: _take_over, RELEASE: _release}
