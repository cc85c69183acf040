"""The waiting of one orchestration for another: how long, how often it looks, and when it is over."""

from collections.abc import Mapping
from typing import Any

FIRST_WAIT, LONGEST_WAIT, GROWTH = 5.0, 60.0, 1.5
"""Seconds between two looks of one that waits; each look is one call of the entity."""
LOOKS_PER_FIND = 3
"""At the first look and at every third after it, the statuses of the orchestrations are read."""
ALIVE = ("RUNNING", "PENDING", "SUSPENDED", "CONTINUED_AS_NEW")


class Patience:
    """How long one has waited: in all, and since the holder's last statement; in seconds."""

    def __init__(self, limit: float) -> None:
        self.limit, self.waited, self.silent, self.looks = limit, 0.0, 0.0, 0
        self.last: Any = None

    def is_time_to_find(self) -> bool:
        """Whether to look the statuses up this time."""
        return self.looks % LOOKS_PER_FIND == 0

    def is_over(self, holder: Mapping[str, Any], statuses: Mapping[str, str | None]) -> bool:
        """Whether the holder has ended, or has been silent for longer than it declared."""
        if [holder["id"], holder["n"]] != self.last:
            self.last, self.silent = [holder["id"], holder["n"]], 0.0
        expired = holder["ttl"] is not None and self.silent > holder["ttl"]
        return expired or has_ended(statuses, holder["id"])

    def wait(self, holder: Mapping[str, Any]) -> float:
        """The seconds until the next look, counted as waited."""
        if [holder["id"], holder["n"]] != self.last:
            self.last, self.silent = [holder["id"], holder["n"]], 0.0
        left = max(self.limit - self.waited, 1.0)
        seconds = min(FIRST_WAIT * GROWTH ** min(self.looks, 20), LONGEST_WAIT, left)
        self.looks, self.waited, self.silent = self.looks + 1, self.waited + seconds, self.silent + seconds
        return float(seconds)


def has_ended(statuses: Mapping[str, str | None], instance: str) -> bool:
    """Whether this orchestration is known to have ended, or to be gone with its history."""
    return instance in statuses and statuses[instance] not in ALIVE
