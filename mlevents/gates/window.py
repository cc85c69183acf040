"""Act only within these hours.

```yaml
window: {days: mon-fri, from: "09:00", to: "17:00", zone: Europe/Berlin, outside: wait}
```

`days` is a range, a day, or a list of both; every day when left out. Hours with `to` before `from` go over
midnight, and belong to the day on which they begin: `fri` from 22:00 to 06:00 ends on Saturday morning.
A response outside of them waits until they begin, or stops, as `outside` says. The local clock of the zone
counts, also when it changes: hours that it skips do not come on that day.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from mlevents.events import Event
from mlevents.gates.gate import Gate, Preview, gate
from mlevents.gates.opening_hours import MINUTES_A_DAY, WEEKDAYS, OpeningHours
from mlevents.gates.visit import GateVisit, Objection, Visiting
from mlevents.registry import did_you_mean, suggest_names

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})", re.ASCII)
_EXAMPLES = "write such as mon-fri, sat, or [mon, wed-fri]"


def parse_days(written: object) -> frozenset[int]:
    """The days of the week (0 is Monday) of a range, a day, or a list; raises ValueError."""
    if isinstance(written, list) and written:
        return frozenset[int]().union(*map(parse_days, written))
    if not isinstance(written, str):
        raise ValueError(f"{written!r} is not a day: {_EXAMPLES}")  # noqa: TRY004 - what pydantic collects
    first, dash, last = written.partition("-")
    begin = _parse_day(first, written)
    end = _parse_day(last, written) if dash else begin
    return frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1))


def _parse_day(name: str, written: str) -> int:
    day = name.strip().lower()
    if day not in WEEKDAYS:
        near = [known for known in WEEKDAYS if day.startswith(known)]
        remedy = f" (did you mean '{near[0]}'?)" if near else suggest_names(day, WEEKDAYS)
        within = f" in '{written}'" if name != written else ""
        raise ValueError(f"'{name.strip()}'{within} is not a day{remedy}")
    return WEEKDAYS.index(day)


def parse_time(written: object) -> int:
    """The minutes of a day, such as 540 for `09:00`; at most 1440, for `24:00`; raises ValueError."""
    found = _TIME.fullmatch(written) if isinstance(written, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else MINUTES_A_DAY + 1
    if minutes > MINUTES_A_DAY:
        raise ValueError(f"'{written}' is not a time of day: write hours and minutes, such as 09:00 or 17:30")
    return minutes


@cache
def list_zones() -> frozenset[str]:
    """The names of the zones that are known here."""
    return frozenset(available_timezones())


def load_zone(name: object) -> ZoneInfo:
    """The zone of this name; raises ValueError for an unknown one."""
    if isinstance(name, str) and name in list_zones():
        return ZoneInfo(name)
    remedy = suggest_zone(str(name), sorted(list_zones())) or ": write one such as Europe/Berlin or UTC"
    raise ValueError(f"'{name}' is not a known time zone{remedy}")


def suggest_zone(name: str, known: Iterable[str]) -> str:
    """The tail of a message about an unknown zone: the one of the same letters or city, or the nearest."""
    wanted = name.lower().replace(" ", "_")
    names = list(known)
    same = [one for one in names if one.lower() == wanted or one.lower().endswith(f"/{wanted}")]
    return f" (did you mean '{same[0]}'?)" if same else did_you_mean(name, names)


def _checked(parse: Any) -> BeforeValidator:
    """Keeps a value as it is written, if it can be parsed."""

    def check(written: object) -> object:
        parse(written)
        return written

    return BeforeValidator(check)


_DAY = {"type": "string", "examples": ["mon-fri", *WEEKDAYS]}
Days = Annotated[
    str | list[str],
    _checked(parse_days),
    WithJsonSchema({"anyOf": [_DAY, {"type": "array", "items": _DAY, "minItems": 1}]}),
]
TimeOfDay = Annotated[
    str,
    _checked(parse_time),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIME.pattern}$", "examples": ["09:00", "17:00"]}),
]
Zone = Annotated[
    str, _checked(load_zone), WithJsonSchema({"type": "string", "examples": ["Europe/Berlin", "UTC"]})
]


@gate("window")
class Window(Gate):
    """Act only within these hours."""

    model_config = ConfigDict(serialize_by_alias=True)

    position = 90
    stage = "response"
    rechecked = True

    days: Days = "mon-sun"
    """The days on which the hours begin: a range such as `mon-fri`, a day, or a list; all when left out."""
    from_: Annotated[TimeOfDay, Field(alias="from")]
    """When the hours begin, by the local clock, such as `"09:00"`."""
    to: TimeOfDay
    """When they end, such as `"17:00"` or `"24:00"`; a time before `from` is on the next day."""
    zone: Zone
    """whose local clock counts, such as `Europe/Berlin`."""
    outside: Literal["wait", "stop"] = "wait"
    """What a response does outside of the hours: `wait` until they begin, or `stop`."""

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if parse_time(self.from_) in (parse_time(self.to), MINUTES_A_DAY):
            raise ValueError(
                f"the hours are from {self.from_} to {self.to}: for a complete day, write 00:00 to 24:00"
            )
        return self

    @property
    def hours(self) -> OpeningHours:
        """When a response may act."""
        start, end = parse_time(self.from_), parse_time(self.to)
        return OpeningHours(parse_days(self.days), start, end, load_zone(self.zone))

    def describe(self) -> str:
        return f"{self._describe_hours()} {self.zone}, outside {self.outside}"

    def _describe_hours(self) -> str:
        days = self.days if isinstance(self.days, str) else ", ".join(self.days)
        return f"{days} {self.from_}-{self.to}"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        hours = self.hours
        while not hours.is_open(visit.now):
            if self.outside == "stop":
                return Objection(
                    f"it is {hours.format_local(visit.now)}, outside of {self._describe_hours()}"
                )
            opening = hours.find_opening(visit.now)
            yield from visit.wait(opening, f"until {hours.format_local(opening)}")
        visit.record(f"it is {hours.format_local(visit.now)}")
        return None

    def preview(self, event: Event, now: datetime) -> Preview:  # noqa: ARG002 - the event changes nothing
        hours, known = self.hours, f" {self._describe_hours()}: it is"
        local = hours.format_local(now)
        if hours.is_open(now):
            return True, f"{known} {local}, inside"
        if self.outside == "stop":
            return False, f"{known} {local}, outside: stops"
        return None, f"{known} {local}: waits until {hours.format_local(hours.find_opening(now))}"
