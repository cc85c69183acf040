"""What the five event functions share: a delivery becomes durably scheduled responses."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import azure.durable_functions as df
import grpc
from durabletask.internal.orchestrator_service_pb2 import OrchestrationIdReusePolicy

from mlevents import telemetry
from mlevents.responses import function_names
from mlevents.responses.decide import decide
from mlevents.responses.json_text import to_text
from mlevents.responses.response import Response
from mlevents.rules.file import load
from mlevents.rules.model import Rules
from mlevents.settings import Settings

log = logging.getLogger("mlevents")

REPLACE_NOTHING = OrchestrationIdReusePolicy(replaceableStatus=[])
"""No earlier instance of the id is replaced, whatever its status: the extension answers ALREADY_EXISTS."""


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
    with telemetry.delivery() as delivery:
        responses = decide(event, rules(), settings(), datetime.now(UTC))
        started = []
        for response in responses:
            with telemetry.about({telemetry.RESPONSE: response.id, telemetry.RULE: response.rule}):
                started.append(await schedule(response, client))
        delivery.outcome = outcome(responses, started)


def outcome(responses: Sequence[Response], started: Sequence[bool]) -> str:
    """What came of a delivery, in a word; `started` says for each response whether it began now."""
    if not responses:
        return "unmatched"
    if not any(started):
        return "redelivered"
    return "matched" if responses[0].rule else responses[0].status


async def schedule(response: Response, client: df.DurableFunctionsClient) -> bool:
    """Start this response, unless it has been started before; says whether it did.

    The look comes first because older extensions ignore the reuse policy.
    """
    response = replace(response, traceparent=telemetry.traceparent())
    if await client.get_orchestration_state(response.id, fetch_payloads=False):
        log.info("response %s exists already: a redelivery", response.id)
        return False
    try:
        await client.schedule_new_orchestration(
            function_names.RESPOND_TO_EVENT,
            input=to_text(response.to_json()),
            instance_id=response.id,
            reuse_id_policy=REPLACE_NOTHING,
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise
        log.info("response %s was started by another delivery at the same moment", response.id)
        return False
    log.info("response %s to event %s: %s", response.id, response.event.id, response.status)
    return True
