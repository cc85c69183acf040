"""One Event Grid subscription filter for each function: it delivers at least what the rules match.

A filter joins its clauses by AND, so it has only what all rules of the function share: the same
operator on the same key with the values of all of them, or else that the key is present. Each condition
that a filter does not cover is reported in `widened`. The filter of a function that no rule needs has
no event type: do not subscribe the function.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from mlevents.eventgrid.filter_clauses import (
    PRESENT,
    SUBJECT,
    AdvancedFilter,
    ClauseOrigin,
    Clauses,
    RuleClauses,
    compile_clauses,
    drop_data_clauses,
)
from mlevents.eventgrid.limits import (
    MAX_FILTERS,
    MAX_VALUE_LENGTH,
    MAX_VALUES,
    NEGATIVE_OPERATORS,
    SINGLE_VALUE_OPERATORS,
    apply_limits,
    drop_redundant_values,
    find_needed_values,
    fold_value,
    requires_key,
)
from mlevents.events.event_functions import functions, wire_types
from mlevents.events.event_type import EventType
from mlevents.rules.model import FilterWidth, Rule

_LEAST = ("NumberGreaterThan", "NumberGreaterThanOrEquals")
_MOST = ("NumberLessThan", "NumberLessThanOrEquals")


@dataclass(frozen=True, slots=True)
class Widening:
    """A condition of a rule that a filter does not cover, and why."""

    rule: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SubscriptionFilter:
    """The filter of one subscription: event types, the subject's beginning, clauses that must all hold."""

    types: tuple[str, ...] = ()
    subject: str = ""
    clauses: tuple[AdvancedFilter, ...] = ()
    widened: tuple[Widening, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The filter as `filters --json` prints it."""
        return {
            "includedEventTypes": list(self.types),
            "subjectBeginsWith": self.subject,
            "advancedFilters": [_filter_json(clause) for clause in self.clauses],
            "widened": [{"rule": one.rule, "path": one.path, "reason": one.reason} for one in self.widened],
        }


def compile_filters(rules: Iterable[Rule], width: FilterWidth) -> dict[str, SubscriptionFilter]:
    """The filter of each function, by its name; disabled rules count for nothing.

    `safe` compares event types and subjects only, `narrow` also keys inside `data`.
    """
    asked = list(rules)
    found = {
        function: [one for rule in asked for one in _compile_rule(rule, known)]
        for function, known in functions().items()
    }
    types = wire_types()
    return {
        function: _build_filter(
            types[function], several if width == "narrow" else list(map(drop_data_clauses, several))
        )
        for function, several in found.items()
    }


def _compile_rule(rule: Rule, known: type[EventType]) -> Iterator[RuleClauses]:
    """The clauses of what the rule asks for, and of what its gates expect besides."""
    if found := compile_clauses(rule, known):
        yield found
    for name, own in rule.gates.items():
        if expected := own.expected_events:
            other = rule.model_copy(update={"event": expected.event, "where": expected.where})
            if found := compile_clauses(other, known):
                origins = [replace(one, path=f"{name}.{one.path}") for one in found.origins]
                yield RuleClauses(rule.id, origins)


def _build_filter(event_type: str, asked: list[RuleClauses]) -> SubscriptionFilter:
    if not asked:
        return SubscriptionFilter()
    shared = drop_redundant_values(_share_clauses([one.clauses() for one in asked]))
    kept = apply_limits(shared)
    subject, advanced = _split_subject(kept)
    widened = [
        Widening(one.rule, origin.path, reason)
        for one in asked
        for origin in one.origins
        if (reason := _explain_loss(origin, shared, kept))
    ]
    return SubscriptionFilter((event_type,), subject, tuple(advanced), tuple(widened))


def _explain_loss(origin: ClauseOrigin, shared: Clauses, kept: Clauses) -> str:
    """Why the filter is wider than this condition; empty if it is not."""
    if origin.clause is None:
        return origin.reason
    place = origin.clause.key, origin.clause.operator
    if place not in shared or not _has_same_values(shared[place], origin.clause):
        return "not every rule of this function has this condition"
    if place not in kept or not _has_same_values(kept[place], origin.clause):
        limits = f"{MAX_FILTERS} filters, {MAX_VALUES} values and {MAX_VALUE_LENGTH} characters a value"
        return f"Event Grid takes at most {limits}"
    return origin.reason


def _has_same_values(one: AdvancedFilter, other: AdvancedFilter) -> bool:
    values = find_needed_values(other)
    return len(one.values) == len(values) and set(map(fold_value, one.values)) == set(map(fold_value, values))


def _share_clauses(asked: Sequence[Clauses]) -> Clauses:
    """The clauses that hold for every event that one of these lets through."""
    first, *others = asked
    shared: Clauses = {}
    for (key, operator), clause in first.items():
        same = [one[key, operator] for one in others if (key, operator) in one]
        values = _merge_values(operator, [clause, *same]) if len(same) == len(others) else None
        if values is not None:
            shared[key, operator] = AdvancedFilter(operator, key, values)
    covered = {key for key, _ in shared}
    for key in dict.fromkeys(key for key, _ in first):
        if key not in covered and all(requires_key(one, key) for one in asked):
            shared[key, PRESENT] = AdvancedFilter(PRESENT, key)
    return shared


def _merge_values(operator: str, clauses: Sequence[AdvancedFilter]) -> tuple[Any, ...] | None:
    """The values of one clause that holds if one of these holds; None if no such clause exists."""
    values: dict[Any, Any] = {}
    for value in chain.from_iterable(clause.values for clause in clauses):
        values.setdefault(fold_value(value), value)
    if operator in _LEAST:
        return (min(values),)
    if operator in _MOST:
        return (max(values),)
    if operator in NEGATIVE_OPERATORS:
        in_all = set[object].intersection(*(set(map(fold_value, clause.values)) for clause in clauses))
        return tuple(value for value in clauses[0].values if fold_value(value) in in_all) or None
    return tuple(values.values())


def _split_subject(clauses: Clauses) -> tuple[str, list[AdvancedFilter]]:
    """The beginning of the subject, if there is only one, and the other clauses."""
    heads = clauses.get((SUBJECT, "StringBeginsWith"))
    rest = [clause for clause in clauses.values() if clause is not heads]
    if heads is None:
        return "", rest
    return (str(heads.values[0]), rest) if len(heads.values) == 1 else ("", [heads, *rest])


def _filter_json(clause: AdvancedFilter) -> Mapping[str, Any]:
    found: dict[str, Any] = {"operatorType": clause.operator, "key": clause.key}
    values = [_to_json(value) for value in clause.values]
    if clause.operator in SINGLE_VALUE_OPERATORS:
        return found | {"value": values[0]}
    return found | ({"values": values} if values else {})


def _to_json(value: object) -> Any:
    if isinstance(value, tuple):
        return [_to_json(inner) for inner in value]
    return float(value) if isinstance(value, float) else value
