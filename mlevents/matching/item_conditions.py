"""Conditions on the items of a list: one of them fulfils a part of `where`, or each of them does.

where:
  drift:
    breaches: {any: {metric: JensenShannonDistance, value: {gt: 0.3}}}

A list without items counts as missing, so neither holds for it.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from mlevents.conditions.condition import Condition, as_number
from mlevents.conditions.lookup import AnyValue, Lookup
from mlevents.matching.condition_tree import FieldCondition, Node, conjuncts, find_value


class ItemCondition(Condition):
    """A part of `where` that is asked of each item, whose names begin at the item."""

    takes_list = True

    def __init__(self, node: Node) -> None:
        self.node = node

    def lookups(self) -> tuple[Lookup, ...]:
        return (AnyValue(),)


class AnyItem(ItemCondition):
    """One item at least fulfils the part."""

    def holds(self, value: object) -> bool:
        return isinstance(value, list) and any(map(self.node.holds, value))

    def find_subject(self, value: object) -> object:
        """The first item that fulfils the part, else the one that comes nearest to it."""
        items = value if isinstance(value, list) else []
        return min(items, key=lambda item: _distance(self.node, item), default=None)


class EveryItem(ItemCondition):
    """There is an item, and each one fulfils the part."""

    def holds(self, value: object) -> bool:
        return isinstance(value, list) and bool(value) and all(map(self.node.holds, value))

    def find_subject(self, value: object) -> object:
        """The first item that does not fulfil the part, else the first."""
        items = value if isinstance(value, list) else []
        return next((item for item in items if not self.node.holds(item)), items[0] if items else None)


QUANTIFIERS: Mapping[str, type[ItemCondition]] = {"any": AnyItem, "all": EveryItem}
"""What `any` and `all` with a map mean at a list."""


def _distance(node: Node, item: Any) -> tuple[int, float]:
    """How many conditions the item fails, then how far its numbers are from those that they ask for."""
    failed = [part for part in conjuncts(node) if not part.holds(item)]
    return len(failed), sum((_gap(part, item) for part in failed), start=0.0)


def _gap(part: Node, item: Any) -> float:
    """How far a number is from the nearest one that would do; infinite where no number is compared."""
    assumptions = part.condition.assumptions() if isinstance(part, FieldCondition) else None
    found = as_number(find_value(item, part.keys)) if isinstance(part, FieldCondition) else None
    bounds = assumptions.bounds if assumptions else ()
    return inf if found is None else min((abs(found - bound) for bound in bounds), default=inf)
