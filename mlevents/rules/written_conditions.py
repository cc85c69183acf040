"""The conditions of a `where` as written, each with its field: for checks of what people mean."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.events.event_type import Items
from mlevents.yamlfile.positions import join_path

_COMBINATORS = ("any", "all", "not")


@dataclass(frozen=True, slots=True)
class WrittenCondition:
    """One operator with its operand; `is_short` says that only the operand is written.

    `kind` is the type of the field; `path` is that of the operand in the rule file.
    """

    path: str
    keys: tuple[str, ...]
    kind: str
    operator: str
    operand: Any
    is_short: bool

    @property
    def field(self) -> str:
        """The field, as messages name it."""
        return ".".join(self.keys)

    @property
    def texts(self) -> list[str]:
        """The texts among the operand, or the items of its list."""
        operands = self.operand if isinstance(self.operand, list) else [self.operand]
        return [one for one in operands if isinstance(one, str)]


def list_conditions(
    written: object, names: Any, path: str, keys: tuple[str, ...] = ()
) -> Iterator[WrittenCondition]:
    """Every condition in a `where`; `names` are those of its level. What is not valid is left out."""
    if isinstance(names, Items):
        yield from _list_at_items(written, names, path, keys)
    elif isinstance(names, str) and names != "texts":
        yield from _list_at_field(written, names, path, keys)
    elif names is not None:
        for key, value in written.items() if isinstance(written, Mapping) else ():
            yield from _list_below(key, value, names, join_path(path, str(key)), keys)


def _list_below(
    key: object, value: object, names: Any, path: str, keys: tuple[str, ...]
) -> Iterator[WrittenCondition]:
    if key in _COMBINATORS:
        yield from _list_combined(value, names, path, keys)
    elif isinstance(key, str):
        below = "text" if names == "texts" else names.get(key)
        yield from list_conditions(value, below, path, (*keys, key))


def _list_combined(value: object, names: Any, path: str, keys: tuple[str, ...]) -> Iterator[WrittenCondition]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from list_conditions(item, names, join_path(path, index), keys)
    else:
        yield from list_conditions(value, names, path, keys)


def _list_at_items(
    written: object, names: Items, path: str, keys: tuple[str, ...]
) -> Iterator[WrittenCondition]:
    for part, value in written.items() if isinstance(written, Mapping) else ():
        if part in _COMBINATORS:
            yield from _list_combined(value, names.fields, join_path(path, str(part)), keys)


def _list_at_field(
    written: object, kind: str, path: str, keys: tuple[str, ...]
) -> Iterator[WrittenCondition]:
    if not isinstance(written, Mapping):
        name = "in" if isinstance(written, list) else "equals"
        yield WrittenCondition(path, keys, kind, name, written, is_short=True)
        return
    for name, operand in written.items():
        if name in _COMBINATORS:
            yield from _list_combined(operand, kind, join_path(path, name), keys)
        elif isinstance(name, str):
            yield WrittenCondition(join_path(path, name), keys, kind, name, operand, is_short=False)
