"""The lookups of a condition: its own, or those that follow from its clause."""

from collections.abc import Callable
from typing import Any

from mlevents.canonical import fold
from mlevents.conditions.condition import PRESENCE, Clause, Condition, as_number
from mlevents.conditions.lookup import AnyValue, Equal, Head, Interval, Lookup, Middle, NoValue, Tail


def find_lookups(condition: Condition) -> tuple[Lookup, ...]:
    """The lookups of a condition: its own, or those of its clause; none if it may hold for no value."""
    own = condition.lookups()
    found = _of_clause(condition.clause()) if own is None else own
    return (AnyValue(),) if found and condition.takes_list and NoValue() not in found else found


def _of_clause(clause: Clause | None) -> tuple[Lookup, ...]:
    make = _BY_OPERATOR.get(clause.operator) if clause else None
    return tuple(map(make, clause.values or (None,))) if clause and make else ()


_BY_OPERATOR: dict[str, Callable[[Any], Lookup]] = {
    "In": lambda value: Equal(fold(value) if isinstance(value, str) else value),
    "BeginsWith": lambda text: Head(fold(text)),
    "EndsWith": lambda text: Tail(fold(text)),
    "Contains": lambda text: Middle(fold(text)),
    "GreaterThan": lambda bound: Interval(as_number, low=bound),
    "GreaterThanOrEquals": lambda bound: Interval(as_number, low=bound),
    "LessThan": lambda bound: Interval(as_number, high=bound),
    "LessThanOrEquals": lambda bound: Interval(as_number, high=bound),
    "InRange": lambda ends: Interval(as_number, *ends),
    PRESENCE: lambda _: AnyValue(),
    "IsNullOrUndefined": lambda _: NoValue(),
}
