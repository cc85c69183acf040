"""Conditions on one field that no value can fulfil together."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from mlevents.matching.condition_tree import AnyOf, FieldCondition, Not
from mlevents.matching.field_satisfiability import Requirement, is_satisfiable


def find_contradictions(parts: Iterable[FieldCondition | AnyOf | Not]) -> Iterator[tuple[str, str]]:
    """The path of each field that no value can satisfy, and why; lists are left out."""
    fields: dict[tuple[str, ...], list[FieldCondition]] = defaultdict(list)
    for part in parts:
        if isinstance(part, FieldCondition):
            fields[part.keys].append(part)
    for keys, asked in fields.items():
        if len(asked) > 1 and not is_satisfiable(
            [Requirement(one.condition, True) for one in asked], asked[0].kind
        ):
            wanted = " and ".join(json.dumps(field.wanted, ensure_ascii=False) for field in asked)
            yield asked[-1].path, f"no value of {'.'.join(keys) or 'an item'} can be {wanted}: remove one"
