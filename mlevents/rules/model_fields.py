"""The fields of a pydantic model at a path, found through its annotations, including unions."""

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mlevents.yamlfile.described_model import describe_model


def find_fields(model: type[BaseModel], path: Sequence[str | int]) -> dict[str, str]:
    """The descriptions of the fields that the mapping at this path may have, by the name in the file."""
    types_here: list[Any] = [model]
    for part in path:
        types_here = [inner for outer in types_here for inner in _inside(outer, part)]
    return {
        field.alias or name: field.description or describe_model(arm).get(name, "")
        for here in types_here
        for arm in split_union(here)
        if _is_model(arm)
        for name, field in arm.model_fields.items()
    }


def list_fields(annotation: Any) -> dict[str, FieldInfo]:
    """The fields of a model by the name in the file; none for any other type."""
    if _is_model(annotation):
        return {field.alias or name: field for name, field in annotation.model_fields.items()}
    return {}


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def split_union(annotation: Any) -> Iterator[Any]:
    """The types of a union, without their `Annotated`; the type itself if it is not a union."""
    if get_origin(annotation) is Annotated:
        yield from split_union(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from split_union(arm)
    else:
        yield annotation


def _inside(annotation: Any, part: str | int) -> Iterator[Any]:
    """The types of the value at a key or an index of a value of this type."""
    for arm in split_union(annotation):
        if isinstance(part, int):
            yield from (inner for inner in get_args(arm) if inner is not Ellipsis)
        elif part in (fields := list_fields(arm)):
            yield fields[part].annotation
        elif get_origin(arm) is dict:
            yield get_args(arm)[1]
