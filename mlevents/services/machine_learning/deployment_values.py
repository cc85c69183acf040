"""What the keys of a deployment document hold: each kind of value translates it, and finds what is wrong.

Azure ML refuses what azure-ai-ml's schema refuses, and what the published schema of Resource Manager refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.errors import PermanentError
from mlevents.registry import suggest_names
from mlevents.services.machine_learning.resource_ids import (
    ASSET_NAME,
    CURATED_PREFIX,
    LATEST_LABEL,
    name_and_version,
)
from mlevents.yamlfile.positions import PathProblem, join_path
from mlevents.yamlfile.scalars import quote

_PREFIX = "azureml:"
_REGISTRIES = "azureml://registries/"
_VERSION = f"(?::{ASSET_NAME.pattern}|@{LATEST_LABEL})"
_ENVIRONMENT = re.compile(f"azureml:({ASSET_NAME.pattern}{_VERSION})", re.ASCII)
_LONGEST = 10**9
"""The longest time in a document, in its unit."""
_TRUTH = frozenset(("0", "1", "f", "false", "n", "no", "off", "on", "t", "true", "y", "yes"))
"""What azure-ai-ml reads as true or false, in any case."""


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
        """The mapping as it is; raises UntranslatedError for another value."""
        return {_read_name(key): ANY_TEXT.read(member) for key, member in _read_exactly(dict)(value).items()}

    def find_faults(self, value: Any, path: str) -> Iterator[PathProblem]:
        """The faults of each value: a number is one, because Resource Manager takes only texts."""
        if not isinstance(value, dict):
            yield from ANY_MAPPING.find_faults(value, path)
            return
        for key, member in value.items():
            yield from ANY_TEXT.find_faults(member, join_path(path, key))


def choose_word(wanted: str = "", **members: str) -> KeyValue:
    """One of these words, each with its word in Resource Manager; azure-ai-ml reads any case."""

    def read(value: Any) -> str:
        if _read_name(value) in members:
            return members[value]
        raise UntranslatedError

    return KeyValue(wanted or " or ".join(members), read, lambda value: str(value).lower() in members)


def measure_time(unit: str, milliseconds: int) -> KeyValue:
    """A number of units, each of so many milliseconds, as an ISO 8601 duration; azure-ai-ml drops a zero."""

    def read(value: Any) -> str:
        if _read_count(value) < _LONGEST:
            return _format_duration(value * milliseconds)
        raise UntranslatedError

    return KeyValue(f"a whole number of {unit}, at least 0", read, lambda value: str(value).isdecimal())


def _read_exactly(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise UntranslatedError

    return read


def _read_name(value: Any) -> str:
    if type(value) is str and value:
        return value
    raise UntranslatedError


def _read_count(value: Any) -> int:
    if type(value) is int and value > 0:
        return value
    raise UntranslatedError


def _format_duration(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"H": hours, "M": minutes, "S": f"{rest / 1000:.3f}".rstrip("0").rstrip(".") if rest else 0}
    time = "".join(f"{number}{unit}" for unit, number in parts.items() if number)
    return "P" + f"{days}D" * bool(days) + f"T{time}" * bool(time)


def _read_environment(value: Any) -> str:
    if _read_name(value).startswith(_REGISTRIES):
        return str(value)
    if found := _ENVIRONMENT.fullmatch(value):
        return found[1]
    raise UntranslatedError


def _read_code(value: Any) -> str:
    if _names_resource(value):
        return str(value)
    raise UntranslatedError


def _names_resource(value: Any) -> bool:
    """Whether a text names a resource by its id, or an asset with its version."""
    name = _read_name(value).removeprefix(_PREFIX)
    if name.startswith(("/", CURATED_PREFIX)):
        return True
    try:
        return name_and_version(name)[2] in {"", LATEST_LABEL}
    except PermanentError:
        return False


ANY_VALUE = KeyValue("", lambda value: value)
ANY_MAPPING = KeyValue("a mapping", _read_exactly(dict))
ANY_TEXT = KeyValue("text", _read_exactly(str))
FILLED_TEXT = KeyValue("text that is not empty", _read_name)
TRUTH_VALUE = KeyValue("true or false", _read_exactly(bool), lambda value: str(value).lower() in _TRUTH)
POSITIVE_COUNT = KeyValue(
    "a whole number of at least 1", _read_count, lambda value: str(value).lstrip("0").isdecimal()
)
_REFERENCE = "a reference such as azureml:name:version"
ENVIRONMENT_REFERENCE = KeyValue(
    _REFERENCE, _read_environment, lambda value: f"{value}".startswith(_PREFIX) and _names_resource(value)
)
CODE_REFERENCE = KeyValue(_REFERENCE, _read_code)
