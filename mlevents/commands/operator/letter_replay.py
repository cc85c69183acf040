"""Replays dead letters one after the other: what each would lead to, its delivery, and what came of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn

from mlevents.canonical import canonical_event_id, canonical_resource_id
from mlevents.errors import EventError
from mlevents.eventgrid.dead_letter_store import StoredLetter
from mlevents.events.dead_letter import DeadLetter


class LetterResult(StrEnum):
    """What becomes of a dead letter; `delivered` where the app's API does not say more."""

    NEW = "new"
    ALREADY_THERE = "already_there"
    UNMATCHED = "unmatched"
    REFUSED = "refused"
    TOO_OLD = "too_old"
    QUARANTINED = "quarantined"
    DISABLED = "disabled"
    DELIVERED = "delivered"
    FAILED = "failed"
    NOT_SENT = "not_sent"

    @property
    def is_problem(self) -> bool:
        """Whether a person has to look at it."""
        return self not in _FINE


_FINE = (LetterResult.NEW, LetterResult.ALREADY_THERE, LetterResult.UNMATCHED, LetterResult.DELIVERED)
_MAX_AGE = "max_age"
MOST_DELIVERIES, _FIRST_WAIT = 3, 1.0
"""Deliveries of one event before it counts as failed, and seconds before the second; the wait doubles."""
_RETRIED = (None, 408, 429, 500, 502, 503, 504)
MOST_FAILURES = 5
"""Failures in a row after which the others are not sent: the app is down."""

Plan = Mapping[str, Any]
"""A DeliveryPlan as JSON."""


@dataclass(frozen=True, slots=True)
class ReplayedLetter:
    """One dead letter and what became of it; `responses` are those that it concerns, as in its plan."""

    blob: str
    letter: DeadLetter
    result: LetterResult
    detail: str = ""
    responses: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        names = ("id", "type", "subject", "time", "reason", "outcome", "attempts", "published")
        about = {name: getattr(self.letter, name) for name in names}
        said = {"result": str(self.result), "detail": self.detail, "responses": list(self.responses)}
        return {"blob": self.blob, **about, **said}


@dataclass(slots=True)
class LetterReplay:
    """One replay. `plan` says what a delivery would lead to, None if nobody knows; `deliver` delivers.

    Without `deliver` nothing is sent. `rate` is the most deliveries in a second.
    """

    plan: Callable[[DeadLetter], Plan | None]
    deliver: Callable[[DeadLetter], Mapping[str, Any]] | None
    rate: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _known: set[tuple[str, str]] = field(default_factory=set)
    _failed: int = 0
    _next: float = 0.0

    def replay(self, stored: StoredLetter) -> ReplayedLetter:
        """Replay one dead letter; what is sent twice acts once, so this may be interrupted anywhere."""
        letter = stored.letter
        if isinstance(letter, EventError):
            raise letter
        same = canonical_resource_id(letter.topic), canonical_event_id(letter.id)
        if letter.id and same in self._known:
            return ReplayedLetter(
                stored.blob, letter, LetterResult.ALREADY_THERE, "another dead letter has the same event"
            )
        self._known.add(same)
        if self._failed >= MOST_FAILURES:
            return ReplayedLetter(
                stored.blob, letter, LetterResult.NOT_SENT, "the deliveries before it failed"
            )
        result, detail, responses = self._settle(letter)
        self._failed = self._failed + 1 if result == LetterResult.FAILED else 0
        return ReplayedLetter(stored.blob, letter, result, detail, responses)

    def _settle(self, letter: DeadLetter) -> tuple[LetterResult, str, tuple[Mapping[str, Any], ...]]:
        planned = self.plan(letter)
        responses = tuple(planned["responses"]) if planned else ()
        result, detail = judge_plan(planned)
        if self.deliver is None or result == LetterResult.TOO_OLD:
            return result, detail, responses
        answer = self._send(letter)
        if answer["accepted"]:
            return result, detail, responses
        said = f"it answered {answer['status']}" if answer["status"] else "no answer"
        return LetterResult.FAILED, f"{said}: {answer['answer']}".removesuffix(": "), responses

    def _send(self, letter: DeadLetter) -> Mapping[str, Any]:
        """Deliver, a few times if that may help; the pause between deliveries spares the app."""
        assert self.deliver is not None
        wait = _FIRST_WAIT
        for attempt in range(1, MOST_DELIVERIES + 1):
            self.sleep(max(0.0, self._next - self.clock()))
            self._next = self.clock() + 1 / self.rate
            answer = self.deliver(letter)
            if answer["accepted"] or answer["status"] not in _RETRIED or attempt == MOST_DELIVERIES:
                return answer
            self.sleep(wait)
            wait *= 2
        return _unreachable()


def judge_plan(planned: Plan | None) -> tuple[LetterResult, str]:
    """What a delivery leads to, in a word and in a sentence.

    An event that `max_age` alone stops is too old: delivered, it would be recorded as stopped, and could
    not act any more.
    """
    if planned is None:
        return LetterResult.DELIVERED, ""
    if planned["decision"] != "matched":
        return LetterResult(planned["decision"]), planned["because"] or ""
    new = [one for one in planned["responses"] if one["existing"] is None]
    old = [one for one in new if one["gate"] == _MAX_AGE]
    if new and len(old) == len(new):
        return LetterResult.TOO_OLD, "; ".join(f"{one['rule']}: {one['because']}" for one in old)
    return (LetterResult.NEW if new else LetterResult.ALREADY_THERE), "; ".join(
        map(_describe_planned, planned["responses"])
    )


def _describe_planned(one: Mapping[str, Any]) -> str:
    """One planned response in words."""
    if one["existing"]:
        return f"{one['rule']}: has its response, which is {one['existing']}"
    because = f" ({one['because']})" if one["because"] else ""
    return f"{one['rule']}: {'acts' if one['status'] == 'running' else one['status']}{because}"


def _unreachable() -> NoReturn:
    raise AssertionError("the last attempt returns")
