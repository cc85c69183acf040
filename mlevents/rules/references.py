"""Values of an action's parameters that name something outside: a connection, a file."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from mlevents.actions.action import ConnectionName, RuleFile
from mlevents.rules.model_fields import own_fields
from mlevents.yamlfile.positions import join

Mark = ConnectionName | RuleFile


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that names something outside, and where it stands."""

    mark: Mark
    path: str
    text: str


def marked(annotation: Any, value: object, path: str, mark: Mark | None = None) -> Iterator[Marked]:
    """Each text in a value of this type that a mark is on, however deep it stands."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from marked(inner[0], value, path, _mark(inner[1:]) or mark)
    elif origin in (Union, types.UnionType):
        for arm in inner:
            yield from marked(arm, value, path, mark)
    elif isinstance(value, str):
        if mark and annotation is str:
            yield Marked(mark, path, value)
    elif isinstance(value, list) and origin in (list, tuple):
        for index, item in enumerate(value):
            yield from marked(inner[0], item, join(path, index), mark)
    elif isinstance(value, dict):
        yield from _in_mapping(annotation, value, path)


def _in_mapping(annotation: Any, value: dict[str, Any], path: str) -> Iterator[Marked]:
    for name, field in own_fields(annotation).items():
        if name in value:
            yield from marked(field.annotation, value[name], join(path, name), _mark(field.metadata))


def _mark(metadata: Any) -> Mark | None:
    return next((mark for mark in metadata if isinstance(mark, ConnectionName | RuleFile)), None)
