"""Recording events costs no delivery: bounded memory, few batches, and no error that gets out."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from azure.durable_functions import DurableFunctionsClient

from mlevents.handlers.event_recorder import CLIENT_FIELDS, MOST_WAITING, EventRecorder, copy_client
from mlevents.settings import Settings

RAW = json.dumps({"id": "1", "eventType": "x", "subject": "s"})


class TaskHub:
    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.batches, self.closed = error, list[int](), 0

    async def signal_entity(self, _entity: Any, _operation: str, text: str) -> None:
        if self.error:
            raise self.error
        self.batches.append(len(json.loads(text)["events"]))

    async def close(self) -> None:
        self.closed += 1


def make_recorder() -> EventRecorder:
    return EventRecorder(lambda client: client)


def record(recorder: EventRecorder, hub: Any, count: int) -> list[int]:
    """Deliver so many events at once; gives the batches that were stored when the last delivery ended."""

    async def deliveries() -> list[int]:
        async def one() -> None:
            recorder.add(RAW, None, datetime.now(UTC), ("unmatched", (), ""))
            await recorder.flush(hub, Settings())

        await asyncio.gather(*(one() for _ in range(count)))
        stored = list(hub.batches)
        if recorder.later:
            await recorder.later
        return stored

    return asyncio.run(deliveries())


def test_a_single_event_is_stored_at_once_and_a_burst_in_one_batch():
    recorder, hub = make_recorder(), TaskHub()
    record(recorder, hub, 1)
    record(recorder, hub, 20)
    assert hub.batches == [1, 20]


def test_no_delivery_waits_for_the_end_of_the_pause():
    recorder, hub = make_recorder(), TaskHub()
    record(recorder, hub, 1)
    assert record(recorder, hub, 3) == [1]
    assert (hub.batches, hub.closed) == ([1, 3], 1)


def test_the_client_of_the_background_is_one_of_its_own():
    host = {"taskHubName": "mlevents", "rpcBaseUrl": "http://127.0.0.1:9", "maxGrpcMessageSizeInBytes": 16}

    async def copies() -> tuple[DurableFunctionsClient, DurableFunctionsClient]:
        first = DurableFunctionsClient(json.dumps(host))
        second = copy_client(first)
        await first.close()
        await second.close()
        return first, second

    first, second = asyncio.run(copies())
    assert first is not second
    assert [getattr(second, name) for name in CLIENT_FIELDS] == ["mlevents", "", "http://127.0.0.1:9", 16]


def test_a_flood_fills_no_more_than_its_place():
    recorder, hub = make_recorder(), TaskHub()
    record(recorder, hub, 1)
    record(recorder, hub, 10 * MOST_WAITING)
    assert hub.batches == [1, MOST_WAITING]


def test_a_hub_that_does_not_answer_fails_no_delivery():
    recorder = make_recorder()
    record(recorder, TaskHub(RuntimeError("gone")), 3)
    assert not recorder.waiting
