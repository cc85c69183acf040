"""The task hub: Microsoft's in-memory Durable backend, behaving as the Functions extension does.

What differs from upstream: it listens on loopback only; a parent hears of a sub-orchestration however
long that takes; what arrives for a finished instance is dropped; starting an instance heeds the reuse
policy, and waking one that has finished is refused; timers keep the sandbox's pace (durable_clock.py),
an entity's lock is kept (entity_locks.py), a failed dispatch is reported (entity_failures.py), a
host may die (message_visibility.py), instances have versions (versioning.py), and are listed in the order of
their ids (instance_pages.py).
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import durabletask.internal.orchestrator_service_pb2_grpc as stubs
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

from sandbox.durable.instance_pages import InstancePages
from sandbox.pace import Pace

MESSAGE_LIMIT = 16 * 1024 * 1024
CALLERS = 32
FINISHED = (
    pb.ORCHESTRATION_STATUS_COMPLETED,
    pb.ORCHESTRATION_STATUS_FAILED,
    pb.ORCHESTRATION_STATUS_TERMINATED,
)
EVERY = tuple(pb.OrchestrationStatus.values())


class DurableHub(InstancePages):
    """Orchestrations and entities of one app, in memory."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace)
        self.refuses_start: Callable[[str], bool] = lambda _: False
        self._parents: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)

    @override
    def start(self) -> str:
        """Serve on a free port of 127.0.0.1, with timers on the running event loop; gives the address."""
        self._loop = asyncio.get_running_loop()
        self._shutdown_event.clear()
        limits = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
        server = grpc.server(
            ThreadPoolExecutor(CALLERS, "durable-hub"), options=[(name, MESSAGE_LIMIT) for name in limits]
        )
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        self._port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self._server = server
        return f"127.0.0.1:{self._port}"

    def client(self, functions: str) -> str:
        """What a durable client binding receives from the host; `functions` is the host's address."""
        return json.dumps(
            {
                "taskHubName": "sandbox",
                "connectionName": "",
                "creationUrls": {},
                "managementUrls": {},
                "baseUrl": f"{functions}/runtime/webhooks/durabletask",
                "requiredQueryStringParameters": "",
                "rpcBaseUrl": f"http://127.0.0.1:{self._port}",
                "httpBaseUrl": f"{functions}/runtime/webhooks/durabletask",
                "useForwardedHost": False,
                "maxGrpcMessageSizeInBytes": MESSAGE_LIMIT,
                "grpcHttpClientTimeout": "00:01:40",
            }
        )

    @override
    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance, or one again whose status may be replaced, as extension 3.19 does.

        A policy names the statuses that may be replaced, and an empty one names none; without a policy
        an instance that has finished is replaced. `refuses_start` says for which names it fails.
        """
        if self.refuses_start(request.name):
            context.abort(grpc.StatusCode.UNAVAILABLE, "The storage of the task hub does not answer.")
        with self._lock:
            known = self._instances.get(request.instanceId)
            if known is not None and known.status not in _replaceable(request):
                context.abort(
                    grpc.StatusCode.ALREADY_EXISTS,
                    f"An Orchestration instance with the ID {request.instanceId} already exists.",
                )
            self._forget(request.instanceId)
            request.orchestrationIdReusePolicy.replaceableStatus[:] = EVERY
            return super().StartInstance(request, context)

    def _forget(self, instance_id: str) -> None:
        """Make room for a new execution: what the old one has under way is not for the new one."""
        self._ahead.pop(instance_id, None)
        self._parents.pop(instance_id, None)
        self._orchestration_in_flight.discard(instance_id)
        self._working = {key: one for key, one in self._working.items() if key[0] != instance_id}
        under_way = [one for one in self._activity_queue if one.instance_id != instance_id]
        self._activity_queue.clear()
        self._activity_queue.extend(under_way)

    @override
    def RaiseEvent(
        self, request: pb.RaiseEventRequest, context: grpc.ServicerContext
    ) -> pb.RaiseEventResponse:
        """Raise an event to an instance that is still under way."""
        with self._lock:
            known = self._instances.get(request.instanceId)
            if known is not None and known.status in FINISHED:
                context.abort(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "The orchestration instance with the provided instance id is not running.",
                )
            return super().RaiseEvent(request, context)

    @override
    def PurgeInstances(
        self, request: pb.PurgeInstancesRequest, context: grpc.ServicerContext
    ) -> pb.PurgeInstancesResponse:
        """Purge one instance whatever its status, without its sub-orchestrations; by a filter, ended ones.

        As DurableTask.AzureStorage does it (AzureTableTrackingStore.PurgeInstanceHistoryAsync).
        """
        with self._lock:
            if not request.instanceId:
                return super().PurgeInstances(request, context)
            known = self._instances.pop(request.instanceId, None)
            self._forget(request.instanceId)
            self._state_waiters.pop(request.instanceId, None)
            return pb.PurgeInstancesResponse(deletedInstanceCount=0 if known is None else 1)

    def instances_of(self, response: str) -> list[OrchestrationInstance]:
        """What is recorded of a response and of the orchestrations of its steps."""
        with self._lock:
            found = self._instances.values()
            return [one for one in found if f"{one.instance_id}.".startswith(f"{response}.")]

    @override
    def TerminateInstance(
        self, request: pb.TerminateRequest, context: grpc.ServicerContext
    ) -> pb.TerminateResponse:
        """Terminate one instance alone: the extension leaves its sub-orchestrations running."""
        request.recursive = False
        return super().TerminateInstance(request, context)

    @override
    def _watch_sub_orchestration(self, parent_instance_id: str, sub_instance_id: str, task_id: int) -> None:
        self._parents[sub_instance_id].append((parent_instance_id, task_id))

    @override
    def _notify_waiters(self, instance_id: str) -> None:
        super()._notify_waiters(instance_id)
        instance = self._instances[instance_id]
        if instance.status in FINISHED:
            for parent, task in self._parents.pop(instance_id, []):
                self._deliver(parent, _ended(instance, task))

    @override
    def _enqueue_orchestration(self, instance_id: str) -> None:
        """Queue an instance; one that is being executed is queued when its execution ends."""
        instance = self._instances[instance_id]
        if instance.status in FINISHED:
            instance.pending_events.clear()
        elif instance_id not in self._orchestration_in_flight:
            super()._enqueue_orchestration(instance_id)


def _replaceable(request: pb.CreateInstanceRequest) -> Container[int]:
    known = request.HasField("orchestrationIdReusePolicy")
    return tuple(request.orchestrationIdReusePolicy.replaceableStatus) if known else FINISHED


def _ended(child: OrchestrationInstance, task: int) -> pb.HistoryEvent:
    if child.status == pb.ORCHESTRATION_STATUS_COMPLETED:
        return helpers.new_sub_orchestration_completed_event(task, child.output)
    failed = helpers.new_sub_orchestration_failed_event(task, Exception("the sub-orchestration was ended"))
    if child.failure_details is not None:
        failed.subOrchestrationInstanceFailed.failureDetails.CopyFrom(child.failure_details)
    return failed
