"""The groups of events of one key, as the gate `group` stores them: pure, and each question may come twice.

Each response asks with its id and its event. The first one that finds no open group leads a new one. A group
is closed once: by its leader when its time is over or it is full, or long after that by any member, because
the leader may have been terminated. The response that closes a group acts for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

TAKEOVER_DELAY = timedelta(minutes=10)
"""How long after its end a group waits for its leader; then the first member that asks closes it."""
REMEMBERED, LONGEST_OPEN = timedelta(days=1), timedelta(days=30)
"""How long a closed group is remembered, for responses that ask again; and one that nobody has closed."""
MOST_COMPLETE, MOST_GROUPS = 20, 500
"""Closed groups of a key that keep their events, and that are remembered at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGroup:
    """Some events of a key: `members` are the responses, `events` the names of their events, in one order.

    `left` are members that operators cancelled before the group was closed. `closes` is when its time is
    over, ISO 8601.
    """

    leader: str
    closes: str
    at_most: int
    members: tuple[str, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    left: tuple[str, ...] = ()
    closed: bool = False

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The group that `asdict` wrote."""
        lists = {name: tuple(document[name]) for name in ("members", "events", "left")}
        return cls(**{**document, **lists})

    @property
    def end(self) -> datetime:
        """When its time is over."""
        return datetime.fromisoformat(self.closes)

    @property
    def expires(self) -> datetime:
        """When nothing needs it any more."""
        return self.end + (REMEMBERED if self.closed else LONGEST_OPEN)

    @property
    def is_full(self) -> bool:
        """Whether it has as many events as it takes."""
        return len(self.members) >= self.at_most

    def takes_event_at(self, at: datetime) -> bool:
        """Whether an event of this time may join."""
        return not self.closed and not self.is_full and at < self.end

    def join(self, response: str, event: Mapping[str, Any]) -> Self:
        """The group with one more member."""
        return replace(self, members=(*self.members, response), events=(*self.events, event))

    def leave(self, response: str) -> Self:
        """The group without a member, whose event nobody acts on; the next member leads it."""
        pairs = [pair for pair in zip(self.members, self.events, strict=True) if pair[0] != response]
        members = tuple(member for member, _ in pairs)
        leader = self.leader if self.leader in members else next(iter(members), self.leader)
        events, left = tuple(event for _, event in pairs), (*self.left, response)
        return replace(self, leader=leader, members=members, events=events, left=left, closed=not members)

    def close_if_due(self, response: str, at: datetime) -> Self:
        """The group, closed by this member if its time has come."""
        if self.closed or response in self.left:
            return self
        due = self.is_full or at >= self.end
        if (response == self.leader and due) or at >= self.end + TAKEOVER_DELAY:
            return replace(self, closed=True, leader=response)
        return self


def find_group(groups: Iterable[EventGroup], response: str) -> EventGroup | None:
    """The group that this response has joined, or has left."""
    return next((one for one in groups if response in (*one.members, *one.left)), None)


def find_open_group(groups: Iterable[EventGroup], at: datetime) -> EventGroup | None:
    """The latest group that an event of this time may join."""
    return max((one for one in groups if one.takes_event_at(at)), key=lambda one: one.end, default=None)


def forget_groups(groups: Iterable[EventGroup], now: datetime) -> list[EventGroup]:
    """The groups that are still needed, old ones without their events."""
    kept = [one for one in groups if one.expires > now]
    closed = [one for one in kept if one.closed][::-1]
    forgotten = {id(one) for one in closed[MOST_GROUPS:]}
    emptied = {id(one) for one in closed[MOST_COMPLETE:]}
    return [
        replace(one, events=()) if id(one) in emptied else one for one in kept if id(one) not in forgotten
    ]


def write_groups(groups: Iterable[EventGroup]) -> dict[str, Any]:
    """The groups as JSON."""
    return {"groups": [asdict(one) for one in groups]}


def read_groups(state: Mapping[str, Any] | None) -> list[EventGroup]:
    """The groups that `write_groups` wrote; none before the first event."""
    return [EventGroup.from_json(one) for one in (state or {}).get("groups", ())]
