"""What an Event Grid subscription filter lets through, after Event Grid's documentation.

Written from the documentation alone and sharing nothing with the compiler of filters, so that one can
be tested by the other. All filters must hold, one value of each is enough. Text compares without
case; a letter outside ASCII never equals one of ASCII (inferred, .NET's ordinal comparison). A key is
a path of names without dots in them, and is looked up without regard to case (inferred). A missing
key matches nothing but IsNullOrUndefined and the operators that begin with Not or contain `Not`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_TYPE_KEYS = ("eventType", "type")


def delivers(filter_json: Mapping[str, Any], event: Mapping[str, Any], *, cased: bool = False) -> bool:
    """Whether a subscription with this filter would be sent this event, in either schema.

    `cased` says that keys inside `data` are looked up with case, which is unverified either way.
    """
    return find_rejection(filter_json, event, cased=cased) is None


def find_rejection(
    filter_json: Mapping[str, Any], event: Mapping[str, Any], *, cased: bool = False
) -> str | None:
    """The events that the filter takes, in words that this event contradicts; None if it is delivered."""
    types = filter_json.get("includedEventTypes")
    event_type = next((value for key in _TYPE_KEYS if isinstance(value := event.get(key), str)), "")
    if types is not None and event_type.upper() not in {name.upper() for name in types}:
        return f"events of the type {' or '.join(types)}" if types else "no events: no rule needs this type"
    subject = event.get("subject")
    subject = _upper(subject) if isinstance(subject, str) else ""
    for place, holds in (("Begins", str.startswith), ("Ends", str.endswith)):
        wanted = filter_json.get(f"subject{place}With") or ""
        if not holds(subject, _upper(wanted)):
            return f"events whose subject {place.lower()} with '{wanted}'"
    failed = (one for one in filter_json.get("advancedFilters") or [] if not _passes(one, event, cased))
    return next(map(_describe_filter, failed), None)


def _describe_filter(advanced: Mapping[str, Any]) -> str:
    wanted = advanced["values"] if "values" in advanced else [advanced.get("value")]
    values = ", ".join(str(value) for value in wanted if value is not None)
    return f"events with {advanced['key']} {advanced['operatorType']} {values}".rstrip()


def _passes(advanced: Mapping[str, Any], event: Mapping[str, Any], cased: bool) -> bool:
    value = _look_up(event, advanced["key"], cased)
    operator = advanced["operatorType"]
    if operator == "IsNullOrUndefined":
        return value is None
    if operator == "IsNotNull":
        return value is not None
    wanted = advanced["values"] if "values" in advanced else [advanced["value"]]
    positive, negated = _positive(operator)
    return _PREDICATES[positive](value, wanted) is not negated


def _positive(operator: str) -> tuple[str, bool]:
    """`StringNotIn` is no `StringIn`: a missing key, and a value of another type, match it."""
    for family in ("String", "Number"):
        if operator.startswith(f"{family}Not"):
            return family + operator.removeprefix(f"{family}Not"), True
    return operator, False


def _look_up(event: Mapping[str, Any], path: str, cased: bool) -> Any:
    found: Any = event
    for depth, name in enumerate(path.split(".")):
        if not isinstance(found, Mapping):
            return None
        if cased and depth:
            found = found.get(name)
        else:
            found = next((value for key, value in found.items() if key.upper() == name.upper()), None)
    return found


def _upper(text: str) -> str:
    return "".join(_upper_letter(letter) for letter in text)


def _upper_letter(letter: str) -> str:
    upper = letter.upper()
    return upper if len(upper) == 1 and upper.isascii() == letter.isascii() else letter


def _text(predicate: Callable[[str, str], bool]) -> Callable[[Any, Sequence[Any]], bool]:
    def holds(value: Any, wanted: Sequence[Any]) -> bool:
        return isinstance(value, str) and any(predicate(_upper(value), _upper(one)) for one in wanted)

    return holds


def _number(predicate: Callable[[float, Any], bool]) -> Callable[[Any, Sequence[Any]], bool]:
    def holds(value: Any, wanted: Sequence[Any]) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and any(predicate(value, one) for one in wanted)

    return holds


_PREDICATES: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = {
    "StringIn": _text(lambda value, wanted: value == wanted),
    "StringBeginsWith": _text(lambda value, wanted: value.startswith(wanted)),
    "StringEndsWith": _text(lambda value, wanted: value.endswith(wanted)),
    "StringContains": _text(lambda value, wanted: wanted in value),
    "NumberIn": _number(lambda value, wanted: value == wanted),
    "NumberLessThan": _number(lambda value, wanted: value < wanted),
    "NumberLessThanOrEquals": _number(lambda value, wanted: value <= wanted),
    "NumberGreaterThan": _number(lambda value, wanted: value > wanted),
    "NumberGreaterThanOrEquals": _number(lambda value, wanted: value >= wanted),
    "NumberInRange": _number(lambda value, wanted: wanted[0] <= value <= wanted[1]),
    "BoolEquals": lambda value, wanted: isinstance(value, bool) and value in wanted,
}
