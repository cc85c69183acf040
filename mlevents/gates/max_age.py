"""An event older than this is recorded, never acted on.

```yaml
max_age: 24h
```

Event Grid delivers for up to a day, and a replay may come later still. An event without a time cannot
be judged, so it is not acted on either.
"""

from datetime import datetime, timedelta


def too_old(time: str | None, max_age: float | None, now: datetime) -> str | None:
    """Why an event of this time is not acted on, or None; `max_age` in seconds, None for no limit."""
    if max_age is None:
        return None
    limit = timedelta(seconds=max_age)
    if time is None:
        return f"max_age: the event carries no time, so nobody can tell whether it is older than {limit}"
    age = now - datetime.fromisoformat(time)
    if age <= limit:
        return None
    return f"max_age: the event is {timedelta(seconds=round(age.total_seconds()))} old, more than {limit}"
