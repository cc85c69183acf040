"""Compares Event Grid's subscriptions with the filters that the rules compile to.

The deployment labels each subscription with a hash of its filter, so that an edited filter can be
distinguished from a filter of older rules.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlevents.canonical import fold
from mlevents.eventgrid.subscription_filters import SubscriptionFilter
from mlevents.events.event_functions import function_of
from mlevents.services.event_subscription import EventSubscription
from mlevents.services.finding import Finding

LABEL = "mlevents-filter-"
DEPLOY = "deploy the subscriptions again (`azd hooks run postdeploy`, or events.bicep with `filters --json`)"
STALE = "its filter comes from older rules"
EDITED = "its filter was edited after it was deployed"
EITHER = "its filter comes from older rules, or was edited"

type _Clause = tuple[str, str, frozenset[Any]]


@dataclass(frozen=True, slots=True)
class FilterContent:
    """The content of a filter, independent of order and case."""

    types: frozenset[str]
    head: str
    tail: str
    cased: bool
    clauses: frozenset[_Clause]

    @classmethod
    def of(cls, filter_json: Mapping[str, Any]) -> "FilterContent":
        """From the filter as `filters --json` prints it, or as Azure returns it."""
        return cls(
            types=frozenset(map(fold, filter_json.get("includedEventTypes") or ())),
            head=fold(filter_json.get("subjectBeginsWith") or ""),
            tail=fold(filter_json.get("subjectEndsWith") or ""),
            cased=bool(filter_json.get("isSubjectCaseSensitive")),
            clauses=frozenset(map(_clause, filter_json.get("advancedFilters") or ())),
        )

    def words(self) -> set[str]:
        """Each condition of the filter, as text."""
        said = {f"the event type {one}" for one in self.types}
        said |= {f"a subject that begins with '{self.head}'"} if self.head else set()
        said |= {f"a subject that ends with '{self.tail}'"} if self.tail else set()
        said |= {"a case-sensitive subject"} if self.cased else set()
        return said | {
            f"{key} {operator} {', '.join(sorted(map(str, values)))}".rstrip()
            for key, operator, values in self.clauses
        }


def make_label(filter_json: Mapping[str, Any]) -> str:
    """The label of a subscription with this filter."""
    text = "\n".join(sorted(FilterContent.of(filter_json).words()))
    return LABEL + hashlib.sha256(text.encode()).hexdigest()[:16]


def compare_subscriptions(
    wanted: Mapping[str, SubscriptionFilter], there: Sequence[EventSubscription], app: str = ""
) -> Iterator[Finding]:
    """What is missing, stale, edited, misdirected or without dead letters; `app` is the Function App's id.

    Without `app` it is the app that is subscribed; if several are, the finding asks for one.
    """
    apps = {one.app.lower(): one.app for one in there if one.function in wanted}
    if not app and len(apps) > 1:
        said = f"several function apps are subscribed: {', '.join(sorted(apps.values()))}"
        yield Finding("event subscriptions", None, said, "name yours with --function-app")
        return
    ours = [one for one in there if one.function and (not app or one.app.lower() == app.lower())]
    others = sorted(one for key, one in apps.items() if app and key != app.lower())
    for function, filter_ in wanted.items():
        mine = [one for one in ours if function in _concerned(one, wanted)]
        if filter_.types:
            yield from _wanted(function, filter_, mine, others)
        else:
            yield from _left_over(function, mine)


def _concerned(one: EventSubscription, wanted: Mapping[str, SubscriptionFilter]) -> set[str]:
    """The functions whose event types it has; else the function that it delivers to."""
    types = FilterContent.of(one.filter).types
    return {name for type_ in types if (name := function_of(type_)) in wanted and name} or {one.function}


def _wanted(
    function: str, filter_: SubscriptionFilter, mine: Sequence[EventSubscription], others: Sequence[str]
) -> Iterator[Finding]:
    if not mine:
        elsewhere = f"; another app has one: {', '.join(others)}" if others else ""
        yield Finding(function, False, f"has no event subscription{elsewhere}", DEPLOY)
    for one in mine:
        faults = list(_faults(function, filter_, one))
        for said, remedy in faults:
            yield Finding(function, False, f"the subscription '{one.name}': {said}", remedy)
        if not faults:
            yield Finding(function, True, f"the subscription '{one.name}' matches the rules")


def _left_over(function: str, mine: Sequence[EventSubscription]) -> Iterator[Finding]:
    for one in mine:
        if one.function == function:
            said = f"the subscription '{one.name}' delivers events that no rule needs"
            yield Finding(function, False, said, "delete it")


def _faults(function: str, filter_: SubscriptionFilter, one: EventSubscription) -> Iterator[tuple[str, str]]:
    if one.function != function:
        yield f"delivers to the function {one.function}", f"change it to {function}: {DEPLOY}"
        return
    if not one.ready:
        yield f"is {one.state}", DEPLOY
    difference = _difference(FilterContent.of(filter_.to_json()), FilterContent.of(one.filter))
    if difference:
        yield f"{_history(one)}: {difference}", DEPLOY
    if not one.dead_letters:
        yield (
            "has no dead-letter destination: events that cannot be delivered are lost",
            "configure a container for dead letters",
        )


def _history(one: EventSubscription) -> str:
    labels = [text for text in one.labels if text.startswith(LABEL)]
    if not labels:
        return EITHER
    return STALE if make_label(one.filter) in labels else EDITED


def _difference(wanted: FilterContent, found: FilterContent) -> str:
    """What the filter lacks and what it has in addition; empty if both are equal."""
    lacks, besides = sorted(wanted.words() - found.words()), sorted(found.words() - wanted.words())
    parts = [f"it lacks {'; '.join(lacks)}"] if lacks else []
    parts += [f"it also has {'; '.join(besides)}"] if besides else []
    return ", and ".join(parts)


def _clause(written: Mapping[str, Any]) -> _Clause:
    values = written.get("values")
    if values is None:
        values = [written["value"]] if written.get("value") is not None else []
    return fold(written.get("key") or ""), str(written.get("operatorType")), frozenset(map(_plain, values))


def _plain(value: Any) -> Any:
    """Numbers as one type, texts in one case, ranges as tuples."""
    if isinstance(value, list):
        return tuple(map(_plain, value))
    if isinstance(value, str):
        return fold(value)
    return value if isinstance(value, bool) else float(value)
