"""What was published, and what became of it: each event with its delivery to each function.

`GET …/journal?after=7` lists the events after the one with this number, `?id=…` those with this id.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.event_grid.event_schemas import Event, moment
from sandbox.event_grid.retry_policy import PROBATION

KEPT = 2000
PENDING, DELIVERED, DROPPED, DEAD = "pending", "delivered", "dropped", "dead"


@dataclass(slots=True)
class DeliveryRecord:
    """One event on its way to one function.

    `began` is in Azure's seconds. `status` is the last answer's, `because` which events the
    filter takes, where it dropped this one.
    """

    published: datetime
    began: float
    function: str = ""
    state: str = PENDING
    because: str | None = None
    attempts: int = 0
    status: int = 0
    outcome: str = PROBATION
    tried: datetime = field(default_factory=lambda: datetime.now(UTC))

    def to_json(self) -> dict[str, Any]:
        """The delivery as the journal lists it."""
        names = ("function", "state", "because", "attempts", "status")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Publication:
    """One published event with its deliveries; `number` counts from 1."""

    number: int
    time: datetime
    event: Event
    deliveries: list[DeliveryRecord] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """Whether each delivery has ended, or a retry is under way."""
        return all(one.state != PENDING or one.attempts > 1 for one in self.deliveries)

    def to_json(self) -> dict[str, Any]:
        """The event as the journal lists it."""
        deliveries = [one.to_json() for one in self.deliveries]
        return {
            "number": self.number,
            "time": moment(self.time),
            "event": self.event,
            "deliveries": deliveries,
        }


class PublicationJournal:
    """The last publications, the oldest first."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._count = 0
        self._kept: deque[Publication] = deque(maxlen=KEPT)

    def add_event(self, event: Event) -> Publication:
        """Enter an event that was published now."""
        self._count += 1
        publication = Publication(self._count, self._now(), event)
        self._kept.append(publication)
        return publication

    def list_latest(self, count: int) -> list[Publication]:
        """The latest publications, the newest first."""
        return list(self._kept)[: -count - 1 : -1]

    def find_event(self, id: str) -> Publication | None:
        """The latest publication of the event with this id."""
        return next((one for one in reversed(self._kept) if one.event.get("id") == id), None)

    async def list_publications(self, request: web.Request) -> web.Response:
        """Answer `GET`; `last` is the number of the latest event, listed or not."""
        after, wanted = request.query.get("after", "0"), request.query.get("id")
        if not after.isdigit():
            return web.json_response({"error": f"after is '{after:.100}': give a number"}, status=400)
        found = [one.to_json() for one in self._after(int(after)) if wanted in (None, one.event.get("id"))]
        return web.json_response({"events": found, "last": self._count})

    def _after(self, number: int) -> Iterator[Publication]:
        return (one for one in self._kept if one.number > number)
