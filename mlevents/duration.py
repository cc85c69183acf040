"""Durations as people write them: `250ms`, `90s`, `15m`, `24h`, `7d`; in seconds inside. And moments."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DIGITS = 6
"""Digits of a second: what is shorter than a microsecond is no time at all, to timers too."""
_FORM = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)", re.ASCII)


def parse_duration(text: object) -> float:
    """The seconds of a duration; raises ValueError for anything but a number with its unit."""
    if isinstance(text, str) and (found := _FORM.fullmatch(text)):
        return round(float(found[1]) * _UNITS[found[2]], _DIGITS)
    if isinstance(text, int | float) and not isinstance(text, bool):
        fault = f"the duration {text} has no unit: write {text}s, {text}m or {text}h"
        raise ValueError(fault)  # noqa: TRY004 — what pydantic collects
    raise ValueError(
        f"'{text}' is not a valid duration: write a number and its unit, such as 90s, 15m, 24h or 7d"
    )


def serialize_duration(value: float) -> str:
    """The duration of so many seconds as text that `seconds` reads again."""
    return f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".") + "s"


def format_duration(value: float) -> str:
    """A duration for people: `90 s`, `2.5 min`, `15 min`, `2 h`."""
    if value >= 7200:
        return f"{value / 3600:.3g} h"
    return f"{value / 60:.3g} min" if value >= 120 or value == 60 else f"{value:.3g} s"


def format_utc(moment: datetime | str) -> str:
    """A moment (aware, or as ISO 8601) for people, to the minute: `2026-03-02 09:15 UTC`."""
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return known.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(serialize_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_FORM.pattern}$", "examples": ["15m"]}),
]
"""A duration such as `15m`; the value is in seconds."""


def _some_time(value: float) -> float:
    if value <= 0:
        raise ValueError("the duration must be longer than 0 s: write one such as 15m, or remove it")
    return value


PositiveDuration = Annotated[Duration, AfterValidator(_some_time)]
"""A duration of more than nothing, such as a timeout."""
