"""The limits of one Event Grid subscription: clauses, values in total, characters per value."""

from collections.abc import Iterable
from typing import Any

from mlevents.canonical import fold
from mlevents.eventgrid.filter_clauses import ABSENT, PRESENT, SUBJECT, AdvancedFilter, Clauses

MAX_FILTERS = 25
MAX_VALUES = 25
MAX_VALUE_LENGTH = 512

NEGATIVE_OPERATORS = ("StringNotIn", "NumberNotIn")
SINGLE_VALUE_OPERATORS = (
    "NumberGreaterThan",
    "NumberGreaterThanOrEquals",
    "NumberLessThan",
    "NumberLessThanOrEquals",
)
_TEXT = ("StringIn", "StringBeginsWith", "StringEndsWith", "StringContains")
# From the most to the least selective: clauses are dropped from the end.
_RANKS = ("NumberIn", *_TEXT, "NumberInRange", *SINGLE_VALUE_OPERATORS, ABSENT, *NEGATIVE_OPERATORS, PRESENT)


def apply_limits(clauses: Clauses) -> Clauses:
    """The clauses of one subscription: long ones are weakened, the least selective are dropped."""
    weakened = [weaker for clause in clauses.values() if (weaker := _weakened(clause))]
    kept = {(clause.key, clause.operator): clause for clause in weakened}
    order = sorted(kept.values(), key=lambda clause: (_RANKS.index(clause.operator), len(clause.values)))
    while len(order) > MAX_FILTERS or sum(map(_counted, order)) > MAX_VALUES:
        order.pop()
    return {place: clause for place, clause in kept.items() if clause in order}


def drop_redundant_values(clauses: Clauses) -> Clauses:
    """The clauses without values that another of their values covers."""
    return {
        place: AdvancedFilter(clause.operator, clause.key, find_needed_values(clause))
        for place, clause in clauses.items()
    }


def find_needed_values(clause: AdvancedFilter) -> tuple[Any, ...]:
    """The clause's values; prefixes only if no other value is a prefix of them."""
    if clause.operator != "StringBeginsWith":
        return clause.values
    shortest_heads: list[str] = []
    for head in sorted(map(fold, clause.values)):  # a prefix is sorted before longer ones
        if not (shortest_heads and head.startswith(shortest_heads[-1])):
            shortest_heads.append(head)
    kept = set(shortest_heads)
    return tuple(value for value in clause.values if fold(value) in kept)


def requires_key(clauses: Clauses, key: str) -> bool:
    """Whether the clauses require the key to be present."""
    return any(at == key and _wants_value(clause) for (at, _), clause in clauses.items())


def fold_value(value: object) -> object:
    """The value in a form that is equal for equal values."""
    return fold(value) if isinstance(value, str) else value


def _wants_value(clause: AdvancedFilter) -> bool:
    return clause.key != SUBJECT and clause.operator not in (ABSENT, *NEGATIVE_OPERATORS)


def _weakened(clause: AdvancedFilter) -> AdvancedFilter | None:
    """The clause, or a weaker one if it exceeds the limits; None if there is no weaker one."""
    if len(clause.values) <= MAX_VALUES and all(_fits(value) for value in clause.values):
        return clause
    if clause.key == SUBJECT and (head := _common_head(clause.values)):
        return AdvancedFilter(clause.operator, clause.key, (head,))
    return AdvancedFilter(PRESENT, clause.key) if _wants_value(clause) else None


def _fits(value: object) -> bool:
    return not isinstance(value, str) or len(value) <= MAX_VALUE_LENGTH


def _counted(clause: AdvancedFilter) -> int:
    """The number of values of a clause; at least one, because Azure may count it as one."""
    return max(1, len(clause.values))


def _common_head(values: Iterable[str]) -> str:
    texts = [fold(value)[:MAX_VALUE_LENGTH] for value in values]
    head = min(texts)
    while not all(text.startswith(head) for text in texts):
        head = head[:-1]
    return head
