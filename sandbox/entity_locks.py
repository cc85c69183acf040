"""Entity locks as the Durable extension keeps them: a locked entity hears its holder alone.

Microsoft's in-memory backend grants locks in turn, but lets everyone's operations through meanwhile.
"""

from collections import OrderedDict, defaultdict
from typing import Any, override

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import (
    EntityState,
    InMemoryOrchestrationBackend,
    OrchestrationInstance,
    PendingLockRequest,
)


class EntityLocks(InMemoryOrchestrationBackend):
    """Operations that reach a locked entity from elsewhere wait until it is unlocked."""

    def __init__(self) -> None:
        super().__init__(port=0)
        self._entities: OrderedDict[str, EntityState] = OrderedDict()
        self._holders: dict[str, str] = {}
        self._parked: defaultdict[str, list[pb.HistoryEvent]] = defaultdict(list)

    def complete_entity(self, entity_id: str, result: pb.EntityBatchResult, context: Any) -> None:
        """Take the result of a batch of operations; upstream seeks the entity from the first on."""
        with self._lock:
            if entity_id in self._entities:
                self._entities.move_to_end(entity_id, last=False)
            self.CompleteEntityTask(result, context)

    @override
    def _grant_lock(self, pending: PendingLockRequest) -> None:
        super()._grant_lock(pending)
        self._holders |= dict.fromkeys(pending.lock_set, pending.parent_instance_id)

    @override
    def _enqueue_entity(self, entity_id: str) -> None:
        entity = self._entities[entity_id]
        if entity.locked_by is not None:
            holder = self._holders.get(entity_id, "")
            waiting = [one for one in entity.pending_operations if _caller(one) != holder]
            self._parked[entity_id] += waiting
            entity.pending_operations = [one for one in entity.pending_operations if _caller(one) == holder]
        if entity.pending_operations:
            super()._enqueue_entity(entity_id)

    @override
    def _process_send_entity_message_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        super()._process_send_entity_message_action(instance, action)
        if action.sendEntityMessage.HasField("entityUnlockSent"):
            self._resume(action.sendEntityMessage.entityUnlockSent.targetInstanceId.value)

    def _resume(self, entity_id: str) -> None:
        entity = self._entities.get(entity_id)
        if entity is not None:
            entity.pending_operations += self._parked.pop(entity_id, [])
            self._enqueue_entity(entity_id)


def _caller(operation: pb.HistoryEvent) -> str | None:
    called = operation.HasField("entityOperationCalled")
    return operation.entityOperationCalled.parentInstanceId.value if called else None
