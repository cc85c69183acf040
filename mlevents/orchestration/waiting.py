"""How one orchestration waits for another: how long, how often it looks, and when the wait is over."""

import json
from collections.abc import Mapping, Sequence

from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import FIND_INSTANCES
from mlevents.orchestration.lease_messages import Holder, InstanceNumber, Ticket
from mlevents.orchestration.serialization import to_text

FIRST_WAIT, LONGEST_WAIT, GROWTH = 5.0, 60.0, 1.5
"""Seconds between two looks of an orchestration that waits; each look is one call of the entity."""
LOOKS_PER_FIND = 3
"""At the first look and at every third after it, the statuses of the orchestrations are read."""
ALIVE = ("RUNNING", "PENDING", "SUSPENDED", "CONTINUED_AS_NEW")

Statuses = Mapping[str, str | None]
"""The runtime status of each orchestration by its id, None for one that does not exist."""


class Patience:
    """How long an orchestration has waited: in all, and since the holder's last statement; in seconds."""

    def __init__(self, limit: float) -> None:
        self.limit, self.waited, self.silent, self.looks = limit, 0.0, 0.0, 0
        self.last: InstanceNumber | None = None

    def is_time_to_find(self) -> bool:
        """Whether to read the statuses this time."""
        return self.looks % LOOKS_PER_FIND == 0

    def is_over(self, holder: Holder, statuses: Statuses) -> bool:
        """Whether the holder has ended, or has been silent for longer than it declared."""
        self._notice(holder)
        expired = holder.ttl is not None and self.silent > holder.ttl
        return expired or has_ended(statuses, holder.id)

    def wait(self, holder: Holder) -> float:
        """The seconds until the next look, counted as waited."""
        self._notice(holder)
        left = max(self.limit - self.waited, 1.0)
        seconds = min(FIRST_WAIT * GROWTH ** min(self.looks, 20), LONGEST_WAIT, left)
        self.looks, self.waited, self.silent = self.looks + 1, self.waited + seconds, self.silent + seconds
        return float(seconds)

    def _notice(self, holder: Holder) -> None:
        if holder.latest != self.last:
            self.last, self.silent = holder.latest, 0.0


def has_ended(statuses: Statuses, instance: str) -> bool:
    """Whether this orchestration is known to have ended, or to be gone with its history."""
    return instance in statuses and statuses[instance] not in ALIVE


def find_statuses(context: OrchestrationContext, instances: Sequence[str]) -> Durable[Statuses]:
    """The status of each orchestration, None for one that does not exist; empty if it cannot be read."""
    try:
        text = yield context.call_activity(FIND_INSTANCES, input=to_text(list(instances)))
    except TaskFailedError:
        return {}
    found: Statuses = json.loads(text)
    return found


def find_alive(context: OrchestrationContext, tickets: Sequence[Ticket]) -> Durable[list[Ticket]]:
    """Those tickets whose orchestrations still run."""
    if not tickets:
        return []
    statuses = yield from find_statuses(context, [one.id for one in tickets])
    return [one for one in tickets if statuses.get(one.id) in ALIVE]
