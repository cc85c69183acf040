"""Begins the responses of rules for which no event came."""

import logging
from datetime import datetime

import azure.durable_functions as df

from mlevents.handlers.scheduling import schedule
from mlevents.responses.silence import list_silence_watches, look_for_silence, respond_to_silence
from mlevents.rules.model import Rules
from mlevents.settings import Settings

log = logging.getLogger("mlevents")


async def begin_silences(
    client: df.DurableFunctionsClient, rules: Rules, settings: Settings, now: datetime
) -> None:
    """Look at each rule with `expect: {every: …}`; one that fails does not hold up the others."""
    for watch in list_silence_watches(rules) if settings.mode != "disabled" else ():
        try:
            if event := await look_for_silence(watch, client, rules, now):
                await schedule(respond_to_silence(watch, event, rules, settings), client)
        except Exception:
            log.exception("rule %s: its expected events were not read: retried in 5 minutes", watch.rule.id)
