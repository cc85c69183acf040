"""The entity Holds: what operators hold, single rules or everything, and what they are releasing.

There is one, under the key `HOLDS_KEY`. Messages may arrive twice, late or in another order: the times of the
verbs decide, and each verb's time is later than those that its caller knew. Which responses wait is not
stored here: their custom statuses say so.

| operation | says |
|---|---|
| `hold` | from now on, the events of a rule wait, or of every rule |
| `release` | they need not wait any more; until all have acted in order, later events wait behind them |
| `complete` | nothing waits any more: the release is complete |
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from durabletask.client import AsyncTaskHubGrpcClient, TaskHubGrpcClient
from durabletask.entities import EntityContext, EntityInstanceId

from mlevents.orchestration.function_names import HOLDS
from mlevents.orchestration.intervention import HOLD_VERB, RELEASE_VERB, Intervention
from mlevents.orchestration.json_message import JsonMessage, read_each_value
from mlevents.orchestration.serialization import to_text

HOLDS_KEY = "all"
COMPLETE = "complete"
EVERYTHING = "*"
"""The scope of a hold of every rule; no rule has this id."""
MOST_VERBS = 200
"""Verbs that are remembered, so that their callers see that they have arrived."""


@dataclass(frozen=True, slots=True)
class HoldChange(JsonMessage):
    """What an operation says: `scope` is the id of a rule, or EVERYTHING."""

    scope: str
    intervention: Intervention

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"intervention": Intervention.from_json}


@dataclass(slots=True)
class HoldState(JsonMessage):
    """What the entity keeps: the holds and the releases under way by scope, and the ids of the last verbs.

    `held` and `released` are the times (ISO 8601) of the latest hold and release of each scope.
    """

    holds: dict[str, Intervention]
    releases: dict[str, Intervention]
    verbs: tuple[str, ...] = ()
    held: dict[str, str] = field(default_factory=dict)
    released: dict[str, str] = field(default_factory=dict)

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "holds": read_each_value(Intervention.from_json),
        "releases": read_each_value(Intervention.from_json),
        "verbs": tuple,
    }

    def find_hold(self, rule: str | None) -> Intervention | None:
        """The verb that holds this rule: its own hold, else that of everything."""
        return self.holds.get(rule or "") or self.holds.get(EVERYTHING)

    def find_release(self, rule: str | None) -> Intervention | None:
        """The verb whose release lets the events of this rule act now, in order; None while it is held."""
        if self.find_hold(rule):
            return None
        return self.releases.get(rule or "") or self.releases.get(EVERYTHING)

    def choose_time(self, scope: str, now: datetime) -> datetime:
        """The time of a new verb: now, or just after the latest one of this scope where a clock is behind."""
        known = [times[scope] for times in (self.held, self.released) if scope in times]
        return max([now, *(datetime.fromisoformat(time) + timedelta(microseconds=1) for time in known)])


def read_hold_state(text: str | None) -> HoldState:
    """The state of the entity; an empty one at first."""
    return HoldState.from_json(json.loads(text)) if text else HoldState({}, {})


async def read_holds(client: AsyncTaskHubGrpcClient) -> HoldState:
    """What operators hold now: one read of the task hub."""
    entity = await client.get_entity(EntityInstanceId(HOLDS, HOLDS_KEY))
    return read_hold_state(entity.get_typed_state(str) if entity else None)


def may_wait(client: TaskHubGrpcClient, rule: str | None) -> bool:
    """Whether a response of this rule must ask for its turn: the rule is held or released, or is unknown."""
    try:
        entity = client.get_entity(EntityInstanceId(HOLDS, HOLDS_KEY))
        state = read_hold_state(entity.get_typed_state(str) if entity else None)
    except Exception:  # noqa: BLE001 - whatever keeps the state from being read: the response waits
        return True
    return bool(state.find_hold(rule) or state.find_release(rule))


async def change_holds(client: AsyncTaskHubGrpcClient, operation: str, change: HoldChange) -> None:
    """Send an operation to the entity."""
    await client.signal_entity(EntityInstanceId(HOLDS, HOLDS_KEY), operation, to_text(change.to_json()))


def keep_holds(context: EntityContext, text: Any) -> None:
    """Apply one operation, as JSON text."""
    if context.operation not in HOLD_CHANGES:
        known = ", ".join(f"'{name}'" for name in HOLD_CHANGES)
        raise ValueError(f"the entity Holds has the operations {known}, not '{context.operation}'")
    state, change = read_hold_state(context.get_state(str)), HoldChange.from_json(json.loads(text))
    HOLD_CHANGES[context.operation](state, change)
    context.set_state(to_text(state.to_json()))


def _hold(state: HoldState, change: HoldChange) -> None:
    _remember(state, change, state.held)
    if change.scope not in state.holds and _is_held(state, change.scope):
        state.holds[change.scope] = change.intervention
        state.releases.pop(change.scope, None)


def _release(state: HoldState, change: HoldChange) -> None:
    _remember(state, change, state.released)
    if change.scope in state.holds and not _is_held(state, change.scope):
        del state.holds[change.scope]
        state.releases[change.scope] = change.intervention


def _complete(state: HoldState, change: HoldChange) -> None:
    known = state.releases.get(change.scope)
    if known is not None and known.id == change.intervention.id:
        del state.releases[change.scope]


def _remember(state: HoldState, change: HoldChange, times: dict[str, str]) -> None:
    """Note that a verb has arrived, and its time if it is the latest."""
    scope, intervention = change.scope, change.intervention
    if intervention.id not in state.verbs:
        state.verbs = (*state.verbs, intervention.id)[-MOST_VERBS:]
    if scope not in times or datetime.fromisoformat(times[scope]) < datetime.fromisoformat(intervention.time):
        times[scope] = intervention.time


def _is_held(state: HoldState, scope: str) -> bool:
    """Whether the latest verb of a scope holds it; of two at the same moment, the hold counts."""
    held, released = state.held.get(scope), state.released.get(scope)
    if held is None or released is None:
        return held is not None
    return datetime.fromisoformat(held) >= datetime.fromisoformat(released)


HOLD_CHANGES: Mapping[str, Callable[[HoldState, HoldChange], None]] = {
    HOLD_VERB: _hold,
    RELEASE_VERB: _release,
    COMPLETE: _complete,
}
