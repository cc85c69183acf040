"""Starting a response, once."""

import logging
from dataclasses import replace

import azure.durable_functions as df

from mlevents import telemetry
from mlevents.orchestration import function_names
from mlevents.orchestration.messages import Response
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import REPLACE_NOTHING, start

log = logging.getLogger("mlevents")


async def schedule(response: Response, client: df.DurableFunctionsClient) -> bool:
    """Start this response, unless it has been started before; says whether it did.

    The look comes first because older extensions ignore the reuse policy.
    """
    response = replace(response, traceparent=telemetry.current_traceparent())
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
