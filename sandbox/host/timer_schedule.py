"""Schedules of timer triggers: NCRONTAB expressions and time spans, as the Functions host reads them.

Six fields, `second minute hour day month day-of-week`; with five the second is 0. A day must fit both its
fields, unlike in cron. Values: `*`, `5`, `1-5`, `*/10`, `5/10`, `1-30/5`, lists of these, and names of
months and days. Written after NCrontab, which the host uses; its `@daily`, `L`, `#` and 7 for Sunday do
not exist there. The clock is UTC, as WEBSITE_TIME_ZONE leaves it when it is not set.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from sandbox.worker.host_settings import parse_time_span

DAYS_AHEAD = 366 * 9
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


class Schedule(Protocol):
    """When a timer fires."""

    def after(self, moment: datetime) -> datetime:
        """The first time after this moment."""


@dataclass(frozen=True, slots=True)
class Every:
    """A constant time between two firings."""

    span: timedelta

    def after(self, moment: datetime) -> datetime:
        """One span later."""
        return moment + self.span


@dataclass(frozen=True, slots=True)
class Crontab:
    """The values that each field allows, in order."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def after(self, moment: datetime) -> datetime:
        """The first second after this moment that fits every field; raises ValueError when none does."""
        earliest = moment.replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(DAYS_AHEAD):
            day = (earliest + timedelta(days=ahead)).date()
            if self._fits(day.month, day.day, day.isoweekday() % 7):
                start = time() if ahead else earliest.time()
                found = self._first(start)
                if found is not None:
                    return datetime.combine(day, found, tzinfo=UTC)
        raise ValueError("the schedule never fires")

    def _fits(self, month: int, day: int, weekday: int) -> bool:
        return month in self.months and day in self.days and weekday in self.weekdays

    def _first(self, start: time) -> time | None:
        times = (
            time(hour, minute, second)
            for hour in self.hours
            if hour >= start.hour
            for minute in self.minutes
            if (hour, minute) >= (start.hour, start.minute)
            for second in self.seconds
        )
        return next((one for one in times if one >= start), None)


def parse_schedule(text: str) -> Schedule:
    """The schedule that a timer trigger's expression means; raises ValueError in the host's words."""
    try:
        fields = text.split()
        if len(fields) == 1:
            return Every(_positive(parse_time_span(text)))
        return _crontab(["0", *fields] if len(fields) == 5 else fields)
    except ValueError as error:
        raise ValueError(
            f"The schedule expression '{text}' was not recognized as a valid cron expression "
            f"or timespan string: {error}"
        ) from error


def _crontab(fields: list[str]) -> Crontab:
    if len(fields) != 6:
        raise ValueError(f"it has {len(fields)} fields instead of 6")
    second, minute, hour, day, month, weekday = fields
    found = Crontab(
        _values(second, 0, 59),
        _values(minute, 0, 59),
        _values(hour, 0, 23),
        _values(day, 1, 31),
        _values(month, 1, 12, MONTHS),
        _values(weekday, 0, 6, DAYS),
    )
    found.after(datetime(2000, 1, 1, tzinfo=UTC))
    return found


def _values(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    found: set[int] = set()
    for text in field.split(","):
        part = PART.fullmatch(text)
        if part is None:
            raise ValueError(f"'{text}' is not a value, a range or a step")
        step = int(part["step"] or 1)
        first = least if part["all"] else _number(part["first"], least, names)
        open_ended = part["all"] or (part["step"] and not part["last"])
        last = most if open_ended else _number(part["last"] or part["first"], least, names)
        if not (least <= first <= last <= most and step > 0):
            raise ValueError(f"'{text}' is not within {least} to {most}")
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _number(text: str, least: int, names: tuple[str, ...]) -> int:
    for place, name in enumerate(names):
        if text.lower().startswith(name):
            return place + least
    return int(text)


def _positive(span: timedelta) -> timedelta:
    if span <= timedelta():
        raise ValueError("the time span is not above zero")
    return span
