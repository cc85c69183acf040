"""Entity locks as the Durable extension keeps them: a locked entity runs only its holder's operations.

Microsoft's in-memory backend grants locks in turn, but lets everyone's operations through meanwhile. An
instance that is terminated or fails inside a critical section leaves its locks behind (issues 2228 and
1977 of the extension) until the entity storage is cleaned; durabletask 1.12 asks for the release in
that last turn, which this hub ignores.
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

ENDED_BADLY = (pb.ORCHESTRATION_STATUS_FAILED, pb.ORCHESTRATION_STATUS_TERMINATED)


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
    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: Any
    ) -> pb.CompleteTaskResponse:
        """Take the actions of a turn; one that ends the instance badly releases no lock."""
        if any(action.completeOrchestration.orchestrationStatus in ENDED_BADLY for action in request.actions):
            kept = [one for one in request.actions if not one.sendEntityMessage.HasField("entityUnlockSent")]
            del request.actions[:]
            request.actions.extend(kept)
        return super().CompleteOrchestratorTask(request, context)

    @override
    def CleanEntityStorage(
        self, request: pb.CleanEntityStorageRequest, context: Any
    ) -> pb.CleanEntityStorageResponse:
        """Remove empty entities, and release the locks of instances that have ended; a live one keeps its.

        Upstream takes every lock for an orphan. An empty entity that is locked stays.
        """
        with self._lock:
            released = self._release_orphans() if request.releaseOrphanedLocks else 0
            empty = [name for name, entity in self._entities.items() if _is_empty(entity)]
            for name in empty if request.removeEmptyEntities else []:
                del self._entities[name]
            removed = len(empty) if request.removeEmptyEntities else 0
        return pb.CleanEntityStorageResponse(emptyEntitiesRemoved=removed, orphanedLocksReleased=released)

    def _release_orphans(self) -> int:
        orphans = [name for name, entity in self._entities.items() if entity.locked_by and self._ended(name)]
        for name in orphans:
            self._entities[name].locked_by = None
        self._try_grant_pending_locks()  # type: ignore[no-untyped-call]
        for name in orphans:
            self._resume(name)
        return len(orphans)

    def _ended(self, entity_id: str) -> bool:
        holder = self._instances.get(self._holders.get(entity_id, ""))
        return holder is None or self._is_terminal_status(holder.status)

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


def _is_empty(entity: EntityState) -> bool:
    waiting = entity.pending_operations or entity.dispatched_operations or entity.locked_by
    return entity.serialized_state is None and not waiting
