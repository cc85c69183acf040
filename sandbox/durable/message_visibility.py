"""Messages of the task hub that a host took and could not finish: when another host gets them.

As the Azure Storage backend does it: what a dead host had taken stays invisible for the visibility
timeouts of host.json; the control queues have no owner for about 40 seconds, while the work-item queue
is free at once; what a living host abandons comes back after 2, 4, 8 … seconds, at most ten minutes.
That all which was queued for orchestrations and entities had been taken is the worst case, chosen here.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import ActivityWorkItem, OrchestrationInstance

from sandbox.durable.entity_failures import EntityFailures
from sandbox.pace import Pace

TAKEOVER = timedelta(seconds=40)
LONGEST_BACKOFF = 600


class MessageVisibility(EntityFailures):
    """Takes back what was given to a host that died, or that abandons it."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace)
        self._working: dict[tuple[str, int], ActivityWorkItem] = {}
        self._abandoned: Counter[object] = Counter()
        self._deaths = 0
        self._owned = True

    @override
    def GetWorkItems(
        self, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WorkItem]:
        """The work to do; the activities among it are remembered until they are completed."""
        for item in super().GetWorkItems(request, context):
            if item.HasField("activityRequest"):
                self._remember(item.activityRequest, int(item.completionToken))
            yield item

    @override
    def CompleteActivityTask(
        self, request: pb.ActivityResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take an activity's result; one that nobody waits for any more is dropped."""
        with self._lock:
            if self._working.pop((request.instanceId, request.taskId), None) is None:
                return pb.CompleteTaskResponse()
            self._abandoned.pop((request.instanceId, request.taskId), None)
            return super().CompleteActivityTask(request, context)

    def abandon_orchestration(self, instance_id: str) -> None:
        """Give back a turn that could not be executed."""
        with self._lock:
            self._hide_orchestration(instance_id, self._backoff(instance_id))

    def abandon_activity(self, instance_id: str, task_id: int) -> None:
        """Give back an activity that could not be executed."""
        with self._lock:
            self._hide_activity((instance_id, task_id), self._backoff((instance_id, task_id)))

    def completed_turn(self, instance_id: str) -> None:
        """A turn was executed: the next that is abandoned comes back soon again."""
        self._abandoned.pop(instance_id, None)

    def host_died(self, control: timedelta, work: timedelta) -> None:
        """Hide what the host had taken, for these times; nobody may be taking work meanwhile."""
        with self._lock:
            self._deaths += 1
            self._owned = False
            for instance_id in {*self._orchestration_in_flight, *self._orchestration_queue}:
                self._hide_orchestration(instance_id, control)
            for entity_id in {*self._entity_in_flight, *self._entity_queue}:
                self._hide_entity(entity_id, control)
            for key in list(self._working):
                self._hide_activity(key, work)
            deaths = self._deaths
            self._later(TAKEOVER, lambda: self._take_over(deaths))

    def lose_custom_status(self, instance_id: str) -> None:
        """Leave an instance as a host does that dies after the history and before the instance's row."""
        with self._lock:
            self._instances[instance_id].custom_status = None

    def _remember(self, request: pb.ActivityRequest, token: int) -> None:
        instance_id = request.orchestrationInstance.instanceId
        given = request.input.value if request.HasField("input") else None
        with self._lock:
            self._working[instance_id, request.taskId] = ActivityWorkItem(
                instance_id, request.name, request.taskId, given, token
            )

    def _backoff(self, key: object) -> timedelta:
        self._abandoned[key] += 1
        return timedelta(seconds=min(2 ** min(self._abandoned[key], 30), LONGEST_BACKOFF))

    def _hide_orchestration(self, instance_id: str, wait: timedelta) -> None:
        instance = self._instances.get(instance_id)
        if instance is None:
            return
        taken = [*instance.dispatched_events, *instance.pending_events]
        hidden = [one for one in taken if not (instance.history and one.HasField("orchestratorStarted"))]
        instance.dispatched_events.clear()
        instance.pending_events.clear()
        instance.completion_token = self._token()
        self._orchestration_in_flight.discard(instance_id)

        def show() -> None:
            if self._instances.get(instance_id) is instance:
                instance.pending_events[:0] = hidden
                self._enqueue_orchestration(instance_id)

        self._later(wait, show)

    def _hide_entity(self, entity_id: str, wait: timedelta) -> None:
        entity = self._entities.get(entity_id)
        if entity is None:
            return
        hidden = [*entity.dispatched_operations, *entity.pending_operations]
        entity.dispatched_operations.clear()
        entity.pending_operations.clear()
        entity.completion_token = self._token()
        self._entity_in_flight.discard(entity_id)

        def show() -> None:
            for operation in hidden:
                self._queue_entity_operation(entity_id, operation)

        self._later(wait, show)

    def _hide_activity(self, key: tuple[str, int], wait: timedelta) -> None:
        item = self._working.pop(key, None)
        if item is None:
            return
        instance = self._instances.get(key[0])

        def show() -> None:
            if self._instances.get(key[0]) is instance:
                self._activity_queue.append(item)
                self._work_available.set()

        self._later(wait, show)

    def _take_over(self, deaths: int) -> None:
        if deaths != self._deaths:
            return
        self._owned = True
        for instance_id in self._instances:
            self._enqueue_orchestration(instance_id)
        for entity_id in self._entities:
            self._enqueue_entity(entity_id)

    def _token(self) -> int:
        self._next_completion_token += 1
        return self._next_completion_token - 1

    @override
    def _enqueue_orchestration(self, instance_id: str) -> None:
        instance = self._instances[instance_id]
        if self._owned and _begun(instance):
            super()._enqueue_orchestration(instance_id)

    @override
    def _enqueue_entity(self, entity_id: str) -> None:
        if self._owned:
            super()._enqueue_entity(entity_id)


def _begun(instance: OrchestrationInstance) -> bool:
    """What arrives before the message that starts the instance waits for that."""
    known = (instance.history, instance.dispatched_events, instance.pending_events)
    return any(event.HasField("executionStarted") for events in known for event in events[:3])
