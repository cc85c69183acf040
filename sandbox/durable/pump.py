"""Between the task hub and the worker: the Functions host's Durable extension.

Orchestrators and entities receive and return base64 protobuf; activities receive and return JSON.
Failures are reported as the extension reports them (OutOfProcMiddleware.cs): the text before the first
`: ` is the error's type, and of the rest the first line is its message.
"""

import asyncio
import base64
import json
import logging
import threading
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.entities import EntityInstanceId
from durabletask.internal import helpers
from google.protobuf.message import Message as Protobuf

from sandbox.azure.faults import Faults
from sandbox.durable.failure_injection import FailureInjection
from sandbox.durable.hub import DurableHub
from sandbox.durable.versioning import MISMATCH, matches_version
from sandbox.durable.work import (
    HostCall,
    failure_details,
    find_function,
    functions_by_name,
    is_last_turn,
)
from sandbox.worker.function import FunctionError, WorkerLostError
from sandbox.worker.worker_messages import TypedData
from sandbox.worker.worker_process import WorkerProcess

AT_ONCE = 100
INVOCATION_FAILED = "Invocation of function '{}' failed with an exception."
log = logging.getLogger(__name__)


class DurablePump:
    """Carries work items from the hub to the worker's functions, and their results back."""

    def __init__(
        self, hub: DurableHub, worker: WorkerProcess, failures: FailureInjection, faults: Faults
    ) -> None:
        self._failures, self._faults = failures, faults
        self._hub, self._worker = hub, worker
        hub.refuses_start = lambda name: faults.take(f"START {name}") is not None
        self._call: Any = HostCall()
        self._listener: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._orchestrators = functions_by_name(worker, "orchestration")
        self._activities = functions_by_name(worker, "activity")
        self._entities = functions_by_name(worker, "entity")

    def start(self) -> None:
        """Begin on the running event loop."""
        loop = asyncio.get_running_loop()

        def listen() -> None:
            for item in self._hub.GetWorkItems(pb.GetWorkItemsRequest(), self._call):
                if loop.is_closed():
                    return
                loop.call_soon_threadsafe(self._accept, item)

        self._listener = threading.Thread(target=listen, name="durable-pump", daemon=True)
        self._listener.start()

    async def stop(self) -> None:
        """Take no more work and give up what is under way, as a host that is killed does."""
        self._call.active = False
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if self._listener is not None:
            await asyncio.to_thread(self._listener.join)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, item: pb.WorkItem) -> None:
        if not self._call.active:
            return
        task = asyncio.ensure_future(self._do(item))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, item: pb.WorkItem) -> None:
        try:
            if item.HasField("orchestratorRequest"):
                await self._orchestrate(item.orchestratorRequest, item.completionToken)
            elif item.HasField("activityRequest"):
                await self._act(item.activityRequest, item.completionToken)
            else:
                await self._operate(item.entityRequestV2, item.completionToken)
        except Exception:
            log.exception("the sandbox lost a piece of durable work: this is a defect of the sandbox")

    async def _orchestrate(self, request: pb.OrchestratorRequest, token: str) -> None:
        events = [*request.pastEvents, *request.newEvents]
        started = [one.executionStarted for one in events if one.HasField("executionStarted")][-1]
        response, name = pb.OrchestratorResponse(), started.name
        try:
            if matches_version(started.version.value, self._hub.settings):
                await self._execute(self._orchestrators, name, "orchestrator", request, response)
            elif self._hub.settings.version_failure.casefold() == "fail":
                response = _failed(request, MISMATCH)
            else:
                self._hub.abandon_orchestration(request.instanceId)
                return
        except WorkerLostError:
            self._hub.abandon_orchestration(request.instanceId)
            return
        except FunctionError as error:
            response = _failed(request, failure_details(error))
        response.completionToken = token
        self._hub.CompleteOrchestratorTask(response, self._call)
        self._hub.completed_turn(request.instanceId)
        if is_last_turn(response) and self._failures.kills_host(f"ORCHESTRATION {name}"):
            self._hub.lose_custom_status(request.instanceId)

    async def _act(self, request: pb.ActivityRequest, token: str) -> None:
        instance = request.orchestrationInstance.instanceId
        response = pb.ActivityResponse(instanceId=instance, taskId=request.taskId, completionToken=token)
        execution = 0
        while True:
            execution += 1
            response.ClearField("result")
            response.ClearField("failureDetails")
            try:
                response.result.value = await self._perform(request)
            except WorkerLostError:
                self._hub.abandon_activity(instance, request.taskId)
                return
            except FunctionError as error:
                response.failureDetails.CopyFrom(failure_details(error))
            if not self._failures.loses_result(request.name, execution):
                break
        if not self._failures.kills_host(f"ACTIVITY {request.name}"):
            self._hub.CompleteActivityTask(response, self._call)

    async def _perform(self, request: pb.ActivityRequest) -> str:
        name = find_function(self._activities, request.name, "activity")
        metadata = {"instanceId": TypedData(string=request.orchestrationInstance.instanceId)}
        async with self._room:
            returned = await self._worker.invoke(
                name, TypedData(json=request.input.value or "null"), metadata
            )
        return "null" if returned is None or returned.value is None else str(returned.value)

    async def _operate(self, request: pb.EntityRequest, token: str) -> None:
        batch, infos = helpers.convert_to_entity_batch_request(request)
        result = pb.EntityBatchResult(entityState=request.entityState)
        name = EntityInstanceId.parse(request.instanceId).entity
        try:
            self._strike(name)
            await self._execute(self._entities, name, "entity", self._repeated(batch), result)
            if len(result.results) > len(infos):
                del result.results[1::2]  # a caller hears of the first of two executions alone
            del result.operationInfos[:]
            result.operationInfos.extend(infos)
        except WorkerLostError:
            lost = FunctionError(f"FunctionInvocationFailed: {INVOCATION_FAILED.format(name)}")
            self._hub.fail_entity_calls(infos, lost)
        except FunctionError as error:
            self._hub.fail_entity_calls(infos, error)
        result.completionToken = token
        self._hub.complete_entity(request.instanceId, result, self._call)

    def _repeated(self, batch: pb.EntityBatchRequest) -> pb.EntityBatchRequest:
        """The operations, each twice where messages to entities may be repeated and everything is."""
        if self._failures.twice and not self._hub.settings.reorder_window:
            doubled = [operation for operation in batch.operations for _ in range(2)]
            del batch.operations[:]
            batch.operations.extend(doubled)
        return batch

    def _strike(self, entity: str) -> None:
        """Fail the operation as if the worker died inside it, when a fault for it was injected."""
        if self._faults.take(f"ENTITY {entity}"):
            raise FunctionError(f"FunctionInvocationFailed: {INVOCATION_FAILED.format(entity)}")

    async def _execute(
        self, known: dict[str, str], name: str, kind: str, request: Protobuf, response: Protobuf
    ) -> None:
        function = find_function(known, name, kind)
        encoded = base64.b64encode(request.SerializeToString()).decode()
        returned = await self._worker.invoke(function, TypedData(string=encoded))
        text = "" if returned is None else str(returned.value)
        response.ParseFromString(base64.b64decode(json.loads(text) if text.startswith('"') else text))


def _failed(request: pb.OrchestratorRequest, details: pb.TaskFailureDetails) -> pb.OrchestratorResponse:
    failed = helpers.new_complete_orchestration_action(-1, pb.ORCHESTRATION_STATUS_FAILED, None, details)
    return pb.OrchestratorResponse(instanceId=request.instanceId, actions=[failed])
