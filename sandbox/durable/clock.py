"""Durable timers at the sandbox's pace, on the event loop instead of a thread each.

A timer fires after its time divided by the speed, and its instance's clock then reads what the timer
was set for: an orchestrator that compares times sees its waits as long as in Azure. The clock of a
sub-orchestration begins at the time of its parent's clock. The history keeps the times that were asked for.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

from sandbox.durable.entity_locks import EntityLocks
from sandbox.pace import Pace

NOTHING = timedelta()


class DurableClock(EntityLocks):
    """Timers and delayed entity operations; `_ahead` is how far an instance's clock is ahead."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace
        self._ahead: dict[str, timedelta] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @override
    def GetWorkItems(
        self, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WorkItem]:
        """The work to do, as it comes up."""
        for item in super().GetWorkItems(request, context):
            if item.HasField("orchestratorRequest"):
                self._tell_time(item.orchestratorRequest)
            yield item

    def _tell_time(self, request: pb.OrchestratorRequest) -> None:
        with self._lock:
            ahead = self._ahead.get(request.instanceId)
            instance = self._instances.get(request.instanceId)
            if ahead is None or instance is None:
                return
            now = datetime.now(UTC) + ahead  # one time for both: replays must read what was read first
            for event in [*instance.dispatched_events, *request.newEvents]:
                if event.HasField("orchestratorStarted"):
                    event.timestamp.FromDatetime(now)

    def _until(self, moment: datetime, instance_id: str = "") -> timedelta:
        return moment - datetime.now(UTC) - self._ahead.get(instance_id, NOTHING)

    def _later(self, wait: timedelta, happen: Callable[[], None]) -> None:
        """Let it happen under the lock, after the wait divided by the speed, unless we stop before."""
        generation = self._generation

        def fire() -> None:
            with self._lock:
                if self._generation == generation:
                    happen()

        if self._loop is not None and not self._loop.is_closed():
            delay = self._pace.seconds(max(0.0, wait.total_seconds()))
            self._loop.call_soon_threadsafe(self._loop.call_later, delay, fire)

    @override
    def _process_create_timer_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        due = action.createTimer.fireAt.ToDatetime(tzinfo=UTC)
        created = helpers.new_timer_created_event(action.id, due)
        instance.history.append(created)
        name = instance.instance_id

        def happen() -> None:
            waits = any(_same_timer(event, created) for event in instance.history)
            if self._instances.get(name) is instance and waits:
                self._ahead[name] = self._ahead.get(name, NOTHING) + max(NOTHING, self._until(due, name))
                self._deliver(name, helpers.new_timer_fired_event(action.id, due))

        self._later(self._until(due, name), happen)

    @override
    def _schedule_delayed_entity_operation(
        self, entity_id: str, event: pb.HistoryEvent, fire_at: datetime
    ) -> None:
        self._later(self._until(fire_at), lambda: self._queue_entity_operation(entity_id, event))

    @override
    def _process_create_sub_orchestration_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        child = action.createSubOrchestration.instanceId
        self._ahead[child] = self._ahead.get(instance.instance_id, NOTHING)
        super()._process_create_sub_orchestration_action(instance, action)

    def _deliver(self, instance_id: str, event: pb.HistoryEvent) -> None:
        instance = self._instances.get(instance_id)
        if instance is not None:
            instance.pending_events.append(event)
            self._enqueue_orchestration(instance_id)


def _same_timer(event: pb.HistoryEvent, created: pb.HistoryEvent) -> bool:
    return event.eventId == created.eventId and event.timerCreated == created.timerCreated
