"""A replay delivers politely, sends no event twice, and says what came of each dead letter."""

from collections.abc import Mapping
from typing import Any

import pytest

from mlevents.commands.operator.letter_replay import (
    MOST_DELIVERIES,
    MOST_FAILURES,
    LetterReplay,
    LetterResult,
    judge_plan,
)
from mlevents.eventgrid.dead_letter_store import StoredLetter
from mlevents.events.dead_letter import DeadLetter

TOPIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
NEW, THERE, FAILED = LetterResult.NEW, LetterResult.ALREADY_THERE, LetterResult.FAILED
TOO_OLD, NOT_SENT = LetterResult.TOO_OLD, LetterResult.NOT_SENT
ACCEPTED = {"accepted": True, "status": 202, "answer": ""}
BUSY = {"accepted": False, "status": 503, "answer": "starting"}
REFUSED = {"accepted": False, "status": 404, "answer": "cannot find function"}


def planned(**more: Any) -> dict[str, Any]:
    return {
        "id": "r.1",
        "rule": "r",
        "status": "running",
        "because": None,
        "gate": None,
        "existing": None,
    } | more


def plan(*responses: Mapping[str, Any], decision: str = "matched") -> dict[str, Any]:
    return {"decision": decision, "because": None, "responses": list(responses)}


class World:
    """An app that gives these answers, one after the other and then the last one, and a clock."""

    def __init__(self, *answers: Mapping[str, Any], rate: float = 10.0) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[float, str]] = []
        self.now = 0.0
        self.plans: list[dict[str, Any]] = []
        self.replay = LetterReplay(self.plan, self.deliver, rate, self.sleep, lambda: self.now)

    def plan(self, letter: DeadLetter) -> dict[str, Any]:
        return self.plans.pop(0) if self.plans else plan(planned())

    def deliver(self, letter: DeadLetter) -> Mapping[str, Any]:
        self.sent.append((round(self.now, 3), letter.id))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def send(self, id: str, topic: str = "t") -> str:
        letter = DeadLetter.read({"id": id, "topic": topic, "eventType": "x.ModelRegistered"})
        return self.replay.replay(StoredLetter("blob", letter)).result


def test_deliveries_keep_their_distance():
    world = World(ACCEPTED, rate=4)
    assert [world.send(name) for name in "abc"] == [NEW] * 3
    assert world.sent == [(0.0, "a"), (0.25, "b"), (0.5, "c")]


def test_an_app_that_is_busy_is_asked_again_later():
    world = World(BUSY, BUSY, ACCEPTED)
    assert world.send("a") == NEW
    assert [moment for moment, _ in world.sent] == [0.0, 1.0, 3.0]


def test_an_app_that_stays_busy_fails_the_event():
    world = World(BUSY)
    assert world.send("a") == FAILED
    assert len(world.sent) == MOST_DELIVERIES


def test_a_refusal_is_not_repeated():
    world = World(REFUSED)
    assert world.send("a") == FAILED
    assert len(world.sent) == 1


def test_after_several_failures_in_a_row_nothing_more_is_sent():
    world = World(REFUSED)
    assert [world.send(f"e{number}") for number in range(MOST_FAILURES)] == [FAILED] * MOST_FAILURES
    assert world.send("last") == NOT_SENT
    assert len(world.sent) == MOST_FAILURES


def test_a_success_between_failures_goes_on():
    world = World(*[REFUSED] * (MOST_FAILURES - 1), ACCEPTED, REFUSED)
    results = [world.send(f"e{number}") for number in range(2 * MOST_FAILURES - 2)]
    assert NOT_SENT not in results


def test_one_event_in_two_dead_letters_is_sent_once():
    world = World(ACCEPTED)
    topics = (TOPIC, TOPIC.upper(), f"{TOPIC}-2")
    assert [world.send("a", topic) for topic in topics] == [NEW, THERE, NEW]
    assert len(world.sent) == 2


def test_an_event_that_max_age_alone_stops_is_not_sent():
    world = World(ACCEPTED)
    old = planned(status="stopped", gate="max_age", because="max_age: the event is 3 days old")
    world.plans = [plan(old), plan(old, planned(rule="other"))]
    assert [world.send("a"), world.send("b")] == [TOO_OLD, NEW]
    assert [name for _, name in world.sent] == ["b"]


@pytest.mark.parametrize(
    ("found", "result"),
    [
        (None, "delivered"),
        (plan(decision="unmatched"), "unmatched"),
        (plan(decision="refused"), "refused"),
        (plan(planned(existing="done")), "already_there"),
        (plan(planned(existing="stopped", gate="max_age")), "already_there"),
        (plan(planned(existing="done"), planned(rule="other")), "new"),
    ],
)
def test_a_plan_is_judged(found, result):
    assert judge_plan(found)[0] == result
