"""What the keys of a deployment document hold: each kind of value translates it, and finds what is wrong.

Azure ML refuses what azure-ai-ml's schema refuses, and what the published schema of Resource Manager refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.registry import suggest_names
from mlevents.yamlfile.positions import PathProblem, join_path
from mlevents.yamlfile.scalars import quote

_LONGEST = 10**9
"""The longest time in a document, in its unit."""
_WORDS = ("f", "false", "n", "no", "off", "on", "t", "true", "y", "yes")
_TRUTH = frozenset({0, 1, "0", "1", *(form for one in _WORDS for form in (one, one.upper(), one.title()))})
"""What azure-ai-ml reads as true or false."""


class UntranslatedError(ValueError):
    """A part of a document that is not translated here; it may be valid or not."""


type KeyKind = KeyValue | KeyFields | KeyTexts
"""What a key holds. `read` translates it for Resource Manager, and raises UntranslatedError for a value that
only azure-ai-ml may judge; `find_faults` gives what Azure ML refuses, except in texts with `${`."""


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One value: `wanted` describes it, and `accepts` says what azure-ai-ml reads that `read` does not."""

    wanted: str
    read: Callable[[Any], Any]
    accepts: Callable[[Any], bool] = lambda _value: False

    def find_faults(self, value: Any, path: str) -> Iterator[PathProblem]:
        """At most one fault."""
        filled_later = isinstance(value, str) and "${" in value
        if not filled_later and not self._allows(value):
            quoting = self.wanted.startswith("text") and isinstance(value, bool | int | float)
            yield path, f"must be {self.wanted}, not {quote(value)}{': put it in quotes' * quoting}"

    def _allows(self, value: Any) -> bool:
        try:
            self.read(value)
        except UntranslatedError:
            return self.accepts(value)
        return True


@dataclass(frozen=True, slots=True)
class KeyFields:
    """A mapping with these keys, each with its name in Resource Manager and its kind of value."""

    members: Mapping[str, tuple[str, KeyKind]]
    required: tuple[str, ...] = ()

    def read(self, value: Any) -> dict[str, Any]:
        """Translate the mapping; raises UntranslatedError for a key that is unknown or missing."""
        found = _read_exactly(dict)(value)
        if not set(self.required) <= found.keys() <= self.members.keys():
            raise UntranslatedError
        return {self.members[key][0]: self.members[key][1].read(member) for key, member in found.items()}

    def find_faults(self, value: Any, path: str) -> Iterator[PathProblem]:
        """The faults of each key, in the order of the document; then the keys that are missing."""
        if not isinstance(value, dict):
            yield from ANY_MAPPING.find_faults(value, path)
            return
        for key, member in value.items():
            if key in self.members:
                yield from self.members[key][1].find_faults(member, join_path(path, key))
            else:
                yield join_path(path, key), f"unknown key{suggest_names(key, self.members)}"
        for key in self.required:
            if key not in value:
                yield path, f"'{key}' is missing: add it"


class KeyTexts:
    """A mapping of texts, whose keys the author chooses."""

    def read(self, value: Any) -> dict[str, str]:
        """The mapping, with whole numbers as texts; raises UntranslatedError for another value."""
        texts = write_as_texts(_read_exactly(dict)(value))
        return {read_filled_text(key): ANY_TEXT.read(member) for key, member in texts.items()}

    def find_faults(self, value: Any, path: str) -> Iterator[PathProblem]:
        """The faults of each value. A whole number is none: it is sent as text, which has only one form."""
        if not isinstance(value, dict):
            yield from ANY_MAPPING.find_faults(value, path)
            return
        for key, member in write_as_texts(value).items():
            yield from ANY_TEXT.find_faults(member, join_path(path, key))


def write_as_texts(value: Any) -> Any:
    """A mapping with its whole numbers as texts, because Resource Manager takes only texts there.

    Another value is given back as it is.
    """
    if not isinstance(value, dict):
        return value
    return {key: str(member) if type(member) is int else member for key, member in value.items()}


def choose_word(wanted: str = "", **members: str) -> KeyValue:
    """One of these words, each with its word in Resource Manager; azure-ai-ml reads any case."""

    def read(value: Any) -> str:
        if read_filled_text(value) in members:
            return members[value]
        raise UntranslatedError

    return KeyValue(wanted or " or ".join(members), read, lambda value: str(value).lower() in members)


def measure_time(unit: str, milliseconds: int) -> KeyValue:
    """A number of units, each of so many milliseconds, as an ISO 8601 duration; azure-ai-ml drops a zero."""

    def read(value: Any) -> str:
        if _read_count(value) < _LONGEST:
            return _format_duration(value * milliseconds)
        raise UntranslatedError

    return KeyValue(f"a whole number of {unit}, at least 0", read, lambda value: _is_whole(value, 0))


def _read_exactly(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise UntranslatedError

    return read


def read_filled_text(value: Any) -> str:
    """A text that is not empty; raises UntranslatedError for another value."""
    if type(value) is str and value:
        return value
    raise UntranslatedError


def _read_count(value: Any) -> int:
    if type(value) is int and value > 0:
        return value
    raise UntranslatedError


def _is_whole(value: Any, least: int) -> bool:
    """Whether azure-ai-ml reads this number; a fraction is refused here, because azure-ai-ml drops it."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return False
    try:
        return int(value) >= least
    except (TypeError, ValueError):
        return False


def _format_duration(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"H": hours, "M": minutes, "S": f"{rest / 1000:.3f}".rstrip("0").rstrip(".") if rest else 0}
    time = "".join(f"{number}{unit}" for unit, number in parts.items() if number)
    return "P" + f"{days}D" * bool(days) + f"T{time}" * bool(time)


def _read_given(value: Any) -> Any:
    if value is not None:
        return value
    raise UntranslatedError


ANY_VALUE = KeyValue("", lambda value: value)
UNREAD_VALUE = KeyValue("a value", _read_given)
"""What azure-ai-ml does not send, but refuses where it is null."""
ANY_MAPPING = KeyValue("a mapping", _read_exactly(dict))
ANY_TEXT = KeyValue("text", _read_exactly(str))
FILLED_TEXT = KeyValue("text that is not empty", read_filled_text)
TRUTH_VALUE = KeyValue(
    "true or false", _read_exactly(bool), lambda value: not isinstance(value, dict | list) and value in _TRUTH
)
POSITIVE_COUNT = KeyValue("a whole number of at least 1", _read_count, lambda value: _is_whole(value, 1))
