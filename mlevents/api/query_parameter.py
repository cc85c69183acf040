"""The parameters of an address: declared once, they are read, refused and described from the declaration."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from mlevents.orchestration.json_message import Json
from mlevents.registry import did_you_mean

HOST_PARAMETERS = frozenset({"code", "clientid"})
"""What the Functions host reads itself, the function's key: no parameters of ours."""
TEXT_SCHEMA: Json = MappingProxyType({"type": "string", "minLength": 1, "pattern": r"\S"})


class QueryError(ValueError):
    """A query that cannot be answered; says which parameter is wrong, and what it may be."""


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """One parameter: `read` gets its name and text, and raises QueryError; `schema` is its JSON Schema."""

    name: str
    about: str
    read: Callable[[str, str], Any]
    schema: Json


def read_query(declared: Iterable[QueryParameter], query: Mapping[str, str]) -> dict[str, Any]:
    """The values of a query by name; raises QueryError for an unknown name or a bad value."""
    known = {one.name: one for one in declared}
    found = {name: text for name, text in query.items() if name.lower() not in HOST_PARAMETERS}
    for name in found:
        if name not in known:
            listed = f"known are {', '.join(known)}" if known else "this address takes none"
            raise QueryError(f"unknown parameter '{name:.100}'{did_you_mean(name, known)}: {listed}")
    return {name: known[name].read(name, text) for name, text in found.items()}


def text_parameter(name: str, about: str) -> QueryParameter:
    """A parameter that is any text but an empty one."""
    return QueryParameter(name, about, read_words, TEXT_SCHEMA)


def choice_parameter(name: str, about: str, choices: Iterable[str]) -> QueryParameter:
    """A parameter that is one of these words."""
    words = tuple(choices)

    def read(name: str, text: str) -> str:
        if text not in words:
            raise QueryError(f"{name} is '{text:.100}'{did_you_mean(text, words)}: one of {', '.join(words)}")
        return text

    return QueryParameter(name, about, read, {"type": "string", "enum": list(words)})


def limit_parameter(most: int, default: int) -> QueryParameter:
    """How many items a page may have."""

    def read(name: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
            raise QueryError(f"{name} is '{text:.100}': give a whole number from 1 to {most}")
        return int(text)

    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return QueryParameter("limit", "How many items the page has at most.", read, schema)


def time_parameter(name: str, about: str) -> QueryParameter:
    """A parameter that is a time; UTC where it has no offset."""
    return QueryParameter(name, about, read_time, {"type": "string", "format": "date-time"})


def read_words(name: str, text: str) -> str:
    """The text, if there is any."""
    if not text.strip():
        raise QueryError(f"{name} is empty: give a value, or leave it out")
    return text


def read_time(name: str, text: str) -> datetime:
    """An aware time."""
    date, _, offset = text.rpartition(" ")
    escaped = f"{date}+{offset}" if "T" in date else text  # a `+` that was not escaped in the URL
    try:
        moment = datetime.fromisoformat(escaped)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"{name} is '{text:.100}': give ISO 8601, such as 2026-01-31T08:00:00Z") from error
