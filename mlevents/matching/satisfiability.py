"""Whether any event can fulfil a `where`: across `any`, `all` and `not`, and over the kinds asked for."""

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from mlevents.conditions.equals import Equals
from mlevents.events.event_forms import Form, forms
from mlevents.matching.condition_tree import AllOf, AnyOf, FieldCondition, Node, Not
from mlevents.matching.field_satisfiability import Requirement, is_satisfiable
from mlevents.matching.where import ANY_EVENT, Where
from mlevents.yamlfile.positions import PathProblem

MOST_WAYS = 200
"""How many ways of fulfilling one `where` are looked at; above that, nothing is said of it."""

EVERYWHERE = ("event", "workspace")

_TYPE = ("event", "type")
_NEVER = "so the rule never matches"

type Literal = tuple[FieldCondition, bool]
type Way = tuple[Literal, ...]
"""Conditions that must hold, and others that must not: one way of fulfilling the whole."""


def find_impossible_condition(where: Where, kinds: Sequence[str]) -> Iterator[PathProblem]:
    """Why no event of these kinds can fulfil all conditions, at the first that closes the last way."""
    parts = where.conjuncts()
    if can_match(parts, kinds):
        return
    count = next(count for count in range(1, len(parts) + 1) if not can_match(parts[:count], kinds))
    last = parts[count - 1]
    for other in parts[: count - 1]:
        if not can_match([other, last], kinds):
            yield last.path, _together(other, last)
            return
    beside = " together with the conditions before it" if can_match([last], kinds) else ""
    yield last.path, f"no event can fulfil this{beside}, {_NEVER}: remove or correct it"


def find_impossible_alternatives(where: Where, kinds: Sequence[str]) -> Iterator[PathProblem]:
    """Each alternative of an `any` that no event can fulfil beside the other conditions."""
    parts = where.conjuncts()
    for part in (one for one in parts if isinstance(one, AnyOf)):
        others = [other for other in parts if other is not part]
        for index, node in enumerate(part.nodes):
            if not can_match([*others, node], kinds):
                yield f"{part.path}[{index}]", "no event can fulfil this alternative: remove it"


def can_match(parts: Iterable[Node], kinds: Sequence[str]) -> bool:
    """Whether an event of one of these kinds may fulfil all parts; True where that would cost too much."""
    several, known = tuple(parts), _forms(tuple(kinds))
    if len(known) == 1 and _independent(several, known[0]):
        return True
    ways = list_ways(AllOf(several), True)
    return ways is None or any(_open(way, form) for form in known for way in ways)


class _Form(NamedTuple):
    """The names of one form of event, by root, and what it says of its type; None for unknown types."""

    type: str | None
    names: Mapping[str, Container[str]]


@cache
def _forms(kinds: tuple[str, ...]) -> tuple[_Form, ...]:
    """The forms of these kinds; for `*` also that of types which nobody knows."""
    known = [_Form(form.type.kind, form.fields) for form in forms() if _asked(form, kinds)]
    return (*known, _Form(None, {})) if ANY_EVENT in kinds else tuple(known)


def _asked(form: Form, kinds: Sequence[str]) -> bool:
    """Whether a rule that asks for these kinds gets events of this form."""
    return ANY_EVENT in kinds or bool(set(form.kinds) & set(kinds))


def _independent(parts: Iterable[Node], form: _Form) -> bool:
    """Whether each condition is on a field of its own, which the form has: then any choice can be met."""
    keys = [field.keys for part in parts for field in part.fields()]
    return len(set(keys)) == len(keys) and all(_has(form, key) and key != _TYPE for key in keys)


def list_ways(node: Node, holds: bool = True) -> list[Way] | None:
    """Every way in which a part holds, or does not; None where there are too many."""
    if isinstance(node, FieldCondition):
        return [((node, holds),)]
    if isinstance(node, Not):
        return list_ways(node.node, not holds)
    nodes = node.nodes if isinstance(node, AllOf | AnyOf) else ()
    inner = [list_ways(one, holds) for one in nodes]
    told = [ways for ways in inner if ways is not None]
    if len(told) < len(inner):
        return None
    if isinstance(node, AllOf) is not holds:
        return _few([way for ways in told for way in ways])
    count = 1
    for ways in told:
        count *= len(ways)
    if count > MOST_WAYS:
        return None
    return [tuple(literal for way in chosen for literal in way) for chosen in product(*told)]


def _few(ways: list[Way]) -> list[Way] | None:
    return ways if len(ways) <= MOST_WAYS else None


def _open(way: Way, form: _Form) -> bool:
    """Whether an event of this form may fulfil the way."""
    fields: dict[tuple[str, ...], list[Literal]] = defaultdict(list)
    for field, holds in way:
        fields[field.keys].append((field, holds))
    return all(_fulfilled(asked, form) for asked in fields.values())


def _fulfilled(asked: list[Literal], form: _Form) -> bool:
    field = asked[0][0]
    if not _has(form, field.keys):
        return all(one.condition.holds(None) is holds for one, holds in asked)
    if len(asked) == 1 and field.keys != _TYPE:
        return True
    told = [Requirement(one.condition, holds) for one, holds in asked]
    if form.type and field.keys == _TYPE:
        told.append(Requirement(Equals(form.type), True))
    return not _denied(asked) and is_satisfiable(told, field.kind)


def _denied(asked: list[Literal]) -> bool:
    """Whether the same condition must hold and must not."""
    if len({holds for _, holds in asked}) == 1:
        return False
    wanted = {json.dumps(field.wanted, default=str) for field, holds in asked if holds}
    return any(json.dumps(field.wanted, default=str) in wanted for field, holds in asked if not holds)


def _has(form: _Form, keys: tuple[str, ...]) -> bool:
    return keys[0] in EVERYWHERE or keys[1] in form.names.get(keys[0], ())


def _together(other: Node, last: FieldCondition | AnyOf | Not) -> str:
    if isinstance(other, FieldCondition) and isinstance(last, FieldCondition) and other.keys != last.keys:
        names = f"{'.'.join(other.keys)} and {'.'.join(last.keys)}"
        return f"no event has both {names} as required, {_NEVER}: write two rules"
    path = other.path if isinstance(other, FieldCondition | AnyOf | Not) else ""
    return f"excludes everything that {path} allows, {_NEVER}: remove one"
