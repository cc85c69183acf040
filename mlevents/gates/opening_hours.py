"""Hours of a local calendar, on some days of the week: whether they are open, and when they open next.

What counts is the local clock, with the changes of its zone: a time that it skips never comes, and one that
it shows twice counts twice. Nothing is computed by adding 24 hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 1440
SEARCHED_DAYS = 16
"""Two weeks and a day on each side: hours of one day a week may be skipped once by the clock."""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """From `start` to before `end`, both in minutes of the day, on these days (0 is Monday).

    Hours with an `end` before their `start` go over midnight, and belong to the day on which they begin.
    """

    days: frozenset[int]
    start: int
    end: int
    zone: ZoneInfo

    def is_open(self, at: datetime) -> bool:
        """Whether the local clock is within the hours at this time (aware)."""
        local = at.astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        begins, ends = minute >= self.start, minute < self.end
        return (begins and today in self.days) or (ends and (today - 1) % 7 in self.days)

    def find_opening(self, after: datetime) -> datetime:
        """The first time after this one (both aware, in UTC) at which the hours are open.

        Raises ValueError if they never are, which only a start that no clock shows can do.
        """
        first = after.astimezone(self.zone).date() - timedelta(days=1)
        for number in range(SEARCHED_DAYS):
            times = self._list_changes(first + timedelta(days=number))
            if found := [one for one in times if one > after and self.is_open(one)]:
                return min(found)
        raise ValueError(f"the clock of {self.zone.key} never shows these hours")

    def _list_changes(self, day: date) -> Iterator[datetime]:
        """The times of a local day at which the hours may open: their start, and a change of the clock."""
        opening = datetime.combine(day, time(*divmod(self.start, 60)), self.zone)
        yield from (opening.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        midnights = (datetime.combine(day + timedelta(days=one), time(), self.zone) for one in (0, 1))
        yield from self._find_clock_change(*(one.astimezone(UTC) for one in midnights))

    def _find_clock_change(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """The second at which the zone's offset changes between these times, if it does."""
        offset, seconds = begin.astimezone(self.zone).utcoffset(), int((end - begin).total_seconds())
        if end.astimezone(self.zone).utcoffset() == offset:
            return
        low, high = 0, seconds
        while high - low > 1:
            middle = (low + high) // 2
            same = (begin + timedelta(seconds=middle)).astimezone(self.zone).utcoffset() == offset
            low, high = (middle, high) if same else (low, middle)
        yield begin + timedelta(seconds=high)

    def format_local(self, at: datetime) -> str:
        """A time for people, as the local clock shows it: `Mon 2026-01-05 09:00 Europe/Berlin`."""
        local = at.astimezone(self.zone)
        return f"{WEEKDAYS[local.weekday()].capitalize()} {local:%Y-%m-%d %H:%M} {self.zone.key}"
