"""An event older than this is recorded, never acted on.

```yaml
max_age: 24h
```

Event Grid delivers for up to a day, and a replay may come later still. An event without a time cannot
be judged, so it is not acted on either.
"""

from datetime import datetime


def too_old(time: str | None, max_age: float | None, now: datetime) -> str | None:
    """Why an event of this time is not acted on, or None; `max_age` in seconds, None for no limit."""
    if max_age is None:
        return None
    if time is None:
        return f"max_age: the event carries no time, so nobody can tell if it is older than {words(max_age)}"
    age = (now - datetime.fromisoformat(time)).total_seconds()
    if age <= max_age:
        return None
    return f"max_age: the event is {words(age)} old, more than {words(max_age)}"


def words(seconds: float) -> str:
    """So many seconds as people say it: in the largest unit of which there are two, rounded down."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:g} seconds"
