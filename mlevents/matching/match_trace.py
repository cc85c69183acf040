"""A `where` evaluated for one event: every condition, whether it holds, and the value found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.matching.condition_tree import AnyOf, FieldCondition, Node, Not, conjuncts, find_value
from mlevents.matching.item_conditions import AnyItem, EveryItem, ItemCondition
from mlevents.matching.where import Where

_ANY, _ALL, _NOT = "any of these", "all of these", "not"
_ITEM = {AnyItem: ("one", ", the nearest"), EveryItem: ("each", ", except")}


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of the tree: `holds` is None for a heading, `wanted` and `found` are a condition's.

    A line about the items of a list has no `wanted`, and `found` is the item to which the lines below belong.
    """

    depth: int
    name: str
    holds: bool | None = None
    wanted: Any = None
    found: Any = None


def trace_conditions(where: Where, names: Mapping[str, Any]) -> Iterator[TraceLine]:
    """The conditions in the order written, below the names that lead to them."""
    yield from _all(where.conjuncts(), names, 0)


def _all(nodes: tuple[Node, ...], names: Mapping[str, Any], depth: int) -> Iterator[TraceLine]:
    above: tuple[str, ...] = ()
    for node in nodes:
        if not isinstance(node, FieldCondition):
            above = ()
            yield from _combined(node, names, depth)
            continue
        *heads, name = node.keys or ("item",)
        shared = _shared(above, tuple(heads))
        for index in range(shared, len(heads)):
            yield TraceLine(depth + index, heads[index])
        above = tuple(heads)
        if isinstance(node.condition, ItemCondition):
            yield from _items(node, node.condition, names, depth + len(heads))
        else:
            found = find_value(names, node.keys)
            yield TraceLine(depth + len(heads), name, node.holds(names), node.wanted, found)


def _items(
    node: FieldCondition, condition: ItemCondition, names: Mapping[str, Any], depth: int
) -> Iterator[TraceLine]:
    """A condition on the items of a list, with the item that decides: see `Condition.find_subject`."""
    count, item = len(find_value(names, node.keys) or ()), node.find_subject(names)
    holds, which = node.holds(names), _ITEM[type(condition)]
    name = f"{node.keys[-1]}, {which[0]} of {count} {'item' if count == 1 else 'items'}"
    yield TraceLine(depth, name if holds or item is None else name + which[1], holds, None, item)
    if item is not None:
        yield from _all(tuple(conjuncts(condition.node)), item, depth + 1)


def _combined(node: Node, names: Mapping[str, Any], depth: int) -> Iterator[TraceLine]:
    if isinstance(node, Not):
        yield TraceLine(depth, _NOT, node.holds(names))
        yield from _inner(node.node, names, depth + 1)
    elif isinstance(node, AnyOf):
        yield TraceLine(depth, _ANY, node.holds(names))
        for part in node.nodes:
            yield from _inner(part, names, depth + 1)


def _inner(node: Node, names: Mapping[str, Any], depth: int) -> Iterator[TraceLine]:
    """A part inside `any` or `not`; several conditions in it get a heading."""
    parts = tuple(conjuncts(node))
    if len(parts) > 1:
        yield TraceLine(depth, _ALL, node.holds(names))
        depth += 1
    yield from _all(parts, names, depth)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count
