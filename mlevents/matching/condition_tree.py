"""A bound `where`: conditions on fields, joined by and, any and not, in the order written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlevents.conditions.condition import Condition

MAPPINGS = (dict, Mapping)
"""A `dict` is recognised ten times as fast as any other mapping."""


@dataclass(frozen=True, slots=True)
class FailedCondition:
    """The first condition that failed: its path in the rule, what it wants, and what was found.

    `wanted` is as written; `found` is None for what is absent.
    """

    path: str
    wanted: Any
    found: Any


class Node(Protocol):
    """A part of a `where`. `first_failure` is None exactly when it holds; neither ever raises."""

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Whether it holds for an event's normalised names."""
        ...

    def first_failure(self, names: Mapping[str, Any]) -> FailedCondition | None:
        """The first condition that failed, in the order written."""
        ...

    def fields(self) -> "Iterator[FieldCondition]":
        """Every condition on a field in this part, in the order written."""
        ...


@dataclass(frozen=True, slots=True)
class FieldCondition:
    """One condition on one field: `keys` lead to it, `kind` is its type, `wanted` is as written."""

    path: str
    keys: tuple[str, ...]
    kind: str
    condition: Condition
    wanted: Any

    def holds(self, names: Mapping[str, Any]) -> bool:
        found = find_value(names, self.keys)
        if isinstance(found, list) and not self.condition.takes_list:
            return self._holds_in(found)
        return self.condition.holds(found)

    def find_subject(self, names: Mapping[str, Any]) -> Any:
        """The value that decides: of a condition on a list's items the item that comes nearest."""
        return self.condition.find_subject(find_value(names, self.keys))

    def _holds_in(self, found: list[Any]) -> bool:
        """For a list: one element is enough; all must if the condition also holds for an absent value."""
        if self.condition.holds(None):
            return all(map(self.condition.holds, found))
        return any(map(self.condition.holds, found))

    def first_failure(self, names: Mapping[str, Any]) -> FailedCondition | None:
        return (
            None if self.holds(names) else FailedCondition(self.path, self.wanted, self.find_subject(names))
        )

    def fields(self) -> "Iterator[FieldCondition]":
        yield self


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part must hold; reports the first that does not."""

    nodes: tuple[Node, ...]

    def holds(self, names: Mapping[str, Any]) -> bool:
        return all(node.holds(names) for node in self.nodes)

    def first_failure(self, names: Mapping[str, Any]) -> FailedCondition | None:
        for node in self.nodes:
            if failed := node.first_failure(names):
                return failed
        return None

    def fields(self) -> Iterator[FieldCondition]:
        for node in self.nodes:
            yield from node.fields()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part must hold; fails as one condition."""

    path: str
    nodes: tuple[Node, ...]
    wanted: Any

    def holds(self, names: Mapping[str, Any]) -> bool:
        return any(node.holds(names) for node in self.nodes)

    def first_failure(self, names: Mapping[str, Any]) -> FailedCondition | None:
        return (
            None if self.holds(names) else FailedCondition(self.path, self.wanted, read_values(self, names))
        )

    def fields(self) -> Iterator[FieldCondition]:
        for node in self.nodes:
            yield from node.fields()


@dataclass(frozen=True, slots=True)
class Not:
    """The part must not hold."""

    path: str
    node: Node
    wanted: Any

    def holds(self, names: Mapping[str, Any]) -> bool:
        return not self.node.holds(names)

    def first_failure(self, names: Mapping[str, Any]) -> FailedCondition | None:
        return (
            None if self.holds(names) else FailedCondition(self.path, self.wanted, read_values(self, names))
        )

    def fields(self) -> Iterator[FieldCondition]:
        yield from self.node.fields()


def find_value(names: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """The value to which the keys lead, or None."""
    found: Any = names
    for key in keys:
        if not isinstance(found, MAPPINGS):
            return None
        found = found.get(key)
    return found


def read_values(node: Node, names: Mapping[str, Any]) -> Any:
    """The values that a part reads: the value of a single field, else a map of values by name."""
    found = {".".join(field.keys): find_value(names, field.keys) for field in node.fields()}
    return next(iter(found.values())) if len(found) == 1 else found


_PARTS = (FieldCondition, AnyOf, Not)


def conjuncts(node: Node) -> list[FieldCondition | AnyOf | Not]:
    """The parts that must all hold, in the order written."""
    found: list[FieldCondition | AnyOf | Not] = []
    for part in node.nodes if isinstance(node, AllOf) else (node,):
        if isinstance(part, AllOf):
            found += conjuncts(part)
        elif isinstance(part, _PARTS):
            found.append(part)
    return found
