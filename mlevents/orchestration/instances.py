"""The activities FindInstances, which orchestrations run or have ended, and PassOnIntervention."""

import json

import grpc
from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationQuery

from mlevents.orchestration.intervention import INTERVENTION_EVENT
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import ENDED

STEP_PAGE = 50
NOT_RUNNING = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)
"""What the extension answers for an orchestration that has ended, or does not exist."""


async def find_instances(text: str, client: AsyncTaskHubGrpcClient) -> str:
    """The status of each instance id in a JSON list (`RUNNING`, …), null for one that does not exist."""
    found: dict[str, str | None] = {}
    for instance in json.loads(text):
        state = await client.get_orchestration_state(instance, fetch_payloads=False)
        found[instance] = state.runtime_status.name if state else None
    return to_text(found)


async def pass_on_intervention(text: str, client: AsyncTaskHubGrpcClient) -> str:
    """Raise an intervention to the orchestrations of a step that run; gives how many exist, and run.

    The text is a JSON list: the id with which those of the step's orchestrations begin, and the intervention.
    """
    first, intervention = json.loads(text)
    query = OrchestrationQuery(instance_id_prefix=first, max_instance_count=STEP_PAGE)
    states = await client.get_all_orchestration_states(query)
    found = [one for one in states if f"{one.instance_id}.".startswith(f"{first}.")]
    running = [one for one in found if one.runtime_status not in ENDED]
    for one in running:
        await raise_event(client, one.instance_id, to_text(intervention))
    return to_text([len(found), len(running)])


async def raise_event(
    client: AsyncTaskHubGrpcClient, instance: str, text: str, name: str = INTERVENTION_EVENT
) -> bool:
    """Raise an event, as JSON text, to an orchestration; says whether it was still running."""
    try:
        await client.raise_orchestration_event(instance, name, data=text)
    except grpc.aio.AioRpcError as error:
        if error.code() not in NOT_RUNNING:
            raise
        return False
    return True
