"""A message: a typed value that is sent between functions as a JSON object."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

Json = Mapping[str, Any]
"""A JSON object of another shape: an action's parameters, results or progress, the names of an event."""


_SCALARS = frozenset({str, int, float, bool, type(None)})


class JsonMessage:
    """The base of the dataclasses that travel. A field that has its default value is left out.

    `parts` says how the fields are read that are not plain JSON. A field's key is its name, without the
    underscore of `with_` and `if_`.
    """

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    def to_json(self) -> dict[str, Any]:
        """The message as JSON; `from_json` gives it back."""
        document = {}
        for name, key, default in _layout(type(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            if value is not default and value != default:
                document[key] = value if type(value) in _SCALARS else _plain(value)
        return document

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """The message that `to_json` wrote; keys that only another version of this app knows are ignored.

        Raises TypeError or ValueError for anything else.
        """
        layout = _layout(cls)  # type: ignore[arg-type]  # mypy takes no class for hashable
        known = {one.name: document[one.key] for one in layout if one.key in document}
        return cls(**known | {name: read(known[name]) for name, read in cls.parts.items() if name in known})


def read_each[T](read: Callable[[Any], T]) -> Callable[[Iterable[Any]], tuple[T, ...]]:
    """Reads a JSON list, each of its items in this way."""
    return lambda items: tuple(map(read, items))


def read_optional[T](read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """Reads a value that may be null."""
    return lambda value: None if value is None else read(value)


def read_each_value[T](read: Callable[[Any], T]) -> Callable[[Json], dict[str, T]]:
    """Reads a JSON object, each of its values in this way."""
    return lambda document: {key: read(value) for key, value in document.items()}


class _MessageField(NamedTuple):
    name: str
    key: str
    default: Any


@cache
def _layout(message: type[JsonMessage]) -> tuple[_MessageField, ...]:
    """The fields of a kind of message; an orchestrator reads and writes messages at every replay."""
    return tuple(_MessageField(one.name, one.name.rstrip("_"), _default(one)) for one in fields(message))


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [one if type(one) in _SCALARS else _plain(one) for one in value]
    if isinstance(value, dict):
        has_messages = any(isinstance(inner, JsonMessage) for inner in value.values())
        return {key: _plain(inner) for key, inner in value.items()} if has_messages else value
    return value.to_json() if hasattr(value, "to_json") else value
