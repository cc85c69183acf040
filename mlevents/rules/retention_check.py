"""Is `retention` long enough: while an event may be delivered again, its response must still be stored."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.duration import format_duration, parse_duration
from mlevents.rules.model import THIRTY_DAYS
from mlevents.rules.report import Report
from mlevents.yamlfile.positions import join_path

REDELIVERY = 86_400.0
"""Seconds for which Event Grid delivers an event again."""


def check_retention(written: Mapping[str, Any], report: Report) -> None:
    """Report each `max_age` that, with the day of Event Grid, is not shorter than the retention."""
    defaults = written.get("defaults")
    own = defaults.get("retention") if isinstance(defaults, Mapping) else None
    retention = THIRTY_DAYS if own is None else _seconds(own)
    if retention is None:
        return
    day = f"{format_duration(REDELIVERY)} for which Event Grid delivers again"
    if retention <= REDELIVERY:
        text = f"{format_duration(retention)} is too short: give more than the {day}"
        report.error(join_path("defaults", "retention"), text)
        return
    for path, max_age in _max_ages(written):
        if max_age + REDELIVERY >= retention:
            fact = f"{format_duration(max_age)}, and the {day}, are not shorter than the retention"
            remedy = f"of {format_duration(retention)}: shorten it, or lengthen `retention` in `defaults`"
            report.error(path, f"{fact} {remedy}")


def _max_ages(written: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    defaults, rules = written.get("defaults"), written.get("rules")
    places: list[tuple[str, Any]] = [("defaults", defaults)]
    if isinstance(rules, list):
        places += [(f"rules[{number}]", rule) for number, rule in enumerate(rules)]
    for path, one in places:
        if isinstance(one, Mapping) and (seconds := _seconds(one.get("max_age"))) is not None:
            yield join_path(path, "max_age"), seconds


def _seconds(value: object) -> float | None:
    """The duration; None for a value whose form is reported elsewhere."""
    try:
        return parse_duration(value)
    except ValueError:
        return None
