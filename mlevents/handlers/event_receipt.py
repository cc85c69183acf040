"""What an event function does with its event: most events match no rule, and a new worker says so at once."""

import azure.durable_functions as df

from mlevents import telemetry
from mlevents.errors import ConfigError
from mlevents.handlers.app_state import are_rules_loaded, outline, settings
from mlevents.handlers.late_function import load_function
from mlevents.responses.exclusion import find_excluded, report_excluded


async def receive_event(raw: str, client: df.DurableFunctionsClient) -> None:
    """Deliver an event, given as the JSON of one; whatever it raises makes Event Grid deliver again."""
    if are_rules_loaded() or not await exclude_event(raw, client):
        from mlevents.handlers.preload import DELIVERY, start_preload

        start_preload()
        await load_function(DELIVERY)(raw, client)


async def exclude_event(raw: str, client: df.DurableFunctionsClient) -> bool:
    """Count, log and record an event that certainly matches no rule, and say whether it is one.

    It is none where the rules have no outline, or where the settings are broken: `deliver` says so.
    """
    try:
        known = outline()
    except ConfigError:
        return False
    if known is None or not (event := find_excluded(raw, known, settings())):
        return False
    with telemetry.trace_delivery() as delivery:
        report_excluded(event, known)
        delivery.outcome = "unmatched"
        if settings().recent_events:
            from mlevents.handlers.event_recorder import record_event

            await record_event(raw, known, settings(), client, (delivery.outcome, (), ""))
    return True
