"""Between the task hub and the worker: the Functions host's Durable extension, in this process.

Orchestrators and entities receive and return base64 protobuf; activities receive and return JSON.
Failures are told as the extension tells them (OutOfProcMiddleware.cs): the text before the first
`: ` is the error's type, and of the rest the first line is its message.
"""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import Awaitable
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.entities import EntityInstanceId
from durabletask.internal import helpers
from google.protobuf.message import Message as Protobuf

from sandbox.arm.faults import Faults
from sandbox.chaos import Chaos
from sandbox.durable_hub import DurableHub
from sandbox.function import Function, FunctionError
from sandbox.messages import TypedData
from sandbox.worker import Worker

AT_ONCE = 100
INVOCATION_FAILED = "Invocation of function '{}' failed with an exception."
log = logging.getLogger(__name__)


class HostCall:
    """Stands in for the gRPC context when the host itself calls the hub."""

    def is_active(self) -> bool:
        """The host is there as long as the hub is."""
        return True

    def abort(self, code: object, details: str) -> None:
        """The hub refuses: raises RuntimeError."""
        raise RuntimeError(f"{code}: {details}")


class DurablePump:
    """Carries work items from the hub to the worker's functions, and their results back."""

    def __init__(self, hub: DurableHub, worker: Worker, chaos: Chaos, faults: Faults) -> None:
        self.chaos, self._faults = chaos, faults
        self._hub, self._worker = hub, worker
        self._call: Any = HostCall()
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._orchestrators = _named(worker, "orchestration")
        self._activities = _named(worker, "activity")
        self._entities = _named(worker, "entity")

    def start(self) -> None:
        """Begin on the running event loop; the pump ends when the hub stops."""
        loop = asyncio.get_running_loop()

        def listen() -> None:
            for item in self._hub.GetWorkItems(pb.GetWorkItemsRequest(), self._call):
                if loop.is_closed():
                    return
                loop.call_soon_threadsafe(self._accept, item)

        threading.Thread(target=listen, name="durable-pump", daemon=True).start()

    async def stop(self) -> None:
        """Give up what is under way, as a host that is killed does."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, item: pb.WorkItem) -> None:
        work: Awaitable[None]
        if item.HasField("orchestratorRequest"):
            work = self._orchestrate(item.orchestratorRequest, item.completionToken)
        elif item.HasField("activityRequest"):
            work = self._act(item.activityRequest, item.completionToken)
        else:
            work = self._operate(item.entityRequestV2, item.completionToken)
        task = asyncio.ensure_future(self._carried(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carried(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            log.exception("the sandbox lost a piece of durable work: this is a defect of the sandbox")

    async def _orchestrate(self, request: pb.OrchestratorRequest, token: str) -> None:
        events = [*request.pastEvents, *request.newEvents]
        name = [one.executionStarted.name for one in events if one.HasField("executionStarted")][-1]
        response = pb.OrchestratorResponse()
        try:
            await self._execute(self._orchestrators, name, "orchestrator", request, response)
        except FunctionError as error:
            failed = helpers.new_complete_orchestration_action(
                -1, pb.ORCHESTRATION_STATUS_FAILED, None, _failure(error)
            )
            response = pb.OrchestratorResponse(instanceId=request.instanceId, actions=[failed])
        response.completionToken = token
        self._hub.CompleteOrchestratorTask(response, self._call)

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
            except FunctionError as error:
                response.failureDetails.CopyFrom(_failure(error))
            if not self.chaos.loses(request.name, execution):
                break
        self._hub.CompleteActivityTask(response, self._call)

    async def _perform(self, request: pb.ActivityRequest) -> str:
        name = _find(self._activities, request.name, "activity")
        metadata = {"instanceId": TypedData(string=request.orchestrationInstance.instanceId)}
        async with self._room:
            returned = await self._worker.invoke(
                name, TypedData(json=request.input.value or "null"), metadata
            )
        return "null" if returned is None or returned.value is None else str(returned.value)

    async def _operate(self, request: pb.EntityRequest, token: str) -> None:
        batch, infos = helpers.convert_to_entity_batch_request(request)
        result = pb.EntityBatchResult(entityState=request.entityState)
        try:
            name = EntityInstanceId.parse(request.instanceId).entity
            self._strike(name)
            await self._execute(self._entities, name, "entity", batch, result)
            del result.operationInfos[:]
            result.operationInfos.extend(infos)
        except FunctionError as error:
            self._hub.fail_entity_calls(infos, error)
        result.completionToken = token
        self._hub.complete_entity(request.instanceId, result, self._call)

    def _strike(self, entity: str) -> None:
        """Let the operation fail as when the worker dies inside it, if somebody asked for that."""
        if self._faults.strike(f"ENTITY {entity}"):
            raise FunctionError(f"FunctionInvocationFailed: {INVOCATION_FAILED.format(entity)}")

    async def _execute(
        self, known: dict[str, str], name: str, kind: str, request: Protobuf, response: Protobuf
    ) -> None:
        function = _find(known, name, kind)
        encoded = base64.b64encode(request.SerializeToString()).decode()
        returned = await self._worker.invoke(function, TypedData(string=encoded))
        text = "" if returned is None else str(returned.value)
        response.ParseFromString(base64.b64decode(json.loads(text) if text.startswith('"') else text))


def _named(worker: Worker, kind: str) -> dict[str, str]:
    """The functions of one kind, by the name that durable work calls them, in lower case."""
    setting = "entityName" if kind == "entity" else kind

    def called(function: Function) -> str:
        return str(function.trigger.get(setting) or function.name).casefold()

    return {called(one): one.name for one in worker.triggered_by(f"{kind}Trigger").values()}


def _find(known: dict[str, str], name: str, kind: str) -> str:
    if name.casefold() in known:
        return known[name.casefold()]
    raise FunctionError(
        f"InvalidOperationException: The function '{name}' doesn't exist, is disabled, or is not "
        f"an {kind} function: the app has {', '.join(sorted(known.values())) or 'none'}"
    )


def _failure(error: FunctionError) -> pb.TaskFailureDetails:
    first = error.text.split("\n", 1)[0].rstrip()
    details = pb.TaskFailureDetails(errorType=error.kind, errorMessage=first or error.kind)
    details.stackTrace.value = error.stack
    return details
