"""Records recent events: best effort, in batches, and never at the cost of a delivery.

The first event after a pause is stored at once. Of those that follow within `BATCH_PAUSE` the first waits
for the end of it, after everything else was done for its delivery, and stores all; the others go on at once.
What a flood brings beyond `MOST_WAITING` is not recorded. A task in the background would be lost with the
client of the task hub, which is closed when the invocation ends.
"""

import asyncio
import logging
import os
import time
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import azure.durable_functions as df

from mlevents.orchestration.json_message import Json
from mlevents.responses.recent_events import (
    SHARDS,
    RecentEvent,
    cut_event,
    find_failed_conditions,
    shorten,
    store_events,
)
from mlevents.settings import Settings

BATCH_PAUSE = 0.5
"""Seconds between two batches of one instance of the app."""
MOST_WAITING, PATIENCE = 50, 2.0

if TYPE_CHECKING:
    from mlevents.orchestration.messages import Response
    from mlevents.rules.model import Rules
    from mlevents.rules.rules_outline import RulesOutline

log = logging.getLogger("mlevents")

type Decided = tuple[str, Sequence[Response], str]
"""What was decided about an event, its responses, and the error that ended the delivery."""


class EventRecorder:
    """The events that this instance of the app has yet to store."""

    def __init__(self) -> None:
        self.waiting: deque[Json] = deque()
        self.shard = (os.getpid() + uuid.getnode()) % SHARDS
        self.stored_at, self.is_about_to_store = -BATCH_PAUSE, False

    def add(self, raw: str, rules: "Rules | RulesOutline | None", now: datetime, decided: Decided) -> None:
        """Keep an event in memory, if there is room."""
        if len(self.waiting) >= MOST_WAITING:
            return
        decision, responses, error = decided
        event, failed = find_failed_conditions(raw, rules)
        found = RecentEvent(
            key=uuid.uuid4().hex,
            received=now.isoformat(),
            id=event.id,
            type=event.type,
            subject=event.subject,
            time=event.time,
            topic=event.topic,
            decision=decision,
            because=shorten(error or next((one.because for one in responses if one.because), None)),
            responses=tuple(one.id for one in responses),
            rules=failed,
            event=event.to_json() if event.kinds else None,
        )
        self.waiting.append(cut_event(found))

    async def flush(self, client: df.DurableFunctionsClient, settings: Settings) -> None:
        """Store what waits, once a pause, unless another delivery will; a failure is only logged."""
        if self.is_about_to_store or not self.waiting:
            return
        self.is_about_to_store = True
        try:
            await asyncio.sleep(max(0.0, self.stored_at + BATCH_PAUSE - time.monotonic()))
        finally:
            self.is_about_to_store, self.stored_at = False, time.monotonic()
        batch = list(self.waiting)
        self.waiting.clear()
        limits = (settings.recent_events, settings.recent_events_days * 86_400.0)
        try:
            await asyncio.wait_for(store_events(client, self.shard, batch, limits), PATIENCE)
        except Exception:
            log.warning("%d recent events were not recorded", len(batch), exc_info=True)


recorder = EventRecorder()


async def record_event(
    raw: str,
    rules: "Rules | RulesOutline | None",
    settings: Settings,
    client: df.DurableFunctionsClient,
    decided: Decided,
) -> None:
    """Record one delivered event, unless the setting is 0; never raises."""
    if not settings.recent_events:
        return
    try:
        recorder.add(raw, rules, datetime.now(UTC), decided)
    except Exception:
        log.warning("a recent event was not recorded", exc_info=True)
    await recorder.flush(client, settings)
