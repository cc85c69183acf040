"""The envelope around an event, whichever schema it follows.

| schema | id | type | time | workspace |
|---|---|---|---|---|
| Event Grid | `id` | `eventType` | `eventTime` | `topic` |
| CloudEvents 1.0 | `id` | `type` | `time` | `source` |
| a printed Python object | `id` | `event_type` | none | `topic` |

Names are read without regard to case and underscores. Members that a dead letter adds are left alone.
"""

from collections.abc import Mapping
from functools import lru_cache
from reprlib import repr as shown
from typing import Any, NamedTuple

from mlevents.errors import EventError
from mlevents.events.content import folded, instant, plain_text, segments
from mlevents.workspace_id import WorkspaceId


class Envelope(NamedTuple):
    """What every event says of itself; `type` is the type on the wire, `members` all there is."""

    id: str
    type: str
    time: str | None
    subject: str
    topic: str
    members: Mapping[str, Any]


def open_envelope(event: Mapping[str, Any]) -> Envelope:
    """The envelope of one event; raises EventError for one without id or type, or with a bad time."""
    members = folded(event, dropped="_")
    return Envelope(
        _required(members, "id"),
        _required(members, "eventType", "type"),
        _time(members),
        _text(members, "subject"),
        _text(members, "topic", "source"),
        members,
    )


def workspace(topic: str) -> dict[str, str]:
    """The parts of a workspace's ARM id, cased as it came; of another topic, as far as it has them."""
    return dict(_read_workspace(topic))


@lru_cache(maxsize=32)  # most events come from few workspaces
def _read_workspace(topic: str) -> Mapping[str, str]:
    try:
        known = WorkspaceId.parse(topic)
    except ValueError:
        return _likely(topic)
    return {
        "name": known.name,
        "resource_group": known.group,
        "subscription": known.subscription,
        "id": topic.removesuffix("/"),
    }


def _likely(topic: str) -> dict[str, str]:
    parts = segments(topic)
    names = {
        "name": parts.get("workspaces"),
        "resource_group": parts.get("resourcegroups"),
        "subscription": parts.get("subscriptions"),
        "id": topic,
    }
    return {name: part for name, part in names.items() if part}


def _text(members: Mapping[str, Any], key: str, other: str | None = None) -> str:
    value = members.get(key.lower(), members.get(other or key))
    if isinstance(value, str):
        return value
    return "" if value is None else plain_text(value, _written(members, key, other))


def _written(members: Mapping[str, Any], key: str, other: str | None) -> str:
    """The one of two names under which the event has the member, else the first."""
    return other if other and other in members and key.lower() not in members else key


def _required(members: Mapping[str, Any], key: str, other: str | None = None) -> str:
    said = members.get(key.lower(), members.get(other or key))
    if isinstance(said, str) and said.strip():
        return said
    _text(members, key, other)  # an object or an array has a message of its own
    found = "is missing" if said is None else f"{shown(said)} is not text"
    names = f"{key} or {other}" if other else key
    raise EventError(f"{found}: every event needs {names} as text", where=_written(members, key, other))


def _time(members: Mapping[str, Any]) -> str | None:
    said = _text(members, "eventTime", "time")
    try:
        return instant(said) if said else None
    except ValueError as error:
        where = _written(members, "eventTime", "time")
        raise EventError(f"{shown(said)} is not an ISO 8601 time", where=where) from error
