"""The requests that DurableTask.AzureStorage makes for a recorded history, and while nothing happens.

A turn takes its messages from a queue, reads the history, sends what it scheduled, appends to the history,
writes the instance's row and deletes its messages (AzureStorageOrchestrationService,
OrchestrationSessionManager). Python workers have no extended sessions, so each turn reads the history again.
"""

import json
from collections.abc import Iterator, Sequence

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import OrchestrationInstance

from bench.storage_use import StorageUse
from bench.task_hub_rows import ENTITY_CALLS, MOST_UNITS, blob_bytes, event_columns, payload, units
from mlevents.orchestration.function_names import FIND_INSTANCES, PERFORM_STEP, READ_HOLDS

MOST_MESSAGE_BYTES = 45 * 1024
ENVELOPE = 700
"""Bytes of a message besides its payload: the instance, the sender, types and times."""
MOST_ROWS_READ, MOST_ROWS_WRITTEN, MOST_ROWS_DELETED = 1000, 99, 100
WRITE_BLOB = StorageUse(blob_writes=6)
"""An empty blob, two blocks and three lists of blocks (MessageManager, BlockBlobWriteStream)."""
RECEIVED = (
    "executionStarted",
    "taskCompleted",
    "taskFailed",
    "timerFired",
    "subOrchestrationInstanceCompleted",
    "subOrchestrationInstanceFailed",
    "eventRaised",
    "entityOperationCompleted",
    "entityOperationFailed",
)
SENT = ("taskScheduled", "timerCreated", "subOrchestrationInstanceCreated", "eventSent", *ENTITY_CALLS)
START = StorageUse(table_requests=4, queue_requests=1)
"""A look, a look of the extension, the instance's row, a check for doubles when the message is taken."""
ACTIVITY = StorageUse(queue_requests=3)
"""The worker takes the message, answers, and deletes it."""
POLLED_QUEUES, PARTITIONS = 5, 4
POLL_SECONDS, LEASE_SECONDS, APP_LEASE_SECONDS = 30, 10, 25


def instance_requests(instance: OrchestrationInstance) -> StorageUse:
    """The requests of an instance's life, of its activities, and of the entities that it calls."""
    used, rows, blobs = StorageUse(), 0, 0
    for turn in split_turns(instance.history):
        used += turn_requests(turn, rows) + StorageUse(blob_reads=blobs)
        rows += len(turn)
        blobs += sum(count_blobs(event) for event in turn)
    for event in instance.history:
        used += event_requests(event)
    return used


def split_turns(history: Sequence[pb.HistoryEvent]) -> Iterator[list[pb.HistoryEvent]]:
    """The events of each turn; the end of the instance belongs to the last."""
    turns: list[list[pb.HistoryEvent]] = []
    for event in history:
        if event.HasField("orchestratorStarted") or not turns:
            turns.append([])
        turns[-1].append(event)
    yield from turns


def turn_requests(turn: Sequence[pb.HistoryEvent], rows_before: int) -> StorageUse:
    """One turn, after `rows_before` rows of history."""
    kinds = [event.WhichOneof("eventType") for event in turn]
    received = sum(kind in RECEIVED for kind in kinds)
    sent = sum(kind in SENT for kind in kinds)
    reads = 1 + rows_before // MOST_ROWS_READ
    writes = 1 + (len(turn) - 1) // MOST_ROWS_WRITTEN
    return StorageUse(table_requests=reads + writes + 1, queue_requests=1 + received + sent)


def event_requests(event: pb.HistoryEvent) -> StorageUse:
    """What an event costs outside of its own turn: who acts on it, and its blobs."""
    kind = event.WhichOneof("eventType") or ""
    used = StorageUse()
    for _ in range(count_blobs(event)):
        used += WRITE_BLOB
    if has_message_blob(event):
        used += WRITE_BLOB + StorageUse(blob_reads=1, blob_bytes=blob_bytes(payload(getattr(event, kind))))
    if kind == "taskScheduled":
        return used + ACTIVITY + StorageUse(table_requests=count_hub_reads(event.taskScheduled))
    if kind in ENTITY_CALLS:
        return used + entity_requests(answers=kind == "entityOperationCalled")
    if kind == "executionStarted":
        return used + (
            StorageUse(queue_requests=1) if event.executionStarted.HasField("parentInstance") else START
        )
    return used


def count_hub_reads(task: pb.TaskScheduledEvent) -> int:
    """How many instances, or entities, an activity reads in the task hub."""
    if task.name not in (FIND_INSTANCES, PERFORM_STEP):
        return int(task.name == READ_HOLDS)
    asked = json.loads(json.loads(task.input.value))
    return len(asked) if task.name == FIND_INSTANCES else len({"unless_held", "lease"} & asked.keys())


def entity_requests(state: str = "", *, answers: bool = False) -> StorageUse:
    """A turn of an entity for one operation, without the message that asks for it."""
    used = StorageUse(table_requests=3, queue_requests=2 + answers)
    return used + WRITE_BLOB + StorageUse(blob_reads=1) if units(json.dumps(state)) > MOST_UNITS else used


def count_blobs(event: pb.HistoryEvent) -> int:
    """How many properties of an event's row are blobs, which each later turn reads again."""
    return sum(isinstance(one, str) and units(one) > MOST_UNITS for one in event_columns(event).values())


def has_message_blob(event: pb.HistoryEvent) -> bool:
    """Whether the message that brought an event, or that it sent, is too long for a queue."""
    kind = event.WhichOneof("eventType") or ""
    text = payload(getattr(event, kind)) if kind in (*RECEIVED, *SENT) else ""
    return (
        ENVELOPE + len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")) > MOST_MESSAGE_BYTES
    )


def purge_requests(rows: int) -> StorageUse:
    """Our two looks; then the instance, its history, its blobs are listed, and its rows deleted."""
    batches = -(-rows // MOST_ROWS_DELETED)
    return StorageUse(table_requests=2 + 1 + 1 + batches + 1, blob_writes=1)


def idle_requests(seconds: float) -> StorageUse:
    """What one running instance of the app asks while nothing happens; it holds every partition."""
    leases = (1 + PARTITIONS) * seconds / LEASE_SECONDS
    polls = POLLED_QUEUES * seconds / POLL_SECONDS
    app_lease = round(seconds / APP_LEASE_SECONDS)
    return StorageUse(table_requests=round(leases), queue_requests=round(polls), blob_reads=app_lease)
