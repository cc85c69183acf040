"""Recording events costs no delivery: bounded memory, few batches, and no error that gets out."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from mlevents.handlers.event_recorder import MOST_WAITING, EventRecorder
from mlevents.settings import Settings

RAW = json.dumps({"id": "1", "eventType": "x", "subject": "s"})


class TaskHub:
    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.batches = error, list[int]()

    async def signal_entity(self, _entity: Any, _operation: str, text: str) -> None:
        if self.error:
            raise self.error
        self.batches.append(len(json.loads(text)["events"]))


def record(recorder: EventRecorder, hub: Any, count: int) -> None:
    async def deliveries() -> None:
        async def one() -> None:
            recorder.add(RAW, None, datetime.now(UTC), ("unmatched", (), ""))
            await recorder.flush(hub, Settings())

        await asyncio.gather(*(one() for _ in range(count)))

    asyncio.run(deliveries())


def test_a_single_event_is_stored_at_once_and_a_burst_in_one_batch():
    recorder, hub = EventRecorder(), TaskHub()
    record(recorder, hub, 1)
    record(recorder, hub, 20)
    assert hub.batches == [1, 20]


def test_a_flood_fills_no_more_than_its_place():
    recorder, hub = EventRecorder(), TaskHub()
    record(recorder, hub, 1)
    record(recorder, hub, 10 * MOST_WAITING)
    assert hub.batches == [1, MOST_WAITING]


def test_a_hub_that_does_not_answer_fails_no_delivery():
    recorder = EventRecorder()
    record(recorder, TaskHub(RuntimeError("gone")), 3)
    assert not recorder.waiting
