"""Starting a response, once."""

import logging
from dataclasses import replace

import azure.durable_functions as df
import grpc
from durabletask.internal.orchestrator_service_pb2 import OrchestrationIdReusePolicy

from mlevents import telemetry
from mlevents.responses import function_names
from mlevents.responses.json_text import to_text
from mlevents.responses.response import Response

log = logging.getLogger("mlevents")

REPLACE_NOTHING = OrchestrationIdReusePolicy(replaceableStatus=[])
"""No earlier instance of the id is replaced, whatever its status: the extension answers ALREADY_EXISTS."""


async def schedule(response: Response, client: df.DurableFunctionsClient) -> bool:
    """Start this response, unless it has been started before; says whether it did.

    The look comes first because older extensions ignore the reuse policy.
    """
    response = replace(response, traceparent=telemetry.traceparent())
    if await client.get_orchestration_state(response.id, fetch_payloads=False):
        log.info("response %s exists already: a redelivery", response.id)
        return False
    text = to_text(response.to_json())
    name = function_names.RESPOND_TO_EVENT
    if not await start(client, name, text, response.id, REPLACE_NOTHING):
        log.info("response %s was started by another delivery at the same moment", response.id)
        return False
    log.info("response %s to event %s: %s", response.id, response.event.id, response.status)
    return True


async def start(
    client: df.DurableFunctionsClient,
    name: str,
    text: str,
    instance_id: str,
    policy: OrchestrationIdReusePolicy,
) -> bool:
    """Start an orchestration unless its id is taken; says whether it did."""
    try:
        await client.schedule_new_orchestration(
            name, input=text, instance_id=instance_id, reuse_id_policy=policy
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise
        return False
    return True
