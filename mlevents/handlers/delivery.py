"""What the event functions share: a delivery becomes durably scheduled responses."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import azure.durable_functions as df

from mlevents import telemetry
from mlevents.errors import ConfigError, RulesError
from mlevents.handlers.app_state import failures, rules, settings
from mlevents.handlers.event_recorder import record_event
from mlevents.handlers.floods import count_refused, keep_quarantined
from mlevents.handlers.scheduling import schedule
from mlevents.orchestration.messages import Response
from mlevents.responses.arrival_records import record_arrivals
from mlevents.responses.decision import decide
from mlevents.responses.delivery_plan import DeliveryOutcome
from mlevents.responses.tag_registration import record_registration
from mlevents.rules.extensions import report_extension_faults

log = logging.getLogger("mlevents")

KEEPERS = {"quarantined": keep_quarantined, "refused": count_refused}
"""What is done with events that lead to no rule."""


async def deliver(event: str, client: df.DurableFunctionsClient) -> DeliveryOutcome:
    """Schedule every response to an event, and say what came of it; when this returns, none can be lost.

    Whatever it raises makes Event Grid deliver again; what is scheduled already is not repeated.
    """
    with telemetry.trace_delivery() as delivery, report_extension_faults():
        now = datetime.now(UTC)
        try:
            responses = match_event(event, now)
        except ConfigError as error:
            await record_failure(event, error, client)
            raise
        await record_arrivals(event, rules(), settings(), client, now)
        await record_registration(event, rules(), settings(), client, now)
        started = []
        for response in responses:
            with telemetry.log_context({telemetry.RESPONSE: response.id, telemetry.RULE: response.rule}):
                keeper = None if response.rule else KEEPERS.get(response.status)
                kept = keeper(response, client, now) if keeper else schedule(response, client)
                started.append(await kept)
        disabled = settings().mode == "disabled"
        delivery.outcome = "disabled" if disabled else outcome(responses, started)
        await record_event(event, rules(), settings(), client, (delivery.outcome, responses, ""))
        return DeliveryOutcome(delivery.outcome, tuple(responses))


def match_event(event: str, now: datetime) -> list[Response]:
    """The responses to an event; what an extension raises meanwhile is a failure of the rules from now on."""
    loaded = rules()
    try:
        with report_extension_faults():
            return decide(event, loaded, settings(), now)
    except RulesError as error:
        if str(error) not in map(str, failures):
            failures.append(error)
        raise


async def record_failure(event: str, error: ConfigError, client: df.DurableFunctionsClient) -> None:
    """Record an event that is delivered again later, because the settings or the rules are broken."""
    with suppress(ConfigError):
        await record_event(event, None, settings(), client, ("failed", (), str(error)))


def outcome(responses: Sequence[Response], started: Sequence[bool]) -> str:
    """What came of a delivery, in a word; `started` says for each response whether it began now."""
    if not responses:
        return "unmatched"
    if not any(started):
        return "redelivered"
    return "matched" if responses[0].rule else responses[0].status
