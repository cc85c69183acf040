"""A recorded history as DurableTask.AzureStorage stores it: one row of a table for each event.

From its source: TableEntityConverter (columns; what is no simple type is JSON, and "null" when absent),
AzureTableTrackingStore (row keys, the sentinel, the instance's row, a property beyond 60 KB as a gzip blob)
and TaskOrchestrationDispatcher (the input of an activity or sub-orchestration is not in its row).
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import OrchestrationInstance
from google.protobuf import json_format
from google.protobuf.message import Message

from bench.storage_use import StorageUse

MOST_UNITS = 30 * 1024
"""UTF-16 code units of a property of 60 KB; a longer one is a blob."""
ENTITY, PROPERTY = 4, 8
EXECUTION, GUID = "0" * 32, "0" * 36
NEVER = datetime(1, 1, 1, tzinfo=UTC)
NOT_IN_ROW = {("taskScheduled", "input"), ("subOrchestrationInstanceCreated", "input")}
JSON_COLUMNS = {
    "executionStarted": ("OrchestrationInstance", "ParentInstance", "Tags", "ParentTraceContext"),
    "executionCompleted": ("FailureDetails",),
    "taskScheduled": ("ParentTraceContext", "Tags"),
    "taskFailed": ("FailureDetails",),
    "subOrchestrationInstanceCreated": ("Tags",),
    "subOrchestrationInstanceFailed": ("FailureDetails",),
    "eventRaised": ("ParentTraceContext",),
}
ENTITY_CALLS = ("entityOperationCalled", "entityOperationSignaled")
ENTITY_ANSWERS = ("entityOperationCompleted", "entityOperationFailed")

type Columns = dict[str, Any]


def history_use(instance: OrchestrationInstance) -> StorageUse:
    """What stays of an instance: its history with the sentinel, and its row in the table of instances."""
    key, used = instance.instance_id, StorageUse()
    for number, event in enumerate(instance.history):
        used += row_use(key, f"{number:016X}", event_columns(event))
    sentinel = {"ExecutionId": EXECUTION, "IsCheckpointComplete": True, "CheckpointCompletedTimestamp": NEVER}
    return used + row_use(key, "sentinel", sentinel) + row_use(key, "", instance_columns(instance))


def row_use(partition: str, row: str, columns: Mapping[str, Any]) -> StorageUse:
    """The bytes of one row, and of the blobs that its long properties become."""
    blobs = [value for value in columns.values() if isinstance(value, str) and units(value) > MOST_UNITS]
    size = ENTITY + 2 * (len(partition) + len(row))
    for name, value in columns.items():
        size += PROPERTY + 2 * len(name) + (2 * len(GUID) + 4 if value in blobs else value_bytes(value))
    return StorageUse(size, sum(map(blob_bytes, blobs)))


def value_bytes(value: object) -> int:
    """The size of a property's value, by Microsoft's formula for the capacity of a table."""
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return 4
    return 8 if isinstance(value, datetime) else 4 + 2 * units(str(value))


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def blob_bytes(text: str) -> int:
    """The size of a blob with this text."""
    return len(gzip.compress(text.encode("utf-8", "surrogatepass")))


def event_columns(event: pb.HistoryEvent) -> Columns:
    """The columns of a history event; those that are null are not stored."""
    kind = event.WhichOneof("eventType") or ""
    columns: Columns = {
        "EventId": event.eventId,
        "IsPlayed": False,
        "_Timestamp": NEVER,
        "EventType": kind,
        "ExecutionId": EXECUTION,
        **dict.fromkeys(JSON_COLUMNS.get(kind, ()), "null"),
    }
    content = getattr(event, kind)
    if kind in ENTITY_CALLS:
        return columns | entity_call(content)
    if kind in ENTITY_ANSWERS:
        return columns | {"Name": GUID, "Input": json.dumps({"result": payload(content)})}
    return columns | dict(content_columns(kind, content))


def content_columns(kind: str, content: Message) -> Iterator[tuple[str, Any]]:
    """The columns of an event's own fields."""
    for field, value in content.ListFields():
        name = field.name[0].upper() + field.name[1:]
        if (kind, field.name) in NOT_IN_ROW:
            continue
        full = field.message_type.full_name if field.message_type else ""
        if full == "google.protobuf.Timestamp":
            yield name, NEVER
        elif full == "google.protobuf.StringValue":
            yield name, value.value
        elif full:
            yield name, json_format.MessageToJson(value, indent=None)
        else:
            yield name, "Completed" if field.enum_type else value


def entity_call(content: Any) -> Columns:
    """An operation of an entity as the extension sends it: an event whose input is a request in JSON."""
    request = {
        "op": content.operation,
        "id": GUID,
        "parent": GUID,
        "parentExecution": EXECUTION,
        "Timestamp": NEVER.isoformat(),
        "Predecessor": NEVER.isoformat(),
        "createTrace": False,
        "input": payload(content),
    }
    return {"InstanceId": content.targetInstanceId.value, "Name": "op", "Input": json.dumps(request)}


def instance_columns(instance: OrchestrationInstance) -> Columns:
    """The columns of an instance's row."""
    times = dict.fromkeys(("CreatedTime", "LastUpdatedTime", "CompletedTime"), NEVER)
    texts = {
        "Name": instance.name,
        "Version": instance.version,
        "Input": instance.input,
        "Output": instance.output,
        "CustomStatus": instance.custom_status or "null",
        "RuntimeStatus": "Completed",
        "ExecutionId": EXECUTION,
        "TaskHubName": "mlevents",
        "Tags": "null",
    }
    return {"Generation": 0, **times, **{name: text for name, text in texts.items() if text is not None}}


def payload(content: Any) -> str:
    """The text that an event carries: its input, result or output."""
    found: Iterable[Any] = (getattr(content, name, None) for name in ("input", "result", "output"))
    return next((one.value for one in found if one is not None and one.value), "")
