"""The activity FindInstances: which orchestrations run, and which have ended."""

import json

from durabletask.client import AsyncTaskHubGrpcClient

from mlevents.orchestration.serialization import to_text


async def find_instances(text: str, client: AsyncTaskHubGrpcClient) -> str:
    """The status of each instance id in a JSON list (`RUNNING`, …), null for one that does not exist."""
    found: dict[str, str | None] = {}
    for instance in json.loads(text):
        state = await client.get_orchestration_state(instance, fetch_payloads=False)
        found[instance] = state.runtime_status.name if state else None
    return to_text(found)
