"""Starting an instance id again: what the reuse policy of the start says, as extension 3.19 heeds it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb
import durabletask.internal.orchestrator_service_pb2_grpc as stubs
import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from sandbox.durable.hub import DurableHub
from sandbox.pace import Pace
from tests.sandbox.small_sandbox import on_loop

PENDING, RUNNING = pb.ORCHESTRATION_STATUS_PENDING, pb.ORCHESTRATION_STATUS_RUNNING
COMPLETED, FAILED = pb.ORCHESTRATION_STATUS_COMPLETED, pb.ORCHESTRATION_STATUS_FAILED
TERMINATED = pb.ORCHESTRATION_STATUS_TERMINATED


class Client:
    """A durable client and a worker of one hub, over gRPC."""

    def __init__(self, hub: DurableHub, channel: grpc.Channel) -> None:
        self.hub = hub
        self.stub = stubs.TaskHubSidecarServiceStub(channel)
        self.work = self.stub.GetWorkItems(pb.GetWorkItemsRequest())

    def start(self, id: str, input: str, *policy: int, without: bool = False) -> Any:
        reuse = None if without else pb.OrchestrationIdReusePolicy(replaceableStatus=cast(Any, policy))
        request = pb.CreateInstanceRequest(
            instanceId=id, name="o", input=StringValue(value=input), orchestrationIdReusePolicy=reuse
        )
        try:
            self.stub.StartInstance(request)
        except grpc.RpcError as error:
            return error.code()
        return None

    def end(self, status: int) -> None:
        item = next(self.work)
        done = pb.CompleteOrchestrationAction(orchestrationStatus=cast(Any, status))
        self.stub.CompleteOrchestratorTask(
            pb.OrchestratorResponse(
                instanceId=item.orchestratorRequest.instanceId,
                actions=[pb.OrchestratorAction(id=1, completeOrchestration=done)],
                completionToken=item.completionToken,
            )
        )

    def input(self, id: str) -> str:
        found = self.stub.GetInstance(pb.GetInstanceRequest(instanceId=id, getInputsAndOutputs=True))
        return found.orchestrationState.input.value


@pytest.fixture
def client() -> Iterator[Client]:
    hub = DurableHub(Pace(1000))

    async def begin() -> str:
        return hub.start()

    with on_loop() as loop:
        address = asyncio.run_coroutine_threadsafe(begin(), loop).result(5)
        with closing(grpc.insecure_channel(address)) as channel:
            yield Client(hub, channel)
        hub.stop(grace=0)


@pytest.mark.parametrize("status", [COMPLETED, FAILED, TERMINATED])
def test_without_a_policy_a_finished_instance_is_replaced(client: Client, status: int):
    client.start("i", "1", without=True)
    client.end(status)
    assert client.start("i", "2", without=True) is None
    assert client.input("i") == "2"


def test_without_a_policy_a_pending_instance_is_refused(client: Client):
    client.start("i", "1", without=True)
    assert client.start("i", "2", without=True) == grpc.StatusCode.ALREADY_EXISTS


@pytest.mark.parametrize("status", [COMPLETED, FAILED, TERMINATED])
def test_an_empty_policy_replaces_nothing_not_even_a_finished_instance(client: Client, status: int):
    assert client.start("i", "1") is None
    assert client.start("i", "2") == grpc.StatusCode.ALREADY_EXISTS
    client.end(status)
    assert client.start("i", "3") == grpc.StatusCode.ALREADY_EXISTS
    assert client.input("i") == "1"


@pytest.mark.parametrize(("policy", "again"), [((FAILED, TERMINATED), False), ((COMPLETED,), True)])
def test_exactly_the_statuses_of_the_policy_are_replaced(client: Client, policy, again: bool):
    client.start("i", "1")
    client.end(COMPLETED)
    assert client.start("i", "2", *policy) == (None if again else grpc.StatusCode.ALREADY_EXISTS)
    assert client.input("i") == ("2" if again else "1")


def test_a_replaced_live_instance_leaves_nothing_to_the_new_one(client: Client):
    client.start("i", "1")
    item = next(client.work)
    assert client.start("i", "2", PENDING, RUNNING) is None
    task = pb.ScheduleTaskAction(name="a")
    client.stub.CompleteOrchestratorTask(
        pb.OrchestratorResponse(
            instanceId="i",
            actions=[pb.OrchestratorAction(id=1, scheduleTask=task)],
            completionToken=item.completionToken,
        )
    )
    again = next(client.work)
    [started] = [
        e.executionStarted for e in again.orchestratorRequest.newEvents if e.HasField("executionStarted")
    ]
    assert (list(again.orchestratorRequest.pastEvents), started.input.value) == ([], "2")


def test_of_many_simultaneous_starts_exactly_one_succeeds(client: Client):
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda n: client.start("i", str(n)), range(60)))
    assert codes.count(None) == 1
    assert codes.count(grpc.StatusCode.ALREADY_EXISTS) == 59
