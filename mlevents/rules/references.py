"""The connections and files that an action's parameters name."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from mlevents.actions.action import ConnectionName, RuleFile
from mlevents.rules.model_fields import list_fields
from mlevents.yamlfile.positions import join_path

ReferenceMarker = ConnectionName | RuleFile


@dataclass(frozen=True, slots=True)
class Reference:
    """A text that names a connection or a file, and its path."""

    marker: ReferenceMarker
    path: str
    text: str


def find_references(
    annotation: Any, value: object, path: str, marker: ReferenceMarker | None = None
) -> Iterator[Reference]:
    """Each text in a value of this type that a marker is on, at any depth."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from find_references(inner[0], value, path, _find_marker(inner[1:]) or marker)
    elif origin in (Union, types.UnionType):
        for arm in inner:
            yield from find_references(arm, value, path, marker)
    elif isinstance(value, str):
        if marker and annotation is str:
            yield Reference(marker, path, value)
    elif isinstance(value, list) and origin in (list, tuple):
        for index, item in enumerate(value):
            yield from find_references(inner[0], item, join_path(path, index), marker)
    elif isinstance(value, dict):
        yield from _find_in_mapping(annotation, value, path)


def _find_in_mapping(annotation: Any, value: dict[str, Any], path: str) -> Iterator[Reference]:
    for name, inner, marker in _list_marked_fields(annotation) if isinstance(annotation, type) else ():
        if name in value:
            yield from find_references(inner, value[name], join_path(path, name), marker)


@cache
def _list_marked_fields(model: type) -> tuple[tuple[str, Any, ReferenceMarker | None], ...]:
    """The fields of a model that have a marker, at any depth; none of any other class."""
    fields = list_fields(model).items()
    found = ((name, field.annotation, _find_marker(field.metadata)) for name, field in fields)
    return tuple(one for one in found if one[2] or _has_marker(one[1], (model,)))


def _has_marker(annotation: Any, around: tuple[Any, ...]) -> bool:
    """Whether a marker is in this type; `around` are the models in which it is."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _find_marker(inner[1:]) is not None or _has_marker(inner[0], around)
    fields = {} if annotation in around else list_fields(annotation)
    return any(_has_marker(one, around) for one in inner) or any(
        _find_marker(one.metadata) or _has_marker(one.annotation, (*around, annotation))
        for one in fields.values()
    )


def _find_marker(metadata: Any) -> ReferenceMarker | None:
    return next((marker for marker in metadata if isinstance(marker, ConnectionName | RuleFile)), None)
