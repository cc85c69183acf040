"""Checks the names of an event that a test gives: known ones, with values of their types."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlevents.conditions.condition import is_finite, quote_value
from mlevents.events import NAMES
from mlevents.events.event_type import FieldType, Items, NameType
from mlevents.registry import suggest_names
from mlevents.yamlfile.positions import PathProblem, join_path
from mlevents.yamlfile.scalars import quote

WORKSPACE_KEY = "workspace"

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": is_finite,
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "texts": lambda value: isinstance(value, dict),
}
_WORDS = {"list": "a list of texts", "texts": "a map of texts", "text": "text"}


def find_unknown_names(kind: str, names: Mapping[str, Any]) -> Iterator[PathProblem]:
    """Names that no event of this kind has, and values of another type."""
    for root, fields in names.items():
        known = NAMES[kind].get(root)
        if known is None:
            yield (
                root,
                f"unknown name '{root}'{suggest_names(root, sorted(NAMES[kind]))}",
            )
        elif root != WORKSPACE_KEY and not isinstance(fields, dict):
            yield root, f"must be a mapping of {', '.join(known)}, not {quote(fields)}"
        elif root != WORKSPACE_KEY:
            for name, value in fields.items():
                yield from _find_type_problems(f"{root}.{name}", known.get(name), value, known)


def _find_type_problems(
    path: str, kind: NameType | None, value: object, known: Mapping[str, NameType]
) -> Iterator[PathProblem]:
    if isinstance(kind, Items):
        yield from _find_item_problems(path, kind, value)
    elif isinstance(kind, Mapping):
        yield from _find_problems_below(path, kind, value)
    elif kind is None:
        name = path.rpartition(".")[2]
        yield path, f"unknown name '{name}'{suggest_names(name, sorted(known))}"
    elif value is not None and not _TYPES[kind](value):
        quoting = kind == "text" and isinstance(value, bool | int | float)
        remedy = f': write "{quote_value(value)}"' if quoting else f", not {quote(value)}"
        yield path, f"{path} is {_WORDS.get(kind, f'a {kind}')}{remedy}"
    elif kind == "texts" and isinstance(value, dict):
        for key, text in value.items():
            yield from _find_type_problems(join_path(path, key), "text", text, known)


def _find_problems_below(path: str, kind: Mapping[str, FieldType], value: object) -> Iterator[PathProblem]:
    """The problems of a name that has names below."""
    if value is not None and not isinstance(value, dict):
        yield path, f"must be a mapping of {', '.join(kind)}, not {quote(value)}"
        return
    for name, said in (value or {}).items():
        yield from _find_type_problems(join_path(path, name), kind.get(name), said, kind)


def _find_item_problems(path: str, kind: Items, value: object) -> Iterator[PathProblem]:
    """The problems of a list of maps."""
    items = [] if value is None else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        yield path, f"{path} is a list of maps of {', '.join(kind.fields)}, not {quote(value)}"
        return
    for index, item in enumerate(items):
        place = join_path(path, index)
        for name, said in item.items():
            if name in kind.fields:
                yield from _find_type_problems(join_path(place, name), kind.fields[name], said, kind.fields)
            else:
                near = suggest_names(name, sorted(kind.fields))
                yield join_path(place, name), f"unknown name '{name}'{near}"
