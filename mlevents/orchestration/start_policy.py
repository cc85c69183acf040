"""Starts an orchestration, unless a faster response or sweep has already used its id."""

import grpc
from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationStatus
from durabletask.internal.orchestrator_service_pb2 import OrchestrationIdReusePolicy

ENDED_BADLY = (OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED)
ENDED = (*ENDED_BADLY, OrchestrationStatus.COMPLETED)


def build_reuse_policy(*statuses: OrchestrationStatus) -> OrchestrationIdReusePolicy:
    """An earlier instance of the id is replaced if it has one of these statuses, and no other one."""
    return OrchestrationIdReusePolicy(replaceableStatus=[status.value for status in statuses])


REPLACE_NOTHING = build_reuse_policy()
"""No earlier instance of the id is replaced, whatever its status: the extension answers ALREADY_EXISTS."""
REPLACE_ENDED = build_reuse_policy(*ENDED)
REPLACE_ENDED_BADLY = build_reuse_policy(*ENDED_BADLY)


async def start(
    client: AsyncTaskHubGrpcClient, name: str, text: str, instance: str, policy: OrchestrationIdReusePolicy
) -> bool:
    """Start an orchestration unless its id is taken; says whether it did."""
    try:
        await client.schedule_new_orchestration(
            name, input=text, instance_id=instance, reuse_id_policy=policy
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise
        return False
    return True
