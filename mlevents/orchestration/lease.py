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
from mlevents.orchestration.function_names import ENDPOINT_LEASE
from mlevents.orchestration.json_message import Json, JsonMessage
from mlevents.orchestration.lease_messages import (
    Holder,
    InstanceNumber,
    LeaseClaim,
    LeaseIntent,
    LeaseView,
    Statement,
    StatementNumber,
)
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_errors import LeaseLostError, StepFailedError
from mlevents.orchestration.step_runner import DEFAULT_TIMEOUT
from mlevents.orchestration.versions import FEWER_CALLS_SINCE, since
from mlevents.orchestration.waiting import Patience, Statuses, find_statuses, has_ended
from mlevents.orchestration.waiting_order import WaitingOrder

SLACK = 3600.0
"""Seconds that a holder declares beyond what it plans to take, for slow hosts and lost messages."""


class Lease:
    """One orchestration's hold on one endpoint; `order` is given where a newer one comes first.

    `ended` are tickets of orchestrations that have ended; the next statement says so. `is_held_at_once` says
    that the endpoint was free, so that the record of the intent is kept.
    """

    def __init__(self, context: OrchestrationContext, key: str, order: WaitingOrder | None = None) -> None:
        self.context, self.order = context, order
        self.entity = EntityInstanceId(ENDPOINT_LEASE, key)
        self.statements = 0
        self.began = context.current_utc_datetime.isoformat()
        self.is_held = self.is_held_at_once = self.has_completed = False
        self.view = LeaseView()
        self.ended: tuple[InstanceNumber, ...] = ()

    @property
    def claim(self) -> LeaseClaim:
        """What an activity can check: that this orchestration has the lease."""
        return LeaseClaim(self.entity.key, self.context.instance_id)

    def acquire(
        self, limit: float, report_wait: Callable[[str], None], intent: LeaseIntent | None = None
    ) -> Durable[Json | None]:
        """Wait for the endpoint; gives the record of a rollout that ended before it restored the traffic.

        The record of `intent` is kept if the endpoint is free, unless another start of it has completed:
        then that one's is given. Raises StepFailedError after `limit` seconds; the caller releases then.
        """
        patience, asked = Patience(limit), intent or LeaseIntent(DEFAULT_TIMEOUT, None)
        kept = asked.record.to_json() if asked.record else None
        view = yield from self.state(entity.ACQUIRE, asked.seconds, kept)
        self.is_held_at_once = self.is_held and intent is not None and view.completed is None
        while True:
            if not self.is_held and view.holder:
                view = yield from self.take_over_if_ended(view, view.holder, patience)
            if self.is_held:
                yield from self.find_named(view)
                return None if self.is_held_at_once else view.record
            if (holder := view.holder) is not None:
                if patience.waited >= limit:
                    fact = f"gave up after {format_duration(limit)} of waiting for the endpoint"
                    raise StepFailedError(f"{fact}: {holder.id} has it")
                report_wait(f"waiting for the endpoint: {holder.id} has it")
                yield self.context.create_timer(timedelta(seconds=patience.wait(holder)))
            view = yield from self.state(entity.ACQUIRE)

    def take_over_if_ended(self, view: LeaseView, holder: Holder, patience: Patience) -> Durable[LeaseView]:
        """Take the endpoint from a holder that has ended or is silent for too long; gives the view after."""
        statuses: Statuses = {}
        if patience.is_time_to_find():
            statuses = yield from self.find_named(view)
        if patience.is_over(holder, statuses):
            view = yield from self.state(entity.TAKE_OVER, holder=holder.latest)
        return view

    def inherit(self, holders: Sequence[str]) -> Durable[Json | None]:
        """Take the lease over from one of these once it has ended; gives the record that is kept.

        Not held afterwards if none of these has it; the record is that of the last holder then, if it was
        one of these and has completed. Tickets of ended ones that it finds are reported when it releases.
        """
        patience = Patience(DEFAULT_TIMEOUT)
        while True:
            view = yield from self.look()
            holder = view.holder
            statuses = yield from self.find_named(view)
            if holder is None or holder.id not in holders:
                return view.record if view.completed in holders else None
            if has_ended(statuses, holder.id):
                view = yield from self.state(entity.TAKE_OVER, holder=holder.latest)
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
            raise LeaseLostError(entity.describe_loss(view.holder))

    def complete(self, record: JsonMessage) -> Durable[None]:
        """Keep the record of a rollout that has completed, and release the lease in the same call.

        Raises LeaseLostError when another one has the endpoint, or had it since.
        """
        view = yield from self.state(entity.RELEASE_COMPLETED, record=record.to_json())
        self.has_completed = view.completed == self.context.instance_id
        if not self.has_completed:
            raise LeaseLostError(entity.describe_loss(view.holder))

    def release(self) -> Durable[None]:
        """Leave; if the entity does not get this statement, this orchestration's end says the same."""
        if self.has_completed:
            return
        if since(self.context, FEWER_CALLS_SINCE):
            statement = self.make_statement(entity.RELEASE, DEFAULT_TIMEOUT)
            self.context.signal_entity(self.entity, entity.RELEASE, to_text(statement.to_json()))
            return
        try:
            yield from self.state(entity.RELEASE)
        except TaskFailedError:
            self.is_held = False

    def look(self) -> Durable[LeaseView]:
        """What the entity knows now."""
        return (yield from self.state(entity.LOOK))

    def state(
        self,
        operation: str,
        seconds: float | None = DEFAULT_TIMEOUT,
        record: Json | None = None,
        holder: InstanceNumber | None = None,
    ) -> Durable[LeaseView]:
        """Make a statement; gives the entity's answer."""
        statement = self.make_statement(operation, seconds, record, holder)
        text = yield self.context.call_entity(self.entity, operation, to_text(statement.to_json()))
        self.view = view = LeaseView.from_json(json.loads(text))
        self.is_held = view.holder is not None and view.holder.id == statement.id
        return view

    def make_statement(
        self,
        operation: str,
        seconds: float | None,
        record: Json | None = None,
        holder: InstanceNumber | None = None,
    ) -> Statement:
        """The next statement."""
        self.statements += 1
        ended, self.ended = ((), self.ended) if operation == entity.LOOK else (self.ended, ())
        return Statement(
            id=self.context.instance_id,
            number=StatementNumber(self.began, self.statements),
            ttl=None if seconds is None else seconds + SLACK,
            order=self.order,
            record=record,
            holder=holder,
            gone=ended,
        )

    def find_named(self, view: LeaseView) -> Durable[Statuses]:
        """The statuses of the others that a view names; notes which of those that wait have ended."""
        others = [one.id for one in view.waiting]
        if view.holder is not None and not self.is_held:
            others.append(view.holder.id)
        if not others:
            return {}
        statuses = yield from find_statuses(self.context, others)
        self.ended = tuple(one.latest for one in view.waiting if has_ended(statuses, one.id))
        return statuses
