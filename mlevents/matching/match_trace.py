"""A `where` evaluated for one event: every condition, whether it holds, and the value found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.matching.condition_tree import AnyOf, FieldCondition, Node, Not, conjuncts, find_value
from mlevents.matching.where import Where

_ANY, _ALL, _NOT = "any of these", "all of these", "not"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line of the tree: `holds` is None for a heading, `wanted` and `found` are a condition's."""

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
        *heads, name = node.keys
        shared = _shared(above, tuple(heads))
        for index in range(shared, len(heads)):
            yield TraceLine(depth + index, heads[index])
        above = tuple(heads)
        found = find_value(names, node.keys)
        yield TraceLine(depth + len(heads), name, node.holds(names), node.wanted, found)


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
