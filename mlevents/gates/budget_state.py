"""What the gate `budget` remembers of a key: who acts when, and who has notified people.

All that is decided depends on the times in the requests, not on when they arrive. A place that was given back
counts for a request of an earlier time, so a request that is repeated late gets the same answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

LATEST = timedelta(hours=1)
"""How late a message may come and still find what was given back in between."""
MOST_RETURNED = 100
"""Places that were given back and are remembered."""


@dataclass(frozen=True, slots=True)
class Request:
    """An attempt's question for a place at a time; `at_most` and `per` (seconds) are those of its rule."""

    attempt: str
    at: datetime
    at_most: int
    per: float

    @property
    def span(self) -> timedelta:
        """The length of the span."""
        return timedelta(seconds=self.per)

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` gives it back."""
        known = {"attempt": self.attempt, "at": self.at.isoformat()}
        return {**known, "at_most": self.at_most, "per": self.per}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        at = datetime.fromisoformat(document["at"])
        return cls(document["attempt"], at, document["at_most"], document["per"])


@dataclass(frozen=True, slots=True)
class Place:
    """An attempt acts at this time; `returned` is when it gave its place back."""

    attempt: str
    at: datetime
    returned: datetime | None = None

    def counts(self, at: datetime) -> bool:
        """Whether this place is taken for a request of this time."""
        return self.returned is None or self.returned > at

    def to_json(self) -> list[str | None]:
        """The place as JSON; `from_json` gives it back."""
        return [self.attempt, self.at.isoformat(), self.returned.isoformat() if self.returned else None]

    @classmethod
    def from_json(cls, document: Sequence[str | None]) -> Self:
        """What `to_json` wrote."""
        attempt, at, returned = document
        parsed = datetime.fromisoformat(returned) if returned else None
        return cls(attempt or "", datetime.fromisoformat(at or ""), parsed)


def is_same_response(one: str, other: str) -> bool:
    """Whether two attempts are of one response."""
    return one.partition("~")[0] == other.partition("~")[0]


@dataclass(slots=True)
class BudgetState:
    """The places of a key. `notifier` notified people of a span that is exhausted until `exhausted`."""

    places: list[Place]
    notifier: str | None = None
    exhausted: datetime | None = None

    def take(self, asked: Request) -> dict[str, Any]:
        """Give the response a place at its time, if the budget has one; `notify` says to notify people.

        A repeated request changes nothing. A rerun keeps the place of the attempt that acted.
        """
        own = [place for place in self.places if is_same_response(place.attempt, asked.attempt)]
        if any(place.at >= asked.at or self._holds(place, asked) for place in own):
            return {"acts": True}
        full = self._find_exhausted_span(asked)
        if full:
            return self._refuse(asked, full)
        self._return_own(asked)
        self.places.append(Place(asked.attempt, asked.at))
        return {"acts": True}

    def give_back(self, asked: Request) -> dict[str, Any]:
        """Free the places of the attempt."""
        self._return_own(asked)
        return {}

    def _holds(self, place: Place, asked: Request) -> bool:
        """Whether an earlier attempt of a response has a place that counts still."""
        return place.attempt != asked.attempt and place.counts(asked.at) and asked.at - place.at < asked.span

    def _return_own(self, asked: Request) -> None:
        self.places = [
            replace(place, returned=asked.at)
            if place.attempt == asked.attempt and place.returned is None and place.at <= asked.at
            else place
            for place in self.places
        ]

    def _find_exhausted_span(self, asked: Request) -> list[datetime]:
        """The times in the latest span that one more at this time would overfill, in order; else none."""
        times = sorted(
            place.at
            for place in self.places
            if place.counts(asked.at) and not is_same_response(place.attempt, asked.attempt)
        )
        for end in range(len(times), asked.at_most - 1, -1):
            full = times[end - asked.at_most : end]
            if max(full[-1], asked.at) - min(full[0], asked.at) < asked.span:
                return full
        return []

    def _refuse(self, asked: Request, full: Sequence[datetime]) -> dict[str, Any]:
        if self.exhausted is None or asked.at >= self.exhausted:
            self.notifier, self.exhausted = asked.attempt, full[-1] + asked.span
        return {
            "acts": False,
            "since": full[0].isoformat(timespec="seconds"),
            "next": (full[0] + asked.span).isoformat(timespec="seconds"),
            "notify": is_same_response(self.notifier or "", asked.attempt),
        }

    def forget_old(self, asked: Request) -> datetime:
        """Leave out what is too old for any request; gives the time when nothing here counts any more."""
        newest = max([asked.at, *(place.at for place in self.places)])
        oldest = newest - asked.span - LATEST
        returned = [place for place in self.places if place.returned and place.returned > newest - LATEST]
        remembered = set(sorted(returned, key=lambda one: (one.at, one.attempt))[-MOST_RETURNED:])
        self.places = [
            place
            for place in self.places
            if place.at > oldest and (place.returned is None or place in remembered)
        ]
        return newest + asked.span + LATEST

    def to_json(self) -> dict[str, Any]:
        """The state as JSON; `from_json` gives it back."""
        exhausted = self.exhausted.isoformat() if self.exhausted else None
        places = [place.to_json() for place in sorted(self.places, key=lambda one: (one.at, one.attempt))]
        return {"places": places, "notifier": self.notifier, "exhausted": exhausted}

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> Self:
        """What `to_json` wrote; None for a state without places."""
        if document is None:
            return cls([])
        exhausted = datetime.fromisoformat(document["exhausted"]) if document["exhausted"] else None
        places = [Place.from_json(place) for place in document["places"]]
        return cls(places, document["notifier"], exhausted)
