"""What one event says: its members read without regard to case, its subject, its times."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from reprlib import repr as shown
from typing import Any

from mlevents.errors import EventError

EMPTY: tuple[Any, ...] = (None, "", [], {})
_ONLY_TEXT = frozenset({str})
_NUMERIC = (int, float, str)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def folded(members: Mapping[str, Any], dropped: str = "") -> dict[str, Any]:
    """The members that are not null, under lower-case names without a character.

    Names that differ only in case, or in this character, are one: see `merged`.
    """
    found: dict[str, Any] = {}
    for key, value in members.items():
        if value is not None:
            name = key.replace(dropped, "").lower() if dropped else key.lower()
            found[name] = merged(found[name], value) if name in found else value
    return found


def merged(first: Any, second: Any, depth: int = 2) -> Any:
    """One value of two that an event gives for one name: two objects are joined, key by key.

    Of two others the first that says something stays: null, an empty text, list or object say nothing.
    `depth` bounds how far objects inside objects are joined: `data`, then tags and properties.
    """
    if not (isinstance(first, dict) and isinstance(second, dict) and depth):
        return second if first in EMPTY else first
    joined = dict(first)
    for key, value in second.items():
        joined[key] = merged(first[key], value, depth - 1) if key in first else value
    return joined


def segments(path: str) -> dict[str, str]:
    """`/models/net:3` as `{"models": "net:3"}`: each collection, in lower case, and what it names."""
    parts = path.strip("/").split("/")
    return dict(zip(map(str.lower, parts[::2]), parts[1::2], strict=False))


def json_text(value: Any) -> str:
    """Text as it is, anything else as its JSON text: 20 is `20`, 1.0 is `1.0`, true is `true`."""
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else _ENCODER.encode(value)


def plain_text(value: Any, where: str) -> str:
    """Text, or the text of a number or a truth value; raises EventError for an object or array."""
    if isinstance(value, dict | list):
        raise EventError(f"is {shown(value)}, not text", where=where)
    return json_text(value)


def number_of(value: object) -> float | None:
    """A number, or text that is one; None for anything else, and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, _NUMERIC):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def instant(text: str) -> str:
    """An ISO 8601 time as UTC in microseconds at most; without an offset it is UTC already.

    Azure sends up to nine fraction digits. Raises ValueError for what is no time.
    """
    moment = datetime.fromisoformat(text.strip().upper())
    try:
        utc = moment if moment.tzinfo in (None, UTC) else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text} is outside the calendar") from error
    return utc.replace(tzinfo=None).isoformat() + "Z"


class Content:
    """The `data` of an event, with its subject to fall back on.

    `members` have lower-case names and no nulls; names inside tags and properties stay untouched.
    """

    def __init__(self, members: Mapping[str, Any], subject: str) -> None:
        self.members = members
        self._subject = subject
        self._texts: dict[str, dict[str, str]] = {}

    @cached_property
    def subject(self) -> dict[str, str]:
        """What the subject names, by collection."""
        return segments(self._subject)

    def text(self, *keys: str, subject: tuple[str, ...] = ()) -> str | None:
        """The first of these members that says something, else what the subject says."""
        for key in keys:
            value = self.members.get(key.lower())
            if value and isinstance(value, str):
                return value
            if value is not None and (said := plain_text(value, f"data.{key}")):
                return said
        for part in subject:
            if named := self.subject.get(part):
                return named
        return None

    def texts(self, key: str) -> dict[str, str]:
        """Tags or properties, empty when missing or null; raises EventError unless an object."""
        if key not in self._texts:
            value = self.members.get(key.lower(), {})
            if not isinstance(value, dict):
                raise EventError(f"is {shown(value)}, not an object", where=f"data.{key}")
            if not _ONLY_TEXT.issuperset(map(type, value.values())):
                value = {name: json_text(said) for name, said in value.items() if said is not None}
            self._texts[key] = value
        return self._texts[key]

    def number(self, key: str) -> float | None:
        """A number, or text that is one; nothing when it cannot be read."""
        return number_of(self.members.get(key.lower()))

    def instant(self, key: str) -> str | None:
        """A time in UTC, or the text as it was sent when it is no time."""
        said = self.text(key)
        try:
            return instant(said) if said else None
        except ValueError:
            return said
