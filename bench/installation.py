"""An installation as `infra/` makes it, and the highest rate of responses that each of its parts allows."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.published_limits import (
    ACCOUNT_REQUESTS,
    ARM_READS,
    ARM_WRITES,
    CORES,
    QUEUE_MESSAGES,
    TOPIC_EVENTS,
)
from bench.response_work import ResponseWork

CPU_SECONDS = 0.02
"""Of a core for a turn, an operation of an entity or an activity, in host and worker (inferred)."""
TURN_SECONDS, ACTIVITY_SECONDS = 0.05, 0.3
"""What a turn waits for storage, and an activity for the service that it calls (inferred)."""
DELIVERIES_A_CORE = 250
"""Deliveries that match nothing, a second (measured in the real host, half of what two cores did)."""
ACCOUNT, CONTROL, WORK_ITEMS = "requests of the storage account", "control queues", "queue of the activities"
TURN_CPU, ALL_CPU = "cores of the instances that hold partitions", "cores of the instances"
TURN_SLOTS, ACTIVITY_SLOTS = "`maxConcurrentOrchestratorFunctions`", "`maxConcurrentActivityFunctions`"
ACTIONS, READS, WRITES = "actions of the scheduler", "reads of Resource Manager", "writes of Resource Manager"


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings that move a limit; the defaults are those of `infra/` and host.json.

    With `actions` a second the task hub is in a Durable Task Scheduler, without in a storage account.
    """

    partitions: int = 4
    instances: int = 100
    memory: int = 2_048
    account_requests: int = ACCOUNT_REQUESTS
    actions: int = 0
    orchestrators: int = 10
    activities: int = 10

    @property
    def orchestrating(self) -> int:
        """Instances that run orchestrators and entities at a time: one for each partition at most."""
        return self.instances if self.actions else min(self.partitions, self.instances)

    @property
    def cores(self) -> float:
        """Cores of an instance."""
        return CORES[self.memory]

    @property
    def core_speed(self) -> float:
        """Of a core, what one execution can use: never more than one, or the part that the instance has."""
        return min(1.0, self.cores)


def find_bounds(on: Installation, work: ResponseWork) -> Mapping[str, float]:
    """Responses a second that each part allows, by its name; a part that is not needed is left out."""
    cpu = CPU_SECONDS / on.core_speed
    uses = {
        ALL_CPU: (on.instances * on.cores, work.executions * CPU_SECONDS),
        TURN_SLOTS: (on.orchestrating * on.orchestrators, work.turns * (TURN_SECONDS + cpu)),
        ACTIVITY_SLOTS: (on.instances * on.activities, work.activities * (ACTIVITY_SECONDS + cpu)),
        READS: (ARM_READS, work.reads),
        WRITES: (ARM_WRITES, work.writes),
    }
    if on.actions:
        uses[ACTIONS] = (on.actions, work.actions)
    else:
        uses[ACCOUNT] = (on.account_requests, work.requests)
        uses[TURN_CPU] = (on.orchestrating * on.cores, (work.turns + work.entities) * CPU_SECONDS)
        uses[CONTROL] = (on.partitions * QUEUE_MESSAGES, work.control)
        uses[WORK_ITEMS] = (QUEUE_MESSAGES, work.work_items)
    return {name: capacity / use for name, (capacity, use) in uses.items() if use}


def find_limit(on: Installation, work: ResponseWork) -> tuple[str, float]:
    """The part that is reached first, and the responses a second that it allows."""
    bounds = find_bounds(on, work)
    name = min(bounds, key=bounds.__getitem__)
    return name, bounds[name]


def unmatched_rate(on: Installation) -> float:
    """Events a second that match nothing: each is one delivery, and no response."""
    return min(TOPIC_EVENTS, on.instances * on.cores * DELIVERIES_A_CORE)
