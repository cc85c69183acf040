"""Events that lead to no rule may come in floods: all are counted, and a limited number is stored.

An event of a rule never gets here, and reads no entity. The calls of the task hub for each event, each of
which is at least one storage transaction; a start and a signal also cause those of the orchestration or the
entity's operation:

- quarantined: 4 reads, 1 start and 1 signal; the first one of a flood also starts ReportFlood. Beyond the
  bound: 3 or 4 reads and 1 signal. A redelivery: 1 read.
- refused: the first of a topic in an hour 3 reads, 1 start and 2 signals; any other 1 read and 1 signal.
"""

import json
import logging
from dataclasses import replace
from datetime import datetime

import azure.durable_functions as df
from durabletask.entities import EntityInstanceId

from mlevents import telemetry
from mlevents.handlers.scheduling import schedule
from mlevents.orchestration.function_names import EVENT_FLOOD, REPORT_FLOOD
from mlevents.orchestration.messages import OpenFlood, Response
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import ENDED, REPLACE_ENDED, start
from mlevents.responses.flood import (
    COUNT,
    MOST_STORED,
    MOST_TOPICS,
    Reservations,
    event_mark,
    read_total,
    storage_limit,
    topic_id,
    window_name,
)
from mlevents.responses.flood_report import INSTANCE
from mlevents.responses.hub_state import input_of

TRIES = 5
"""How often to look for the ReportFlood that runs now, while others start and end it."""

log = logging.getLogger("mlevents")
_reservations = Reservations()


async def keep_quarantined(response: Response, client: df.DurableFunctionsClient, now: datetime) -> bool:
    """Store an event that cannot be understood, or only count it; says whether it is new."""
    if await client.get_orchestration_state(response.id, fetch_payloads=False):
        log.info("response %s exists already: a redelivery", response.id)
        return False
    flood = await find_or_start_report(response, client, now)
    most = storage_limit(datetime.fromisoformat(flood.began), now, MOST_STORED)
    record = replace(response, alert=False, on_failure=(), connections={})
    if not await store(record, client, flood.key, most):
        log_unstored(response, f"{most:,} events in quarantine are stored already")
    await count_in_flood(client, flood.key, response.id)
    reported = await find_or_start_report(response, client, now)
    if reported.key != flood.key:  # its report ended meanwhile, and may not have counted this event
        await count_in_flood(client, reported.key, response.id)
    return True


async def count_refused(response: Response, client: df.DurableFunctionsClient, now: datetime) -> bool:
    """Count an event of a foreign workspace; the first of its topic in an hour is stored, for the API."""
    window = window_name(now)
    first = replace(response, id=topic_id(response.event.topic, window))
    flood = first.id
    if not await client.get_orchestration_state(first.id, fetch_payloads=False):
        topics = f"refused.{window}"
        if await store(first, client, topics, MOST_TOPICS):
            await count_in_flood(client, topics, first.id)
        else:
            log_unstored(response, f"{MOST_TOPICS} foreign topics are stored already in this hour")
            flood = f"{topics}.others"
    await count_in_flood(client, flood, response.id)
    return True


async def store(response: Response, client: df.DurableFunctionsClient, flood: str, most: int) -> bool:
    """Start a response unless the flood has reached its limit; says whether it is stored now."""
    if not _reservations.take(flood, most):
        return False
    try:
        room = await read_total(client, flood) < most
        started = room and await schedule(response, client)
    except BaseException:
        _reservations.give_back(flood)
        raise
    if not started:
        _reservations.give_back(flood)
    return room


async def find_or_start_report(
    response: Response, client: df.DurableFunctionsClient, now: datetime
) -> OpenFlood:
    """The flood that is reported now; the first event of one starts the report, and is its first message."""
    flood = OpenFlood(f"quarantine.{now:%Y%m%dT%H%M%S%f}", now.isoformat())
    notified = response.on_failure if response.alert else ()
    report = replace(response, raw=None, on_failure=notified, flood=flood)
    for _ in range(TRIES):
        state = await client.get_orchestration_state(INSTANCE)
        if state is not None and state.runtime_status not in ENDED:
            reported = Response.from_json(input_of(state)).flood
            if reported is not None:
                return reported
        if await start(client, REPORT_FLOOD, to_text(report.to_json()), INSTANCE, REPLACE_ENDED):
            return flood
    raise RuntimeError(f"{INSTANCE} neither runs nor starts: the event is delivered again")


async def count_in_flood(client: df.DurableFunctionsClient, flood: str, what: str) -> None:
    """Count one event, or topic, of a flood."""
    await client.signal_entity(EntityInstanceId(EVENT_FLOOD, flood), COUNT, event_mark(what))


def log_unstored(response: Response, why: str) -> None:
    """Log an event that is stored nowhere else."""
    event = {name: getattr(response.event, name) for name in ("id", "type", "subject", "topic")}
    words = (response.event.id, response.status, why, json.dumps(event))
    log.error("event %.300s (%s) is NOT stored, because %s: %.2000s", *words)
    telemetry.count_unstored(response.status)
