"""Which of the events that are delivered some rule expects, and the entities that have to know of them."""

from collections.abc import Iterator
from datetime import datetime

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityInstanceId

from mlevents.canonical import canonical_resource_id, join_parts
from mlevents.errors import EventError
from mlevents.events import parse
from mlevents.gates.expect import ARRIVE, Expect, describe_arrival
from mlevents.matching.derivation import derive_once
from mlevents.orchestration.serialization import to_text
from mlevents.responses.gate_state import gate_state_id
from mlevents.rules.model import Rules
from mlevents.settings import Settings


def find_arrivals(
    raw: str, rules: Rules, settings: Settings, now: datetime
) -> Iterator[tuple[EntityInstanceId, str]]:
    """The entity of each rule that expects this event, and the text of its operation.

    An event that no rule expects leads to none, and where no rule expects any, it is not even parsed.
    """
    waiting = _list_waiting(rules)
    if not waiting or settings.mode == "disabled":
        return
    try:
        event = parse(raw)
    except EventError:
        return
    for rule, own in waiting if rules.allows(event.topic) else ():
        key = own.expected_events.find_key(event)
        if key is not None:
            scope = find_scope(event.topic, rules) if own.every else canonical_resource_id(event.topic)
            entity = gate_state_id("expect", rule, join_parts(scope, key))
            yield entity, to_text(describe_arrival(event, own, now))


@derive_once
def _list_waiting(rules: Rules) -> tuple[tuple[str, Expect], ...]:
    """The rules that expect an event, each with its gate."""
    return tuple(
        (rule.id, own)
        for rule in rules.rules
        if rule.mode != "disabled" and isinstance(own := rule.gates.get("expect"), Expect)
    )


def find_scope(topic: str, rules: Rules) -> str:
    """Where `every` counts: in each workspace that the file lists, or everywhere if it lists none."""
    return canonical_resource_id(topic) if rules.workspaces else ""


async def record_arrivals(
    raw: str, rules: Rules, settings: Settings, client: AsyncTaskHubGrpcClient, now: datetime
) -> None:
    """Record an event for each rule that expects it; raises if that fails, so the event is redelivered."""
    for entity, text in find_arrivals(raw, rules, settings, now):
        await client.signal_entity(entity, ARRIVE, text)
