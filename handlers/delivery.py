"""What the five event functions share: a delivery becomes durably scheduled responses."""

import json
import logging
from datetime import UTC, datetime
from functools import cache

import azure.durable_functions as df
import grpc

from mlevents.responses.decide import decide
from mlevents.responses.response import Response
from mlevents.rules.file import load
from mlevents.rules.model import Rules
from mlevents.settings import Settings

log = logging.getLogger("mlevents")


@cache
def settings() -> Settings:
    """This process's settings."""
    return Settings.read()


@cache
def rules() -> Rules:
    """The rule file, loaded once a process; raises RulesError for each delivery while it is broken."""
    return load(settings().rules, settings())


async def deliver(event: str, client: df.DurableFunctionsClient) -> None:
    """Schedule every response to an event; when this returns, none can be lost.

    Whatever it raises makes Event Grid deliver again; what is scheduled already is not repeated.
    """
    for response in decide(event, rules(), settings(), datetime.now(UTC)):
        await schedule(response, client)


async def schedule(response: Response, client: df.DurableFunctionsClient) -> None:
    """Start this response, unless it has been started before."""
    if await client.get_orchestration_state(response.id, fetch_payloads=False):
        log.info("response %s exists already: a redelivery", response.id)
        return
    try:
        await client.schedule_new_orchestration(
            "response", input=json.dumps(response.to_json()), instance_id=response.id
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise
        log.info("response %s was started by a delivery at the same moment", response.id)
    else:
        log.info("response %s to event %s: %s", response.id, response.event.id, response.status)
