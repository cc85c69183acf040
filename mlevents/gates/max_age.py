"""An event older than this is recorded, never acted on.

```yaml
max_age: 24h
```

Event Grid delivers for up to a day, and a replay may come later still. The age of an event without a time,
or with one that lies more than five minutes ahead, is unknown: it is not acted on either.
"""

from datetime import datetime

from pydantic import RootModel

from mlevents.duration import PositiveDuration
from mlevents.events import Event
from mlevents.gates.gate import AnyGate, Preview, gate

SKEW = 300.0
"""Seconds by which the clock of the sender may be ahead of ours."""


@gate("max_age")
class MaxAge(RootModel[PositiveDuration], AnyGate):
    """An event older than this is recorded, never acted on."""

    position = 10
    stage = "delivery"

    def objection_to_event(self, event: Event, now: datetime, /) -> str | None:
        return too_old(event.time, self.root, now)

    def describe(self) -> str:
        return words(self.root)

    def preview(self, event: Event, now: datetime) -> Preview:
        if objection := too_old(event.time, self.root, now):
            return False, f": {objection}"
        age = (now - datetime.fromisoformat(event.time or "")).total_seconds()
        return True, f" {words(self.root)}: the event is {words(max(0, round(age)))} old"


def too_old(time: str | None, max_age: float | None, now: datetime) -> str | None:
    """Why an event of this time is not acted on, or None; `max_age` in seconds, None for no limit."""
    if max_age is None:
        return None
    if time is None:
        return "the event has no time, so its age is unknown: add a time to the event"
    age = (now - datetime.fromisoformat(time)).total_seconds()
    if age < -SKEW:
        limit = f"more than {words(SKEW)}: correct the clock of its sender"
        return f"the event's time {time} is {words(-age)} ahead of now, {limit}"
    if age <= max_age:
        return None
    return f"the event is {words(age)} old, more than {words(max_age)}"


def words(seconds: float) -> str:
    """So many seconds as people say it: in the largest unit of which there are two, rounded down."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:g} seconds"
