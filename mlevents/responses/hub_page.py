"""One page of the task hub's instances."""

from durabletask.client import (
    AsyncTaskHubGrpcClient,
    OrchestrationQuery,
    OrchestrationState,
    Page,
    parse_orchestration_state,
)
from durabletask.internal.client_helpers import build_query_instances_req
from google.protobuf.wrappers_pb2 import StringValue


async def read_hub_page(
    client: AsyncTaskHubGrpcClient, query: OrchestrationQuery, token: str | None
) -> Page[OrchestrationState]:
    """One page, in the hub's own order, and the token of the next one.

    The library's public method reads all pages; this makes one of its requests.
    """
    request = build_query_instances_req(query, StringValue(value=token) if token else None)
    answer = await client._get_stub().QueryInstances(request)
    states = [parse_orchestration_state(one) for one in answer.orchestrationState]
    following = answer.continuationToken.value
    return Page(states, following if following not in ("", "0", token) else None)
