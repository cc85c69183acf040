"""The recent events: a bounded ring, so that "why did nothing happen" has an answer without a saved event.

The ring is in the entities RecentEvents, one for each of `SHARDS`. An instance of the app writes to one,
a batch at a time. Operations may be repeated and reordered: an event has a key, and the ring is sorted.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, ClassVar

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityContext, EntityInstanceId

from mlevents.errors import EventError
from mlevents.events import Event, parse
from mlevents.matching.match import match_rule
from mlevents.matching.rule_protocol import MatchableRules, NamedRule
from mlevents.orchestration.function_names import RECENT_EVENTS
from mlevents.orchestration.json_message import Json, JsonMessage
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.size_limits import cut_document, cut_text, json_units

SHARDS = 4
"""Entities of the ring: one would be written by all instances of the app, and read as quickly as four."""
ADD = "add"
EVENT_UNITS, MOST_RULES_SHOWN = 4000, 50


@dataclass(frozen=True, slots=True)
class RecentEvent(JsonMessage):
    """One delivered event. `received` is ISO 8601, UTC; `time` is the event's own.

    `decision` is `matched`, `unmatched`, `redelivered`, `refused`, `quarantined`, `disabled` or `failed`;
    `rules` are those that do not match, each with the first condition that failed. `event` is the whole
    event, unless it is long or could not be understood.
    """

    key: str
    received: str
    id: str
    type: str
    subject: str
    time: str | None
    topic: str
    decision: str
    because: str | None = None
    responses: tuple[str, ...] = ()
    rules: tuple[Json, ...] = ()
    event: Json | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"responses": tuple, "rules": tuple}


def find_failed_conditions[R: NamedRule](
    raw: str, rules: MatchableRules[R] | None
) -> tuple[Event, tuple[Json, ...]]:
    """A delivered event, and for each rule that does not match the first condition that failed."""
    try:
        event = parse(raw)
    except EventError:
        from mlevents.responses.quarantine import outline_event

        return outline_event(raw), ()
    failed = ((rule.id, match_rule(rule, event).failed) for rule in (rules.rules if rules else ()))
    return event, tuple(
        {"id": rule, "path": one.path, "wanted": one.wanted, "found": one.found}
        for rule, one in islice(failed, MOST_RULES_SHOWN)
        if one
    )


def cut_event(event: RecentEvent) -> Json:
    """The event as JSON, cut to a limit; the whole event only if it is within one."""
    whole = event.event if event.event and json_units(event.event) <= EVENT_UNITS else None
    document = cut_document(replace(event, event=None).to_json(), EVENT_UNITS)
    return {**document, "event": whole} if whole else document


def recent_events(context: EntityContext, text: Any) -> None:
    """`add` puts a batch into the ring, and drops what is beyond its number or age."""
    if context.operation != ADD:
        raise ValueError(f"the entity RecentEvents has the operation 'add', not '{context.operation}'")
    batch = json.loads(text)
    known = json.loads(context.get_state(str) or "[]")
    context.set_state(to_text(join_ring(known, batch["events"], batch["most"], batch["since"])))


def join_ring(known: Sequence[Json], added: Sequence[Json], most: int, since: str) -> list[Json]:
    """The latest `most` events that were received at `since` or later, each once, the oldest first."""
    found = {one["key"]: one for one in (*known, *added) if one.get("received", "") >= since}
    return sorted(found.values(), key=lambda one: (one["received"], one["key"]))[-most:]


async def store_events(
    client: AsyncTaskHubGrpcClient, shard: int, events: Iterable[Json], limits: tuple[int, float]
) -> None:
    """Add a batch to the ring; `limits` are the number of events and their age in seconds."""
    most, age = limits
    since = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    batch = {"events": list(events), "most": max(1, most // SHARDS), "since": since}
    await client.signal_entity(EntityInstanceId(RECENT_EVENTS, str(shard)), ADD, to_text(batch))


async def read_recent_events(client: AsyncTaskHubGrpcClient) -> list[Json]:
    """Every event of the ring, the latest first."""
    found: list[Json] = []
    for shard in range(SHARDS):
        entity = await client.get_entity(EntityInstanceId(RECENT_EVENTS, str(shard)))
        found += json.loads((entity and entity.get_typed_state(str)) or "[]")
    return sorted(found, key=lambda one: one["received"], reverse=True)


def shorten(text: object) -> str | None:
    """A reason in one line."""
    return cut_text(" ".join(str(text).split()), 500) if text else None
