"""A discrete-event simulation of responses on an installation: what `installation` bounds, with queues.

Events arrive at random, faster than the bound. A response is one turn after another, each behind the queue
of its partition, the storage account (or the scheduler's actions), a free slot of its instance and a core;
between the turns it calls entities and activities, which run on any instance. Bursts that a token bucket
allows are left out, and timers take no time.
"""

import heapq
import random
from collections import deque
from collections.abc import Generator
from itertools import count

from bench.installation import (
    ACTIVITY_SECONDS,
    CPU_SECONDS,
    TURN_SECONDS,
    Installation,
    find_limit,
)
from bench.published_limits import ARM_READS, ARM_WRITES, QUEUE_MESSAGES
from bench.response_work import ResponseWork

SEED, OVERLOAD = 16, 1.1
LEAST, LENGTHS, MOST_EXECUTIONS = 60, 12, 100_000
"""Responses of a run: as many as end in so many times the life of one, but no more executions than these."""


class RateLimit:
    """Work in the order of its arrival: so many units a second, by each of so many lanes."""

    def __init__(self, rate: float, lanes: int = 1) -> None:
        self.rate, self.free = rate, [0.0] * lanes

    def finish(self, now: float, units: float) -> float:
        """When so many units are done that arrive now."""
        end = max(now, self.free[0]) + units / self.rate
        heapq.heapreplace(self.free, end)
        return end


class Slots:
    """So many executions at a time; others wait in the order of their arrival."""

    def __init__(self, number: int) -> None:
        self.free, self.waiting = number, deque[Process]()


type Process = Generator[float | Slots]
"""Yields the time at which it goes on, or slots of which it needs one."""


class Clock:
    """Runs processes in the order of their times."""

    def __init__(self) -> None:
        self.now, self._numbers = 0.0, count()
        self._waiting: list[tuple[float, int, Process]] = []

    def wake(self, process: Process, at: float) -> None:
        """Go on with a process at a time."""
        heapq.heappush(self._waiting, (at, next(self._numbers), process))

    def release(self, slots: Slots) -> None:
        """Give a slot back; who waits longest gets it."""
        if slots.waiting:
            self.wake(slots.waiting.popleft(), self.now)
        else:
            slots.free += 1

    def run(self) -> float:
        """Run until nothing is left; gives the time of the end."""
        while self._waiting:
            self.now, _, process = heapq.heappop(self._waiting)
            wanted = next(process, None)
            if isinstance(wanted, Slots):
                if wanted.free:
                    wanted.free -= 1
                    self.wake(process, self.now)
                else:
                    wanted.waiting.append(process)
            elif wanted is not None:
                self.wake(process, wanted)
        return self.now


class Simulation:
    """One installation that gets responses of one kind."""

    def __init__(self, on: Installation, work: ResponseWork) -> None:
        self.on, self.work, self.clock = on, work, Clock()
        partitions = on.instances if on.actions else on.partitions
        self.control = [RateLimit(QUEUE_MESSAGES) for _ in range(partitions)]
        self.work_items = RateLimit(QUEUE_MESSAGES)
        self.store = RateLimit(on.actions or on.account_requests)
        self.reads, self.writes = RateLimit(ARM_READS), RateLimit(ARM_WRITES)
        self.cores = [RateLimit(on.core_speed, max(1, int(on.cores))) for _ in range(on.instances)]
        self.turn_slots = [Slots(on.orchestrators) for _ in range(on.orchestrating)]
        self.activity_slots = [Slots(on.activities) for _ in range(on.instances)]
        self.next_activity = count()

    def run(self, responses: int, rate: float) -> float:
        """Responses a second, when so many arrive at this rate; from the first arrival to the last end."""
        chance = random.Random(SEED)
        partitions = [number % len(self.control) for number in range(responses)]
        chance.shuffle(partitions)
        at = 0.0
        for partition in partitions:
            at += chance.expovariate(rate)
            self.clock.wake(self.respond(partition), at)
        return responses / self.clock.run()

    def respond(self, partition: int) -> Process:
        """One response: a turn, then each call with the turn that gets its answer."""
        work = self.work
        yield from self.turn(partition)
        for _ in range(work.entities):
            yield from self.turn(partition)  # of the entity
            yield from self.turn(partition)
        for _ in range(work.activities):
            yield from self.activity()
            yield from self.turn(partition)
        for _ in range(work.timers + 3 * work.orchestrations):
            yield from self.turn(partition)  # a rollout's end is one of the entity of its lease

    def turn(self, partition: int) -> Process:
        """One turn of an orchestrator or entity, on the instance that holds the partition."""
        work, clock = self.work, self.clock
        turns = work.turns + work.entities
        if self.on.actions:
            yield self.store.finish(clock.now, work.actions / turns)
        else:
            yield self.control[partition].finish(clock.now, work.control / turns)
            yield self.store.finish(clock.now, work.requests / turns)
        instance = partition % len(self.turn_slots)
        yield self.turn_slots[instance]
        yield self.cores[instance].finish(clock.now, CPU_SECONDS)
        yield clock.now + TURN_SECONDS
        clock.release(self.turn_slots[instance])

    def activity(self) -> Process:
        """One activity, with its part of the requests to Azure Resource Manager."""
        work, clock = self.work, self.clock
        if not self.on.actions:
            yield self.work_items.finish(clock.now, work.work_items / work.activities)
        instance = next(self.next_activity) % self.on.instances
        yield self.activity_slots[instance]
        yield self.cores[instance].finish(clock.now, CPU_SECONDS)
        yield self.reads.finish(clock.now, work.reads / work.activities)
        yield self.writes.finish(clock.now, work.writes / work.activities)
        yield clock.now + ACTIVITY_SECONDS
        clock.release(self.activity_slots[instance])


def simulate(on: Installation, work: ResponseWork) -> float:
    """Responses a second on an installation that gets more than it can take."""
    _, bound = find_limit(on, work)
    life = work.executions * (TURN_SECONDS + CPU_SECONDS) + work.activities * ACTIVITY_SECONDS
    most = MOST_EXECUTIONS / work.executions
    responses = round(min(most, max(LEAST, LENGTHS * bound * life)))
    return Simulation(on, work).run(responses, bound * OVERLOAD)
