"""Values of steps: `${…}` in a text inserts a value of the event or of an earlier step.

    "${model.name}"                                   the value, which keeps its type
    "model ${model.name}:${model.version}"            a text
    "${model.tags.endpoint | default(model.name)}"    another value where that one is missing
    "${model.tags['azureml.owner'] | slug(30)}"       a tag key with a dot in it

The language is Jinja2's, sandboxed and strict: names, numbers, texts, lists and maps, arithmetic,
`~`, comparisons, `and`, `or`, `not`, `a if b else c`, and the filters of `mlevents.expressions.filters`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, Undefined

from mlevents.events.studio_links import TENANT, find_link, find_link_root
from mlevents.expressions import template
from mlevents.expressions.environment import NamePath, make_missing
from mlevents.expressions.filters import MAX_TEXT_LENGTH, insert_text, require_value
from mlevents.expressions.grammar import Expression, compile_expression


class ExpressionError(ValueError):
    """An expression that is invalid, or has no value for this event; the message says which and why."""


@dataclass(frozen=True, slots=True)
class _Inserted:
    """An expression of a text; `place` begins a message about it."""

    expression: Expression
    place: str


def render_value(value: Any, names: Mapping[str, Any]) -> Any:
    """A JSON value with every `${…}` in its texts filled in; keys of maps stay as they are.

    Raises ExpressionError, which names the path, for a value that is missing and has no `default`.
    """
    if isinstance(value, str):
        return _filled(value, names) if "$" in value else value
    if isinstance(value, Mapping):
        return {key: render_value(inner, names) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [render_value(inner, names) for inner in value]
    return value


def find_roots(value: Any) -> set[str]:
    """The first names of all paths in the expressions of a JSON value; raises ExpressionError."""
    return {str(path[0]) for said in find_expression_texts(value) for path in list_paths(said)}


def find_paths(value: Any) -> set[NamePath]:
    """All paths in the expressions of a JSON value; raises ExpressionError."""
    return {path for said in find_expression_texts(value) for path in list_paths(said)}


def find_names_below(value: Any, root: str) -> set[str]:
    """The names below a root, such as `steps`, in the expressions of a value; raises ExpressionError."""
    paths = (path for said in find_expression_texts(value) for path in list_paths(said))
    return {str(path[1]) for path in paths if path[0] == root and len(path) > 1}


def find_expression_texts(value: Any) -> Iterator[str]:
    """The texts in a JSON value that may have expressions."""
    return (said for said in find_texts(value) if "$" in said)


def find_texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, without the keys of maps."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from find_texts(inner)


@lru_cache(maxsize=4096)
def _compiled(said: str) -> tuple[str | _Inserted, ...]:
    try:
        return tuple(_inserted(piece) for piece in template.split_template(said))
    except template.TemplateError as error:
        raise ExpressionError(str(error)) from error


def _inserted(piece: str | template.Piece) -> str | _Inserted:
    if isinstance(piece, str):
        return piece
    place = f"column {piece.column}: `{piece.source.strip()[:80]}`"
    try:
        return _Inserted(compile_expression(piece.source), place)
    except ValueError as error:
        raise ExpressionError(f"{place}: {error}") from error


def _filled(said: str, names: Mapping[str, Any]) -> Any:
    parts = _compiled(said)
    if len(parts) == 1 and isinstance(parts[0], _Inserted):
        return _value(parts[0], names)
    filled = "".join(part if isinstance(part, str) else insert_text(_value(part, names)) for part in parts)
    if len(filled) > MAX_TEXT_LENGTH:
        raise ExpressionError(
            f"'{said[:80]}' has {len(filled):,} characters with its values: the limit is {MAX_TEXT_LENGTH:,}"
        )
    return filled


def _value(inserted: _Inserted, names: Mapping[str, Any]) -> Any:
    values = [_at(path, names) for path in inserted.expression.paths]
    try:
        return _whole(inserted.expression.call(values))
    except TemplateError as error:  # a missing value: its message is the path
        raise ExpressionError(str(error)) from error
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ExpressionError(f"{inserted.place}: {error}") from error


def _whole(value: Any) -> Any:
    """The value; raises UndefinedError if a part of it is missing."""
    if isinstance(value, Undefined):
        require_value(value)
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        _whole(inner)
    return value


def _at(path: NamePath, names: Mapping[str, Any]) -> Any:
    found = _find_value(path, names)
    if found is None and (place := find_link_root(path)):
        above, root = place
        around = _find_value(above, names)
        found = find_link(root, around, names.get(TENANT, "")) if isinstance(around, Mapping) else None
    return make_missing(path) if found is None else found


def _find_value(path: NamePath, names: Mapping[str, Any]) -> Any:
    """The value at a path as it is; None where there is none."""
    found: Any = names
    for key in path:
        if isinstance(found, Mapping) and isinstance(key, str):
            found = found.get(key)
        elif isinstance(found, list | tuple) and isinstance(key, int) and -len(found) <= key < len(found):
            found = found[key]
        else:
            return None
    return found


def list_paths(said: str) -> Iterator[NamePath]:
    """The paths in the expressions of a text, in order; raises ExpressionError."""
    for part in _compiled(said):
        if isinstance(part, _Inserted):
            yield from part.expression.paths
