"""Records recent events: best effort, in batches, and never at the cost of a delivery.

The first event after a pause is stored at once. Those that follow within `BATCH_PAUSE` are stored together
at its end, in the background: a delivery that waited for it would keep its caller, and on Azure an instance,
for half a second. The client of a delivery is closed when the delivery ends, so the background has its own.
What a flood brings beyond `MOST_WAITING` is not recorded.
"""

import asyncio
import json
import logging
import os
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
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
CLIENT_FIELDS = ("taskHubName", "requiredQueryStringParameters", "rpcBaseUrl", "maxGrpcMessageSizeInBytes")
"""What a client of the task hub needs to connect, as the host names it."""

if TYPE_CHECKING:
    from mlevents.orchestration.messages import Response
    from mlevents.rules.model import Rules
    from mlevents.rules.rules_outline import RulesOutline

log = logging.getLogger("mlevents")

type Decided = tuple[str, Sequence[Response], str]
"""What was decided about an event, its responses, and the error that ended the delivery."""


def copy_client(client: df.DurableFunctionsClient) -> df.DurableFunctionsClient:
    """A client of the same task hub that stays open when the delivery of the other one ends."""
    return df.DurableFunctionsClient(json.dumps({name: getattr(client, name) for name in CLIENT_FIELDS}))


class EventRecorder:
    """The events that this instance of the app has yet to store; `later` stores them after the pause."""

    def __init__(self, copy: Callable[[df.DurableFunctionsClient], df.DurableFunctionsClient]) -> None:
        self.copy = copy
        self.waiting: deque[Json] = deque()
        self.shard = (os.getpid() + uuid.getnode()) % SHARDS
        self.stored_at = -BATCH_PAUSE
        self.later: asyncio.Task[None] | None = None

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
        """Store what waits, now or after the pause; a failure is only logged."""
        if not self.waiting or (self.later and not self.later.done()):
            return
        pause = self.stored_at + BATCH_PAUSE - time.monotonic()
        if pause > 0:
            self.later = asyncio.create_task(self._store_later(pause, client, settings))
        else:
            await self._store(client, settings)

    async def _store_later(self, pause: float, client: df.DurableFunctionsClient, settings: Settings) -> None:
        own = self.copy(client)
        try:
            while self.waiting:
                await asyncio.sleep(pause)
                await self._store(own, settings)
                pause = BATCH_PAUSE
        finally:
            await own.close()

    async def _store(self, client: df.DurableFunctionsClient, settings: Settings) -> None:
        self.stored_at = time.monotonic()
        batch = list(self.waiting)
        self.waiting.clear()
        limits = (settings.recent_events, settings.recent_events_days * 86_400.0)
        try:
            await asyncio.wait_for(store_events(client, self.shard, batch, limits), PATIENCE)
        except Exception:
            log.warning("%d recent events were not recorded", len(batch), exc_info=True)


recorder = EventRecorder(copy_client)


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
