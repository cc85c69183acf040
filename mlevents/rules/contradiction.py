"""Finding conditions on one field that no value can fulfil together."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from mlevents.conditions.condition import Condition
from mlevents.rules.tree import AnyOf, Field, Not

_NUMERIC = ("GreaterThan", "GreaterThanOrEquals", "LessThan", "LessThanOrEquals", "InRange")


def contradictions(parts: Iterable[Field | AnyOf | Not]) -> Iterator[tuple[str, str]]:
    """The path of each field that no value can satisfy, and why; lists are left out."""
    fields: dict[tuple[str, ...], list[Field]] = defaultdict(list)
    for part in parts:
        if isinstance(part, Field) and part.kind != "list":
            fields[part.keys].append(part)
    for keys, asked in fields.items():
        if len(asked) > 1 and never([field.condition for field in asked]):
            wanted = " and ".join(json.dumps(field.wanted, ensure_ascii=False) for field in asked)
            yield asked[-1].path, f"no value of {'.'.join(keys)} can be {wanted}: take one out"


def never(conditions: list[Condition]) -> bool:
    """Whether no value fulfils all of these; False as well where that cannot be told."""
    values = _telling(conditions)
    return bool(values) and not any(all(one.holds(value) for one in conditions) for value in values)


def _telling(conditions: list[Condition]) -> list[object]:
    """Values of which one fulfils the conditions, if any value does; none where that is not sure."""
    clauses = [condition.clause() for condition in conditions]
    if any(clause.operator == "IsNullOrUndefined" for clause in clauses):
        return [None]
    for clause in clauses:
        if clause.operator == "In":
            return list(clause.values)
    bounds = [bound for clause in clauses if clause.operator in _NUMERIC for bound in clause.values]
    pairs = (bound if isinstance(bound, tuple) else (bound,) for bound in bounds)
    numbers = sorted({float(number) for number in chain.from_iterable(pairs)})
    if not numbers:
        return []
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    return [numbers[0] - 1, *numbers, *between, numbers[-1] + 1]
