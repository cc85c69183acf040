"""What a dead host had taken from the task hub, and when another host gets it."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from sandbox.durable.hub import DurableHub
from sandbox.durable.message_visibility import TAKEOVER
from sandbox.durable.work import HostCall
from sandbox.pace import Pace
from tests.sandbox.small_sandbox import on_loop, until

SPEED = 100
CONTROL, WORK = timedelta(seconds=100), timedelta(seconds=60)
LATE = timedelta(seconds=2000)
"""20 s of this machine: what comes earlier has not waited for it, however busy the machine is."""


class Host:
    """One host after another, taking work from one hub."""

    def __init__(self, hub: DurableHub) -> None:
        self.died = 0.0
        self.hub = hub
        self._call: Any = HostCall()
        self._work: Iterator[pb.WorkItem] = iter(())

    def take(self) -> pb.WorkItem:
        self._call = HostCall()
        self._work = iter(self.hub.GetWorkItems(pb.GetWorkItemsRequest(), self._call))
        return next(self._work)

    def start(self, id: str) -> None:
        self.hub.StartInstance(pb.CreateInstanceRequest(instanceId=id, name="o"), self._call)

    def publish_event(self, id: str) -> None:
        self.hub.RaiseEvent(pb.RaiseEventRequest(instanceId=id, name="e"), self._call)

    def complete(self, item: pb.WorkItem, *actions: pb.OrchestratorAction) -> None:
        response = pb.OrchestratorResponse(
            instanceId=item.orchestratorRequest.instanceId,
            actions=actions,
            completionToken=item.completionToken,
        )
        self.hub.CompleteOrchestratorTask(response, self._call)

    def signal(self, id: str) -> None:
        self.hub.SignalEntity(pb.SignalEntityRequest(instanceId=id, name="add"), self._call)

    def die(self, control: timedelta, work: timedelta) -> None:
        """Let the host die; `seconds_to_take` counts from before that."""
        self.died = time.monotonic()
        self.hub.host_died(control, work)

    def seconds_to_take(self) -> tuple[float, pb.WorkItem]:
        return (found := self.take()) and (time.monotonic() - self.died, found)


@pytest.fixture
def host() -> Iterator[Host]:
    hub = DurableHub(Pace(SPEED))

    async def begin() -> str:
        return hub.start()

    with on_loop() as loop:
        asyncio.run_coroutine_threadsafe(begin(), loop).result(5)
        yield Host(hub)
        hub.stop(grace=0)


def activity(id: int) -> pb.OrchestratorAction:
    return pb.OrchestratorAction(
        id=id, scheduleTask=pb.ScheduleTaskAction(name="a", input=StringValue(value='"x"'))
    )


def names(item: pb.WorkItem) -> list[str | None]:
    return [event.WhichOneof("eventType") for event in item.orchestratorRequest.newEvents]


def test_a_turn_that_a_dead_host_had_taken_is_whole_again_after_the_control_timeout(host: Host):
    host.start("i")
    first = host.take()
    host.die(CONTROL, WORK)
    seconds, again = host.seconds_to_take()
    assert seconds >= CONTROL.total_seconds() / SPEED
    assert names(again) == names(first) == ["orchestratorStarted", "executionStarted"]
    host.complete(first)
    assert host.hub._instances["i"].history == []  # the dead host's completion came too late
    host.complete(again)
    assert len(host.hub._instances["i"].history) == 3


def test_what_was_queued_for_the_dead_host_is_hidden_too(host: Host):
    host.start("i")
    host.die(CONTROL, WORK)
    assert host.seconds_to_take()[0] >= CONTROL.total_seconds() / SPEED


def test_an_activity_that_a_dead_host_had_taken_comes_again_after_the_work_timeout(host: Host):
    host.start("i")
    host.complete(host.take(), activity(1))
    first = host.take()
    host.die(LATE, WORK)
    seconds, again = host.seconds_to_take()
    assert WORK.total_seconds() / SPEED <= seconds < LATE.total_seconds() / SPEED
    assert again.activityRequest == first.activityRequest
    assert again.activityRequest.input.value == '"x"'


def test_an_activity_that_no_host_had_taken_is_free_at_once(host: Host):
    host.start("i")
    host.complete(host.take(), activity(1))
    host.die(LATE, LATE)
    assert host.seconds_to_take()[0] < LATE.total_seconds() / SPEED


def test_new_messages_wait_until_the_partitions_have_an_owner_again(host: Host):
    host.die(LATE, LATE)
    host.start("i")
    seconds, _ = host.seconds_to_take()
    assert TAKEOVER.total_seconds() / SPEED <= seconds < LATE.total_seconds() / SPEED


def test_an_event_for_an_instance_whose_start_is_hidden_waits_for_the_start(host: Host):
    host.start("i")
    host.take()
    host.die(CONTROL, WORK)
    time.sleep(2 * TAKEOVER.total_seconds() / SPEED)
    host.publish_event("i")
    assert names(host.take()) == ["orchestratorStarted", "executionStarted", "eventRaised"]


def test_operations_that_a_dead_host_had_taken_come_again_in_their_order(host: Host):
    host.signal("@e@k")
    first = host.take()
    host.signal("@e@k")
    host.die(CONTROL, WORK)
    seconds, again = host.seconds_to_take()
    assert seconds >= CONTROL.total_seconds() / SPEED
    assert len(first.entityRequestV2.operationRequests) == 1
    assert list(again.entityRequestV2.operationRequests)[:1] == list(first.entityRequestV2.operationRequests)


def test_the_result_of_an_activity_counts_once(host: Host):
    host.start("i")
    host.complete(host.take(), activity(1))
    item = host.take()
    result = pb.ActivityResponse(instanceId="i", taskId=1, result=StringValue(value="1"))
    for _ in range(2):
        host.hub.CompleteActivityTask(result, HostCall())
    assert item.activityRequest.taskId == 1
    assert names(host.take()) == ["orchestratorStarted", "taskCompleted"]


def test_what_a_host_abandons_comes_back_later_each_time(host: Host):
    host.start("i")
    host.take()
    waits = []
    for _ in range(4):
        host.hub.abandon_orchestration("i")
        waits.append(host.seconds_to_take()[0] * SPEED)
    assert waits[0] >= 2
    assert waits[3] >= 16


def test_a_second_death_puts_the_takeover_off(host: Host):
    host.die(CONTROL, WORK)
    half = TAKEOVER.total_seconds() / SPEED / 2
    time.sleep(half)
    host.die(CONTROL, WORK)
    host.start("i")
    assert host.seconds_to_take()[0] >= 2 * half
    until(lambda: host.hub._owned, bool)
