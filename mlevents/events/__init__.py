"""Azure Machine Learning's events: any envelope and any casing become one normalised Event."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from reprlib import repr as shown
from typing import Any

from mlevents.canonical import canonical_event_id, canonical_resource_id, join_parts
from mlevents.errors import EventError
from mlevents.events.content import Content, folded
from mlevents.events.document import check_characters, check_size, text_of, value_of
from mlevents.events.envelope import Envelope, open_envelope, workspace
from mlevents.events.event_type import EventType, Fields, NameType, event_type

DEPTH_TAG = "mlevents.depth"
DEPTH_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Event:
    """One event, normalised.

    `type` is our word for the type, or the type on the wire when it is unknown. `kinds` is what rules
    may ask for, the event's own kind first, none for an unknown type. `time` is ISO 8601 in UTC.
    `topic` is the workspace's ARM id as sent. `names` holds plain JSON; what is absent is left out,
    but tags, properties and lists of models are always there.
    """

    id: str
    type: str
    kinds: tuple[str, ...]
    time: str | None
    subject: str
    topic: str
    names: Mapping[str, Any]

    def identity(self, kind: str) -> str:
        """What makes it the same event to rules that ask for this kind, whatever the case of its topic.

        A v2 breach is on every later event of its run: as a drift it is one by run and signal.
        """
        drift = self.names.get("drift", {})
        topic = canonical_resource_id(self.topic)
        if kind == "drift.detected" and drift.get("generation") == "v2" and "run" in drift:
            return join_parts("drift", topic, drift["run"], drift.get("signal"))
        return join_parts("event", topic, canonical_event_id(self.id))

    @property
    def depth(self) -> int:
        """How many responses led to this event, by the tag that they leave; 0 when none did."""
        return max((read_depth(root.get("tags", {})) for root in self.names.values()), default=0)

    def to_json(self) -> dict[str, Any]:
        """The event as plain JSON, from which `from_json` makes an equal one."""
        return asdict(self) | {"kinds": list(self.kinds)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Event":
        """The event that `to_json` wrote, perhaps that of another version of this app."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(**{**known, "kinds": tuple(document["kinds"])})


def parse(document: str | bytes | Mapping[str, Any]) -> Event:
    """The one event of a document: an object, or an array that holds exactly one.

    Raises EventError, and nothing else, for what can never be understood. Equal texts have the same event.
    """
    return _parse_text(text_of(document))


@lru_cache(maxsize=4)  # what a delivery decides and what it records each begin with its text
def _parse_text(text: str) -> Event:
    check_size(text)
    value = value_of(text)
    if isinstance(value, list):
        if len(value) != 1:
            raise EventError(f"the array contains {len(value)} events, but must contain one")
        value = value[0]
    if not isinstance(value, dict):
        raise EventError(f"an event must be an object, not {shown(value)}")
    check_characters(value, text)
    return _event(value)


def parse_all(document: str | bytes | list[Any] | Mapping[str, Any]) -> list[Event | EventError]:
    """Every event of an array or object, in its order, or the error in its place.

    Raises EventError when the document as a whole is no JSON. Its size is not limited, an event's is.
    """
    value = document if isinstance(document, list) else value_of(text_of(document))
    return [_event_or_error(element) for element in (value if isinstance(value, list) else [value])]


def _event_or_error(element: Any) -> Event | EventError:
    if not isinstance(element, Mapping):
        return EventError(f"an event must be an object, not {shown(element)}")
    try:
        return parse(element)
    except EventError as error:
        return error


def _event(value: dict[str, Any]) -> Event:
    envelope = open_envelope(value)
    known = _TYPES.get(envelope.type.lower())
    kinds, roots = _read(known, envelope) if known else ((), {})
    word = known.kind if known else envelope.type
    names = {"event": _own(envelope, word), "workspace": workspace(envelope.topic), **roots}
    return Event(envelope.id, word, kinds, envelope.time, envelope.subject, envelope.topic, names)


def _own(envelope: Envelope, word: str) -> dict[str, str]:
    named = {"id": envelope.id, "type": word}
    if envelope.time:
        named["time"] = envelope.time
    if envelope.subject:
        named["subject"] = envelope.subject
    return named


def _read(known: type[EventType], envelope: Envelope) -> tuple[tuple[str, ...], dict[str, Any]]:
    members = envelope.members.get("data")
    if not isinstance(members, dict):
        raise EventError(f"a {known.kind} event must contain an object, not {shown(members)}", where="data")
    # Keys next to `data` replace those that it lacks: runStatus was observed there.
    content = Content({**envelope.members, **folded(members)}, envelope.subject)
    derived = [other for other in known.derived if other.holds(content)]
    roots = _names(known.fields, content)
    root, field = known.about
    if field not in roots[root]:
        raise EventError(
            f"the {field} of the {root} is missing, in the data and in the subject", where="data"
        )
    for other in derived:
        roots |= _names(other.fields, content)
    return (known.kind, *[other.kind for other in derived]), roots


def _names(fields: Fields, content: Content) -> dict[str, Any]:
    return {
        root: {name: said for name, field in named.items() if (said := field.read(content)) is not None}
        for root, named in fields.items()
    }


def read_depth(tags: Mapping[str, Any]) -> int:
    """How many responses led to what has these tags; 0 when none did."""
    text = tags.get(DEPTH_TAG)
    return int(text) if isinstance(text, str) and _is_count(text) else 0


def _is_count(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= DEPTH_DIGITS


def _catalogue() -> dict[str, dict[str, dict[str, NameType]]]:
    """The names that events of each kind can have, by root, with their types."""
    catalogue: dict[str, dict[str, dict[str, NameType]]] = {}
    for _, known in event_type.items():
        _enter(catalogue, known.kind, known.fields)
        for other in known.derived:
            _enter(catalogue, other.kind, known.fields)
            _enter(catalogue, other.kind, other.fields)
    return catalogue


def _enter(catalogue: dict[str, dict[str, dict[str, NameType]]], kind: str, fields: Fields) -> None:
    roots = catalogue.setdefault(kind, {root: dict(named) for root, named in _EVERYWHERE.items()})
    for root, named in fields.items():
        roots.setdefault(root, {}).update({name: field.type for name, field in named.items()})


_EVERYWHERE: Mapping[str, Mapping[str, NameType]] = {
    "event": dict.fromkeys(("id", "type", "time", "subject"), "text"),
    "workspace": dict.fromkeys(("name", "resource_group", "subscription", "id"), "text"),
}
_TYPES = {wire.lower(): known for wire, known in event_type.items()}
NAMES: Mapping[str, Mapping[str, Mapping[str, NameType]]] = _catalogue()
