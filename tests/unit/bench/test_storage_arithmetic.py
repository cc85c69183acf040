"""What a recorded history becomes in Azure Storage: the bytes of its rows, and the requests of its life."""

import json
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

from bench.storage_requests import (
    ACTIVITY,
    event_requests,
    idle_requests,
    instance_requests,
    purge_requests,
)
from bench.storage_use import StorageUse
from bench.task_hub_rows import NEVER, event_columns, history_use, row_use

ENTITY = "@lease@net"


def history(*turns: list[pb.HistoryEvent]) -> OrchestrationInstance:
    """An instance that has made these turns."""
    events = []
    for turn in turns:
        events += [
            helpers.new_orchestrator_started_event(),
            *turn,
            helpers.new_orchestrator_completed_event(),
        ]
    return OrchestrationInstance("r.1", "Respond", pb.ORCHESTRATION_STATUS_COMPLETED, history=events)


def started() -> pb.HistoryEvent:
    return helpers.new_execution_started_event("Respond", "r.1", "{}")


def one_activity(result: str = '"done"') -> OrchestrationInstance:
    scheduled = helpers.new_task_scheduled_event(1, "Notify", "an input that is only in the message")
    return history([started(), scheduled], [helpers.new_task_completed_event(1, result)])


def requests(instance: OrchestrationInstance) -> tuple[int, int]:
    used = instance_requests(instance)
    return used.table_requests, used.queue_requests


def test_a_row_has_the_size_of_the_published_formula():
    columns = {"A": "xy", "N": 1, "B": True, "T": NEVER}
    assert row_use("p", "r", columns).table_bytes == 4 + 2 * 2 + (10 + 8) + (10 + 4) + (10 + 1) + (10 + 8)


def test_text_is_counted_in_utf_16():
    assert row_use("", "", {"A": "𝔘"}).table_bytes == row_use("", "", {"A": "ab"}).table_bytes


def test_the_input_of_an_activity_is_not_in_its_row():
    scheduled = one_activity().history[2]
    assert scheduled.taskScheduled.input.value
    columns = event_columns(scheduled)
    assert {"Name", "EventType", "Tags"} < set(columns)
    assert "Input" not in columns


def test_a_notification_makes_two_turns_and_one_activity():
    start, turns, activity = (4, 1), (2 * 3, 2 * 2 + 1), (0, 3)
    assert requests(one_activity()) == tuple(map(sum, zip(start, turns, activity, strict=True)))


@pytest.mark.parametrize(
    ("name", "asked", "reads"),
    [
        ("PerformStep", {"verb": "perform"}, 0),
        ("PerformStep", {"verb": "perform", "unless_held": True}, 1),
        ("PerformStep", {"verb": "shift_traffic", "lease": {"key": "net", "id": "r.1"}}, 1),
        ("ReadHolds", "rule", 1),
        ("FindInstances", ["r.1", "r.2"], 2),
    ],
)
def test_an_activity_may_read_rows_of_the_task_hub(name: str, asked: Any, reads: int):
    scheduled = helpers.new_task_scheduled_event(1, name, json.dumps(json.dumps(asked)))
    assert event_requests(scheduled) == ACTIVITY + StorageUse(table_requests=reads)


def test_a_timer_is_a_message_and_a_turn():
    timer = [helpers.new_timer_created_event(1, NEVER)]
    without, waiting = (
        history([started()]),
        history([started(), *timer], [helpers.new_timer_fired_event(1, NEVER)]),
    )
    extra = [more - less for more, less in zip(requests(waiting), requests(without), strict=True)]
    assert extra == [3, 3]


def test_a_call_of_an_entity_is_a_turn_of_the_entity_and_one_of_the_caller():
    call = pb.HistoryEvent(eventId=1)
    call.entityOperationCalled.operation = "acquire"
    call.entityOperationCalled.targetInstanceId.value = ENTITY
    answer = pb.HistoryEvent(eventId=-1)
    answer.entityOperationCompleted.output.value = "{}"
    without, calling = history([started()]), history([started(), call], [answer])
    extra = [more - less for more, less in zip(requests(calling), requests(without), strict=True)]
    assert extra == [3 + 3, 1 + 3 + 2]
    columns = event_columns(call)
    assert columns["InstanceId"] == ENTITY
    assert '"op": "acquire"' in columns["Input"]


def test_a_sub_orchestration_is_not_looked_up_and_answers_its_parent():
    parent = pb.ParentInstanceInfo(orchestrationInstance=pb.OrchestrationInstance(instanceId="r"))
    child, alone = started(), started()
    child.executionStarted.parentInstance.CopyFrom(parent)
    less = [
        one - other for one, other in zip(requests(history([alone])), requests(history([child])), strict=True)
    ]
    assert less == [4, 0]


@pytest.mark.parametrize(
    ("length", "writes", "reads"),
    [(20_000, 0, 0), (40_000, 6, 0), (50_000, 12, 1)],
    ids=["row", "blob", "both"],
)
def test_a_long_result_is_a_blob_of_its_row_and_then_of_its_message(length: int, writes: int, reads: int):
    instance = one_activity("x" * length)
    used = instance_requests(instance)
    assert (used.blob_writes, used.blob_reads) == (writes, reads)
    assert (history_use(instance).blob_bytes > 0) == (writes > 0)
    assert (history_use(instance).table_bytes < 10_000) == (writes > 0)


def test_each_later_turn_reads_the_blobs_of_the_history_again():
    answers = [helpers.new_task_completed_event(1, "x" * 40_000)]
    turns = [[helpers.new_timer_fired_event(2, NEVER)] for _ in range(5)]
    assert instance_requests(history([started()], answers, *turns)).blob_reads == 5


def test_a_long_history_is_read_in_pages_and_a_long_turn_written_in_batches():
    many = [helpers.new_timer_created_event(number, NEVER) for number in range(1100)]
    reads, batches, instance_rows = 1 + 2, 12 + 1, 2
    table = requests(history([started(), *many], [helpers.new_timer_fired_event(1, NEVER)]))[0]
    assert table == 4 + reads + batches + instance_rows


def test_the_sentinel_and_the_row_of_the_instance_are_counted():
    empty, named = (OrchestrationInstance("r", name, pb.ORCHESTRATION_STATUS_PENDING) for name in ("", "abc"))
    assert history_use(named).table_bytes - history_use(empty).table_bytes == 6
    assert history_use(empty).table_bytes > 300


def test_a_month_costs_its_requests_and_what_is_stored_for_the_retention():
    used = StorageUse(table_bytes=1_000_000, queue_requests=10)
    requests_of_month, stored = 10 * 3_000 * 0.004 / 10_000, 0.001 * 3_000 * 0.045
    assert used.monthly_dollars(3_000, 30) == pytest.approx(requests_of_month + stored)
    assert used.monthly_dollars(3_000, 60) == pytest.approx(requests_of_month + 2 * stored)


def test_a_purge_deletes_rows_by_the_hundred():
    assert purge_requests(100).requests + 1 == purge_requests(101).requests


def test_an_idle_instance_polls_five_queues_and_renews_four_leases():
    hour = idle_requests(3600)
    assert (hour.queue_requests, hour.table_requests, hour.blob_reads) == (5 * 120, 5 * 360, 144)
