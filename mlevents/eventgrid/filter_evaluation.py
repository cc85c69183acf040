"""Whether the compiled filters let an event through: `explain` shows it for each rule."""

from collections.abc import Callable, Mapping
from typing import Any

from mlevents.conditions.condition import is_finite
from mlevents.eventgrid.filter_clauses import ABSENT, PRESENT, AdvancedFilter
from mlevents.eventgrid.subscription_filters import SubscriptionFilter

_TYPES = ("eventType", "type", "event_type")


def is_delivered(filters: Mapping[str, SubscriptionFilter], document: Mapping[str, Any]) -> bool:
    """Whether one of the subscriptions delivers this event, as sent by Azure."""
    members = {_fold(key): value for key, value in document.items()}
    said = next((kind for key in _TYPES if (kind := members.get(_fold(key)))), "")
    return any(_passes(one, _fold(str(said)), members) for one in filters.values())


def _fold(text: str) -> str:
    """The text as Event Grid compares it: in upper case, no letter becoming ASCII (inferred)."""
    return "".join(map(_folded, text))


def _folded(letter: str) -> str:
    upper = letter.upper()
    return upper if len(upper) == 1 and upper.isascii() == letter.isascii() else letter


def _passes(one: SubscriptionFilter, event_type: str, members: Mapping[str, Any]) -> bool:
    if event_type not in map(_fold, one.types):
        return False
    subject = _fold(str(members.get(_fold("subject")) or ""))
    return subject.startswith(_fold(one.subject)) and all(_holds(clause, members) for clause in one.clauses)


def _holds(clause: AdvancedFilter, members: Mapping[str, Any]) -> bool:
    value = _value(members, _fold(clause.key).split("."))
    if clause.operator in (PRESENT, ABSENT):
        return (value is None) is (clause.operator == ABSENT)
    operator = clause.operator.removeprefix("String").removeprefix("Number")
    if operator == "NotIn":
        return not _any("In", value, clause)
    return _any(operator, value, clause)


def _any(operator: str, value: Any, clause: AdvancedFilter) -> bool:
    if clause.operator.startswith("String"):
        return isinstance(value, str) and any(
            _TEXT[operator](_fold(value), _fold(one)) for one in clause.values
        )
    return is_finite(value) and any(_NUMBER[operator](value, one) for one in clause.values)


def _value(members: Any, path: list[str]) -> Any:
    found = members
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = next((value for key, value in found.items() if _fold(key) == name), None)
    return found


_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "In": str.__eq__,
    "BeginsWith": str.startswith,
    "EndsWith": str.endswith,
    "Contains": str.__contains__,
}
_NUMBER: Mapping[str, Callable[[float, Any], bool]] = {
    "In": lambda value, wanted: bool(value == wanted),
    "GreaterThan": lambda value, wanted: bool(value > wanted),
    "GreaterThanOrEquals": lambda value, wanted: bool(value >= wanted),
    "LessThan": lambda value, wanted: bool(value < wanted),
    "LessThanOrEquals": lambda value, wanted: bool(value <= wanted),
    "InRange": lambda value, wanted: bool(wanted[0] <= value <= wanted[1]),
}
