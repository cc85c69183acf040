"""A rollout's hold on its endpoint: acquired, renewed before each phase, released at the end.

Nothing needs to be swept. A holder that has ended, however it ended, loses its lease to the next
orchestration that wants it; so does one that has said nothing for longer than it declared (`ttl`), counted
in the waiting of the one that waits, never by a clock. A take-over is a compare-and-swap in the entity.
"""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.duration import format_duration
from mlevents.orchestration import endpoint_lease as entity
from mlevents.orchestration.function_names import ENDPOINT_LEASE, FIND_INSTANCES
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_runner import DEFAULT_TIMEOUT, StepFailedError, StepStoppedError
from mlevents.orchestration.waiting import ALIVE, Patience, has_ended

SLACK = 3600.0
"""Seconds that a holder declares beyond what it plans to take, for slow hosts and lost messages."""

View = Mapping[str, Any]
"""What the entity answers: see `endpoint_lease.known_to`."""
Record = Mapping[str, Any]
"""What is needed to put the traffic back: `call` and `progress` of the rollout that moved it."""


class LeaseLostError(StepStoppedError):
    """Another orchestration has taken the endpoint over: this one must not write to it any more."""


class Lease:
    """One orchestration's hold on one endpoint; `order` is its key and version, where it has them."""

    def __init__(
        self, context: OrchestrationContext, key: str, order: Mapping[str, str] | None = None
    ) -> None:
        self.context, self.order = context, dict(order or {})
        self.entity = EntityInstanceId(ENDPOINT_LEASE, key)
        self.statements = 0
        self.began = context.current_utc_datetime.isoformat()
        self.held = False
        self.ghosts: list[list[Any]] = []

    def acquire(self, limit: float, say: Callable[[str], None]) -> Generator[Any, Any, Record | None]:
        """Wait for the endpoint; gives the record of a rollout that ended before it put the traffic back.

        Raises StepFailedError after `limit` seconds.
        """
        patience = Patience(limit)
        while True:
            view = yield from self.state(entity.ACQUIRE)
            statuses: Mapping[str, str | None] = {}
            if not self.held and patience.is_time_to_find():
                statuses = yield from self.find_named(view)
            if not self.held and patience.is_over(view["holder"], statuses):
                view = yield from self.take_over(view["holder"])
            if self.held:
                yield from self.find_named(view)
                return view.get("record")
            holder = view["holder"]["id"]
            if patience.waited >= limit:
                yield from self.release()
                raise StepFailedError(
                    f"gave up after {format_duration(limit)} of waiting for the endpoint: {holder} has it"
                )
            say(f"waiting for the endpoint: {holder} has it")
            yield self.context.create_timer(timedelta(seconds=patience.wait(view["holder"])))

    def inherit(self, holders: Sequence[str]) -> Generator[Any, Any, Record | None]:
        """Take the lease over from one of these once it has ended; not held afterwards if none has it.

        What it knows of tickets of ended orchestrations, it says when it releases.
        """
        patience = Patience(DEFAULT_TIMEOUT)
        while True:
            view = yield from self.look()
            holder = view["holder"]
            statuses = yield from self.find_named(view)
            if holder is None or holder["id"] not in holders:
                return None
            if has_ended(statuses, holder["id"]):
                view = yield from self.take_over(holder)
                if self.held:
                    return view.get("record")
            if patience.waited >= patience.limit:
                limit = format_duration(patience.limit)
                raise StepFailedError(f"gave up after {limit} of waiting for the end of {holder['id']}")
            yield self.context.create_timer(timedelta(seconds=patience.wait(holder)))

    def renew(self, seconds: float | None, record: Record | None) -> Generator[Any, Any]:
        """Say that this orchestration is alive, and plans to be silent for so long (None: for however long).

        `record` is kept until the next renewal. Raises LeaseLostError when another one has the endpoint.
        """
        view = yield from self.state(entity.RENEW, seconds, record=record)
        if not self.held:
            holder = view["holder"]["id"] if view["holder"] else "nobody"
            raise LeaseLostError(f"the endpoint was taken over by {holder}: nothing more is written to it")

    def release(self) -> Generator[Any, Any]:
        """Leave; if the entity does not take it, this orchestration's end says the same."""
        try:
            yield from self.state(entity.RELEASE)
        except TaskFailedError:
            self.held = False

    def look(self) -> Generator[Any, Any, View]:
        """What the entity knows now."""
        return (yield from self.state(entity.LOOK))

    def take_over(self, holder: Mapping[str, Any]) -> Generator[Any, Any, View]:
        """Take the endpoint from this holder, unless it has said something since."""
        return (yield from self.state(entity.TAKE_OVER, holder=[holder["id"], holder["n"]]))

    def alive(self, tickets: Sequence[Mapping[str, Any]]) -> Generator[Any, Any, list[Mapping[str, Any]]]:
        """Those tickets whose orchestrations still run."""
        if not tickets:
            return []
        statuses = yield from self.find([one["id"] for one in tickets])
        return [one for one in tickets if statuses.get(one["id"]) in ALIVE]

    def state(
        self, operation: str, seconds: float | None = DEFAULT_TIMEOUT, **more: Any
    ) -> Generator[Any, Any, View]:
        """Make a statement; gives the entity's answer."""
        self.statements += 1
        me = self.context.instance_id
        ttl = None if seconds is None else seconds + SLACK
        statement = {"id": me, "n": [self.began, self.statements], "ttl": ttl, **self.order, **more}
        if operation != entity.LOOK and self.ghosts:
            statement["gone"], self.ghosts = self.ghosts, []
        view: View = json.loads((yield self.context.call_entity(self.entity, operation, to_text(statement))))
        self.held = view["holder"] is not None and view["holder"]["id"] == me
        return view

    def find_named(self, view: View) -> Generator[Any, Any, Mapping[str, str | None]]:
        """The statuses of the others that a view names; tickets of ended ones go with the next statement."""
        others = [one["id"] for one in view["waiting"]]
        if view["holder"] is not None and not self.held:
            others.append(view["holder"]["id"])
        if not others:
            return {}
        statuses = yield from self.find(others)
        self.ghosts = [[one["id"], one["n"]] for one in view["waiting"] if has_ended(statuses, one["id"])]
        return statuses

    def find(self, instances: Sequence[str]) -> Generator[Any, Any, Mapping[str, str | None]]:
        """The status of each orchestration, None for one that is not there; nothing if it cannot be read."""
        try:
            text = yield self.context.call_activity(FIND_INSTANCES, input=to_text(list(instances)))
        except TaskFailedError:
            return {}
        found: Mapping[str, str | None] = json.loads(text)
        return found
