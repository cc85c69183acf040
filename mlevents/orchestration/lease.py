"""A rollout's lease on its endpoint: acquired, renewed before each phase, released at the end.

Nothing needs to be cleaned up. A holder that has ended in any way loses its lease to the next
orchestration that wants it. So does a holder that is silent for longer than it declared (`ttl`). The waiting
orchestration counts this in its own waits, never by a clock. A take-over is a compare-and-swap in the entity.
"""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.duration import format_duration
from mlevents.orchestration import endpoint_lease as entity
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import ENDPOINT_LEASE, FIND_INSTANCES
from mlevents.orchestration.json_message import Json, JsonMessage
from mlevents.orchestration.lease_messages import (
    Holder,
    InstanceNumber,
    LeaseView,
    Statement,
    StatementNumber,
    Ticket,
)
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_errors import StepFailedError, StepStoppedError
from mlevents.orchestration.step_runner import DEFAULT_TIMEOUT
from mlevents.orchestration.waiting import ALIVE, Patience, Statuses, has_ended
from mlevents.orchestration.waiting_order import WaitingOrder

SLACK = 3600.0
"""Seconds that a holder declares beyond what it plans to take, for slow hosts and lost messages."""


class LeaseLostError(StepStoppedError):
    """Another orchestration has taken the endpoint over: this one must not write to it any more."""


class Lease:
    """One orchestration's hold on one endpoint; `order` is given where a newer one comes first.

    `ended` are tickets of orchestrations that have ended; the next statement says so.
    """

    def __init__(self, context: OrchestrationContext, key: str, order: WaitingOrder | None = None) -> None:
        self.context, self.order = context, order
        self.entity = EntityInstanceId(ENDPOINT_LEASE, key)
        self.statements = 0
        self.began = context.current_utc_datetime.isoformat()
        self.is_held = False
        self.ended: tuple[InstanceNumber, ...] = ()

    def acquire(self, limit: float, report_wait: Callable[[str], None]) -> Durable[Json | None]:
        """Wait for the endpoint; gives the record of a rollout that ended before it restored the traffic.

        Raises StepFailedError after `limit` seconds; the caller releases then.
        """
        patience = Patience(limit)
        while True:
            view = yield from self.state(entity.ACQUIRE)
            if not self.is_held and view.holder:
                view = yield from self.take_over_if_ended(view, view.holder, patience)
            if self.is_held:
                yield from self.find_named(view)
                return view.record
            holder = view.holder
            if holder is None:
                continue
            if patience.waited >= limit:
                raise StepFailedError(
                    f"gave up after {format_duration(limit)} of waiting for the endpoint: {holder.id} has it"
                )
            report_wait(f"waiting for the endpoint: {holder.id} has it")
            yield self.context.create_timer(timedelta(seconds=patience.wait(holder)))

    def take_over_if_ended(self, view: LeaseView, holder: Holder, patience: Patience) -> Durable[LeaseView]:
        """Take the endpoint from a holder that has ended or is silent for too long; gives the view after."""
        statuses: Statuses = {}
        if patience.is_time_to_find():
            statuses = yield from self.find_named(view)
        if patience.is_over(holder, statuses):
            view = yield from self.take_over(holder)
        return view

    def inherit(self, holders: Sequence[str]) -> Durable[Json | None]:
        """Take the lease over from one of these once it has ended; not held afterwards if none has it.

        Tickets of ended orchestrations that it finds are reported when it releases.
        """
        patience = Patience(DEFAULT_TIMEOUT)
        while True:
            view = yield from self.look()
            holder = view.holder
            statuses = yield from self.find_named(view)
            if holder is None or holder.id not in holders:
                return None
            if has_ended(statuses, holder.id):
                view = yield from self.take_over(holder)
                if self.is_held:
                    return view.record
            if patience.waited >= patience.limit:
                raise StepFailedError(
                    f"gave up after {format_duration(patience.limit)} of waiting for the end of {holder.id}"
                )
            yield self.context.create_timer(timedelta(seconds=patience.wait(holder)))

    def renew(self, seconds: float | None, record: JsonMessage | None) -> Durable[None]:
        """Say that this orchestration is alive, and may be silent for this long (None: without limit).

        `record` is kept until the next renewal. Raises LeaseLostError when another one has the endpoint.
        """
        view = yield from self.state(
            entity.RENEW, seconds, record=None if record is None else record.to_json()
        )
        if not self.is_held:
            holder = view.holder.id if view.holder else "nobody"
            raise LeaseLostError(f"the endpoint was taken over by {holder}: nothing more is written to it")

    def release(self) -> Durable[None]:
        """Leave; if the entity does not get this statement, this orchestration's end says the same."""
        try:
            yield from self.state(entity.RELEASE)
        except TaskFailedError:
            self.is_held = False

    def look(self) -> Durable[LeaseView]:
        """What the entity knows now."""
        return (yield from self.state(entity.LOOK))

    def take_over(self, holder: Holder) -> Durable[LeaseView]:
        """Take the endpoint from this holder, unless it has said something since."""
        return (yield from self.state(entity.TAKE_OVER, holder=holder.latest))

    def find_alive(self, tickets: Sequence[Ticket]) -> Durable[list[Ticket]]:
        """Those tickets whose orchestrations still run."""
        if not tickets:
            return []
        statuses = yield from self.find([one.id for one in tickets])
        return [one for one in tickets if statuses.get(one.id) in ALIVE]

    def state(
        self,
        operation: str,
        seconds: float | None = DEFAULT_TIMEOUT,
        record: Json | None = None,
        holder: InstanceNumber | None = None,
    ) -> Durable[LeaseView]:
        """Make a statement; gives the entity's answer."""
        self.statements += 1
        me = self.context.instance_id
        ended, self.ended = ((), self.ended) if operation == entity.LOOK else (self.ended, ())
        statement = Statement(
            id=me,
            number=StatementNumber(self.began, self.statements),
            ttl=None if seconds is None else seconds + SLACK,
            order=self.order,
            record=record,
            holder=holder,
            gone=ended,
        )
        text = yield self.context.call_entity(self.entity, operation, to_text(statement.to_json()))
        view = LeaseView.from_json(json.loads(text))
        self.is_held = view.holder is not None and view.holder.id == me
        return view

    def find_named(self, view: LeaseView) -> Durable[Statuses]:
        """The statuses of the others that a view names; notes which of those that wait have ended."""
        others = [one.id for one in view.waiting]
        if view.holder is not None and not self.is_held:
            others.append(view.holder.id)
        if not others:
            return {}
        statuses = yield from self.find(others)
        self.ended = tuple(one.latest for one in view.waiting if has_ended(statuses, one.id))
        return statuses

    def find(self, instances: Sequence[str]) -> Durable[Statuses]:
        """The status of each orchestration, None for one that does not exist; empty if it cannot be read."""
        try:
            text = yield self.context.call_activity(FIND_INSTANCES, input=to_text(list(instances)))
        except TaskFailedError:
            return {}
        found: Statuses = json.loads(text)
        return found
