"""Events as Event Grid takes and gives them, in its own schema and in CloudEvents 1.0."""

import json
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]

LIMIT = 1024 * 1024
GRID_MEMBERS = ("id", "subject", "eventType", "eventTime")
CLOUD_MEMBERS = ("id", "source", "type")
DEAD_MEMBERS = (
    "deadLetterReason",
    "deliveryAttempts",
    "lastDeliveryOutcome",
    "publishTime",
    "lastDeliveryAttemptTime",
)


class RefusedError(Exception):
    """Event Grid does not take a publication; `status` is its answer."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


def parse_publication(body: bytes, topic: str) -> list[Event]:
    """The events of a publication, the topic filled in where one leaves it out; raises RefusedError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the request's body is not JSON: {error}") from error
    events = document if isinstance(document, list) else [document]
    for place, event in enumerate(events):
        _check(event, place)
    return [
        event if is_cloud(event) else {"topic": topic, "metadataVersion": "1", **event} for event in events
    ]


def is_cloud(event: Event) -> bool:
    """Whether the event is in the CloudEvents schema; some write specVersion."""
    return "specversion" in event or "specVersion" in event


def versions(event: Event) -> dict[str, str]:
    """The headers that tell the versions of the event's data and of its envelope."""
    metadata = event.get("specversion", event.get("specVersion", event.get("metadataVersion", "1")))
    return {
        "aeg-data-version": str(event.get("dataVersion", event.get("dataversion", ""))),
        "aeg-metadata-version": str(metadata),
    }


def content(event: Event) -> tuple[str, str]:
    """The body that carries one event, and its media type."""
    if is_cloud(event):
        return json.dumps(event), "application/cloudevents+json"
    return json.dumps([event]), "application/json"


def dead_letter(event: Event, *details: object) -> Event:
    """The event as a dead letter; `details` are those of DEAD_MEMBERS in order."""
    members = dict(zip(DEAD_MEMBERS, details, strict=True))
    return {
        **event,
        **({name.lower(): value for name, value in members.items()} if is_cloud(event) else members),
    }


def moment(time: datetime) -> str:
    """A time as Event Grid writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def _check(event: object, place: int) -> None:
    if not isinstance(event, dict):
        raise RefusedError(400, f"event {place} is {json.dumps(event)[:100]}: an event is a JSON object")
    members = CLOUD_MEMBERS if is_cloud(event) else GRID_MEMBERS
    for member in members:
        value = event.get(member)
        if not isinstance(value, str) or not (value or member == "subject"):
            shown = json.dumps(value)[:100] if member in event else "missing"
            raise RefusedError(400, f"event {place}: '{member}' is {shown}: give a text")
    size = len(json.dumps(event, ensure_ascii=False).encode(errors="replace"))
    if size > LIMIT:
        raise RefusedError(413, f"event {place} ('{event['id']}') is {size} bytes: Event Grid takes {LIMIT}")
