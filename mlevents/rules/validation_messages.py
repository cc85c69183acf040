"""Pydantic's errors as messages of mlevents: the fact, the value as written, the remedy."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mlevents.registry import UnknownNameError, did_you_mean, list_choices, suggest_names
from mlevents.rules.model_fields import find_fields
from mlevents.yamlfile.positions import PathProblem, join_path
from mlevents.yamlfile.scalars import quote

_MAX_COMPARED = 50
"""The most unknown keys that are compared with a missing key, to find typing mistakes."""

_WANTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "none_required": "nothing",
}
_LIMITS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_pattern_mismatch": "text of the form {pattern}",
}

_Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ErrorMessages:
    """Translates the validation errors of one model.

    `noun` is the word for its keys; with `filled_later` a text with `${` is not checked, because it
    gets its value when the step runs.
    """

    model: type[BaseModel]
    noun: str = "key"
    filled_later: bool = False

    def translate(self, error: ValidationError, written: object) -> Iterator[PathProblem]:
        """Each error with its path below `written`, the value in the file, which the message quotes."""
        groups: dict[_Location, list[ErrorDetails]] = {}
        for details in error.errors(include_url=False):
            groups.setdefault(_written_path(details, written), []).append(details)
        parents = {path[:length] for path in groups for length in range(len(path))}
        for path, group in groups.items():
            value = _value_at(written, path)
            later = self.filled_later and isinstance(value, str) and "${" in value
            telling = [details for details in group if details["type"] not in _WANTED]
            for details in telling:
                short = details["type"] == "too_short" and (len(telling) > 1 or path in parents)
                if not short and (not later or details["type"] == "extra_forbidden"):
                    yield from self._translate_one(details, path, groups, value)
            if not telling and not later and path not in parents:
                yield join_path("", *path), _type_message(group, value)

    def _translate_one(
        self, details: ErrorDetails, path: _Location, groups: Mapping[_Location, Any], value: object
    ) -> Iterator[PathProblem]:
        kind = details["type"]
        if kind == "missing":
            key = str(details["loc"][-1])
            known = find_fields(self.model, path)
            unknown = (str(other[-1]) for other in groups if other[:-1] == path and other[-1:])
            near = islice((name for name in unknown if name not in known), _MAX_COMPARED)
            if not any(f"'{key}'" in did_you_mean(name, known) for name in near):
                yield join_path("", *path), f"'{key}' is missing{_missing_remedy(known.get(key, ''))}"
        elif kind == "extra_forbidden":
            known = find_fields(self.model, path[:-1])
            yield join_path("", *path), f"unknown {self.noun}{suggest_names(str(path[-1]), known)}"
        elif kind == "value_error":
            yield join_path("", *path), str(details["ctx"]["error"])
        else:
            yield join_path("", *path), _limit_message(details, value)


def _written_path(details: ErrorDetails, written: Any) -> _Location:
    """The parts of pydantic's location that are keys and indexes, without the names of union members."""
    path: list[str | int] = []
    for part in details["loc"]:
        if _has(written, part):
            written = written[part]
            path.append(part)
    return tuple(path)


def _has(value: Any, part: str | int) -> bool:
    if isinstance(part, int):
        return isinstance(value, list) and part < len(value)
    return isinstance(value, dict) and part in value


def _value_at(written: Any, path: _Location) -> object:
    for part in path:
        written = written[part]
    return written


def _type_message(group: list[ErrorDetails], value: object) -> str:
    wanted = " or ".join(dict.fromkeys(_WANTED[details["type"]] for details in group))
    quoting = "text" in wanted and isinstance(value, bool | int | float)
    remedy = ": put it in quotes" if quoting else ""
    if wanted == "a list" and isinstance(value, dict):
        remedy = ": write `- ` before its first key, or [ ] around it"
    return f"must be {wanted}, not {quote(value)}{remedy}"


def _limit_message(details: ErrorDetails, value: object) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "literal_error":
        names = re.findall(r"'([^']*)'", context["expected"])
        return f"must be {context['expected']}, not {quote(value)}{did_you_mean(value, names)}"
    if kind in ("string_too_short", "too_short") and not value:
        return "must not be empty"
    if kind in _LIMITS:
        return f"must be {_LIMITS[kind].format(**context)}, not {quote(value)}"
    return f"{details['msg']}, not {quote(value)}"


def _missing_remedy(description: str) -> str:
    return f": {description.rstrip('.')}" if description else ""


def describe_unknown_name(error: UnknownNameError, names: Iterable[str]) -> str:
    """The message about an unknown name: with the nearest known name, or with all of them."""
    text = str(error)
    return text if "(did you mean" in text else text + list_choices(names)
