"""One Event Grid subscription filter for each function: never less than what the rules match.

A filter joins its clauses by AND, so it holds only what all rules of the function share: the same
operator on the same key with the values of all of them, else that the key is there. What a filter
says less than a rule is reported in `widened`. A function that no rule needs includes no event type:
do not subscribe it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mlevents.eventgrid.filter_clauses import (
    PRESENT,
    SUBJECT,
    Advanced,
    Claims,
    Clauses,
    Origin,
    claims,
    safe,
)
from mlevents.eventgrid.limits import (
    LONGEST,
    MOST_FILTERS,
    MOST_VALUES,
    NONE,
    SINGLE,
    demands,
    folded,
    shortest,
    shortest_values,
    within_limits,
)
from mlevents.events.event_functions import functions, wire_types
from mlevents.rules.model import FilterWidth, Rule

_LEAST = ("NumberGreaterThan", "NumberGreaterThanOrEquals")
_MOST = ("NumberLessThan", "NumberLessThanOrEquals")


@dataclass(frozen=True, slots=True)
class Widened:
    """Where a filter lets more through than a rule wants, and why."""

    rule: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter of one subscription: event types, the subject's head, clauses that all must hold."""

    types: tuple[str, ...] = ()
    subject: str = ""
    clauses: tuple[Advanced, ...] = ()
    widened: tuple[Widened, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The filter as `filters --json` prints it."""
        return {
            "includedEventTypes": list(self.types),
            "subjectBeginsWith": self.subject,
            "advancedFilters": [_advanced_json(clause) for clause in self.clauses],
            "widened": [{"rule": one.rule, "path": one.path, "reason": one.reason} for one in self.widened],
        }


def compile_filters(rules: Iterable[Rule], width: FilterWidth) -> dict[str, Filter]:
    """The filter of each function, by its name; disabled rules ask for nothing.

    `safe` asks for event types and subjects alone, `narrow` for keys inside `data` as well.
    """
    asked = list(rules)
    found = {
        function: [one for rule in asked if (one := claims(rule, known))]
        for function, known in functions().items()
    }
    types = wire_types()
    return {
        function: _filter(types[function], several if width == "narrow" else list(map(safe, several)))
        for function, several in found.items()
    }


def _filter(event_type: str, asked: list[Claims]) -> Filter:
    if not asked:
        return Filter()
    shared = shortest(_shared([one.clauses() for one in asked]))
    kept = within_limits(shared)
    subject, advanced = _take_subject(kept)
    widened = [
        Widened(one.rule, origin.path, reason)
        for one in asked
        for origin in one.origins
        if (reason := _loss(origin, shared, kept))
    ]
    return Filter((event_type,), subject, tuple(advanced), tuple(widened))


def _loss(origin: Origin, shared: Clauses, kept: Clauses) -> str:
    """Why the filter says less than this condition, or nothing when it says the same."""
    if origin.clause is None:
        return origin.reason
    place = origin.clause.key, origin.clause.operator
    if place not in shared or not _same(shared[place], origin.clause):
        return "not every rule of this function asks for the same"
    if place not in kept or not _same(kept[place], origin.clause):
        return f"Event Grid takes {MOST_FILTERS} filters, {MOST_VALUES} values, {LONGEST} characters a value"
    return origin.reason


def _same(one: Advanced, other: Advanced) -> bool:
    values = shortest_values(other)
    return len(one.values) == len(values) and set(map(folded, one.values)) == set(map(folded, values))


def _shared(asked: Sequence[Clauses]) -> Clauses:
    """What is so in every event that one of these lets through."""
    first, *others = asked
    shared: Clauses = {}
    for (key, operator), clause in first.items():
        same = [one[key, operator] for one in others if (key, operator) in one]
        values = _any_of(operator, [clause, *same]) if len(same) == len(others) else None
        if values is not None:
            shared[key, operator] = Advanced(operator, key, values)
    told = {key for key, _ in shared}
    for key in dict.fromkeys(key for key, _ in first):
        if key not in told and all(demands(one, key) for one in asked):
            shared[key, PRESENT] = Advanced(PRESENT, key)
    return shared


def _any_of(operator: str, clauses: Sequence[Advanced]) -> tuple[Any, ...] | None:
    """The values with which one clause says that one of these holds; None when it would say nothing."""
    values: dict[Any, Any] = {}
    for value in chain.from_iterable(clause.values for clause in clauses):
        values.setdefault(folded(value), value)
    if operator in _LEAST:
        return (min(values),)
    if operator in _MOST:
        return (max(values),)
    if operator in NONE:
        in_all = set[object].intersection(*(set(map(folded, clause.values)) for clause in clauses))
        return tuple(value for value in clauses[0].values if folded(value) in in_all) or None
    return tuple(values.values())


def _take_subject(clauses: Clauses) -> tuple[str, list[Advanced]]:
    """The one head of the subject, and the other clauses; several heads stay a clause."""
    heads = clauses.get((SUBJECT, "StringBeginsWith"))
    rest = [clause for clause in clauses.values() if clause is not heads]
    if heads is None:
        return "", rest
    return (str(heads.values[0]), rest) if len(heads.values) == 1 else ("", [heads, *rest])


def _advanced_json(clause: Advanced) -> Mapping[str, Any]:
    found: dict[str, Any] = {"operatorType": clause.operator, "key": clause.key}
    values = [_plain(value) for value in clause.values]
    if clause.operator in SINGLE:
        return found | {"value": values[0]}
    return found | ({"values": values} if values else {})


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return float(value) if isinstance(value, float) else value
