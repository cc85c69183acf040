"""Events that are not matched with the rules: from foreign workspaces, or not valid."""

import json
import logging

from mlevents.errors import EventError
from mlevents.events import Event
from mlevents.orchestration.messages import Response
from mlevents.responses.response_id import quarantine_id, refused_id
from mlevents.responses.step_serialization import plan_step, select_named
from mlevents.rules.model import Rules

log = logging.getLogger("mlevents")


def refuse_event(event: Event, rules: Rules) -> Response:
    """An event from a workspace outside the allow-list: recorded, never acted on."""
    allowed = ", ".join(rules.workspaces) or "none"
    because = (
        f"the topic '{event.topic}' is not a workspace of the rule file (allowed: {allowed}): "
        "add it under 'workspaces', or delete the event subscription that sends from it"
    )
    log.warning("event %s refused: %s", event.id, because)
    return Response(id=refused_id(event), rule=None, event=event, status="refused", because=because)


def quarantine_event(raw: str, error: EventError, rules: Rules) -> Response:
    """An event that cannot be understood: its text is kept, and people are notified."""
    log.error("an event is in quarantine: %s", error)
    steps = rules.defaults.on_failure
    return Response(
        id=quarantine_id(raw),
        rule=None,
        event=outline_event(raw),
        status="quarantined",
        because=str(error),
        alert=True,
        on_failure=tuple(map(plan_step, steps)),
        connections=select_named(rules.connections, steps),
        raw=raw,
    )


def outline_event(raw: str) -> Event:
    """The parts that can be read of an event that cannot be understood."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    known = document if isinstance(document, dict) else {}

    def text(*keys: str) -> str:
        found = next((known[key] for key in keys if isinstance(known.get(key), str)), "")
        return found[:1000].encode("utf-8", "replace").decode()

    names = {"id": text("id"), "type": text("eventType", "type"), "subject": text("subject")}
    return Event(
        **names,
        kinds=(),
        time=text("eventTime", "time") or None,
        topic=text("topic", "source"),
        names={"event": {name: value for name, value in names.items() if value}},
    )
