"""Lists of instances as Azure Storage gives them: in the order of ids, a page begins after the last id."""

from itertools import islice
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.testing.in_memory_backend import OrchestrationInstance
from google.protobuf.wrappers_pb2 import StringValue

from sandbox.durable.versioning import Versioning


class InstancePages(Versioning):
    """Answers queries for instances, after AzureTableTrackingStore: an id is the key of its row."""

    @override
    def QueryInstances(
        self, request: pb.QueryInstancesRequest, context: grpc.ServicerContext
    ) -> pb.QueryInstancesResponse:
        """One page; its token is the last id."""
        query, last = request.query, request.query.continuationToken.value
        with self._lock:
            names = sorted(name for name in self._instances if name > last)
            found = (name for name in names if _selects(query, self._instances[name]))
            most = query.maxInstanceCount or len(names)
            page = list(islice(found, most + 1))
            states = [self._read_state(name, query.fetchInputsAndOutputs, context) for name in page[:most]]
        following = StringValue(value=page[most - 1]) if len(page) > most else None
        return pb.QueryInstancesResponse(orchestrationState=states, continuationToken=following)

    def _read_state(
        self, name: str, with_payloads: bool, context: grpc.ServicerContext
    ) -> pb.OrchestrationState:
        request = pb.GetInstanceRequest(instanceId=name, getInputsAndOutputs=with_payloads)
        return super().GetInstance(request, context).orchestrationState


def _selects(query: pb.InstanceQuery, instance: OrchestrationInstance) -> bool:
    created = instance.created_at.timestamp()
    return (
        (not query.runtimeStatus or instance.status in query.runtimeStatus)
        and instance.instance_id.startswith(query.instanceIdPrefix.value)
        and (not query.HasField("createdTimeFrom") or created >= query.createdTimeFrom.ToNanoseconds() / 1e9)
        and (not query.HasField("createdTimeTo") or created < query.createdTimeTo.ToNanoseconds() / 1e9)
    )
