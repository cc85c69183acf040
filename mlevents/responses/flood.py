"""Floods: events in quarantine and refused events are counted in an entity, and stored up to a limit.

The entity EventFlood counts different events. It keeps the smallest of their digests, at most `EXACT`: adding
one twice, or two in another order, leaves the same state, so repeated and reordered messages change nothing.
Below `EXACT` the count is exact; above, it is estimated from the density of the digests, with an error of
about 2 %.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityContext, EntityInstanceId

from mlevents.canonical import canonical_resource_id, join_parts
from mlevents.orchestration.endpoint_lease import FORGET
from mlevents.orchestration.function_names import EVENT_FLOOD
from mlevents.responses.response_id import digest
from mlevents.rules.syntax import REFUSED

COUNT, TOTAL = "count", "total"
EXACT = 2000
DIGITS = 16
POSSIBLE = int("f" * DIGITS, 16) + 1
WINDOW = timedelta(hours=1)
MOST_STORED = 100
"""Texts of events in quarantine that are stored in each window."""
MOST_TOPICS = 100
"""Foreign topics that have a response of their own in each window."""
MOST_KEYS = 1000


def event_flood(context: EntityContext, mark: Any) -> int | None:
    """`count` with an event's mark counts it, once; `total` answers how many different ones were counted.

    `forget` empties the state of an old flood.
    """
    if context.operation == FORGET:
        context.set_state(None)
        return None
    marks = read_marks(context.get_state(str))
    if context.operation == TOTAL:
        return count_marks(marks)
    if context.operation != COUNT:
        raise ValueError(
            f"the entity EventFlood has the operations 'count' and 'total', not '{context.operation}'"
        )
    context.set_state(write_marks({*marks, str(mark)}))
    return None


async def read_total(client: AsyncTaskHubGrpcClient, flood: str) -> int:
    """How many different events of a flood were counted so far."""
    entity = await client.get_entity(EntityInstanceId(EVENT_FLOOD, flood))
    return count_marks(read_marks(entity.get_typed_state(str))) if entity else 0


def event_mark(text: str) -> str:
    """The mark by which an event is counted."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def read_marks(text: str | None) -> list[str]:
    """The marks in an entity's state."""
    found: list[str] = json.loads(text) if text else []
    return found


def write_marks(marks: Iterable[str]) -> str:
    """An entity's state: the smallest of these marks."""
    return json.dumps(sorted(set(marks))[:EXACT])


def count_marks(marks: list[str]) -> int:
    """How many different events have these marks."""
    if len(marks) < EXACT:
        return len(marks)
    return (EXACT - 1) * POSSIBLE // max(1, int(marks[-1], 16))


def storage_limit(began: datetime, now: datetime, most: int) -> int:
    """How many events may be stored by now: `most` in each window since a flood began."""
    return most * (1 + max(0, (now - began) // WINDOW))


def window_name(now: datetime) -> str:
    """The window of a time, as it is in ids."""
    return f"{now:%Y%m%dT%H}"


def topic_id(topic: str, window: str) -> str:
    """The id of the response that shows the refused events of one topic in one window."""
    return f"{REFUSED}.{digest(join_parts(REFUSED, canonical_resource_id(topic), window))}"


class Reservations:
    """How much of each flood this process has stored, or is about to.

    Deliveries run at the same time, and the entity counts a stored event only afterwards: without this, all
    deliveries of one moment would store theirs.
    """

    def __init__(self) -> None:
        self._taken: OrderedDict[str, int] = OrderedDict()

    def take(self, flood: str, most: int) -> bool:
        """Take one of `most` places, if there is one."""
        taken = self._taken.get(flood, 0)
        if taken >= most:
            return False
        self._taken[flood] = taken + 1
        self._taken.move_to_end(flood)
        while len(self._taken) > MOST_KEYS:
            self._taken.popitem(last=False)
        return True

    def give_back(self, flood: str) -> None:
        """Give back a place that was not needed."""
        self._taken[flood] = max(0, self._taken.get(flood, 0) - 1)
