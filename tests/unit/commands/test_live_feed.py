"""The feed: one line a change without a terminal, a drawing in place on one; events are untrusted."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from mlevents.commands.feed_state import Feed, FeedReading
from mlevents.commands.live_feed import follow_feed
from mlevents.events import Event

STARTED = datetime(2030, 1, 1, tzinfo=UTC)
TOPIC = "/subscriptions/1/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"


def published(number: int, state: str = "delivered", name: str = "churn-x", **more: Any) -> dict[str, Any]:
    event = {
        "id": f"e-{number}",
        "topic": TOPIC,
        "subject": f"models/{name}:{number}",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2030-01-01T10:00:00Z",
        "data": {"modelName": name, "modelVersion": str(number)},
    }
    delivery = {"function": "ModelRegistered", "state": state, "attempts": 1, "status": 202, **more}
    return {"number": number, "time": "2030-01-01T10:00:00Z", "event": event, "deliveries": [delivery]}


def response(number: int, status: str, detail: str = "", *, phase: str = "", **more: Any) -> dict[str, Any]:
    step = {"id": "deploy", "uses": "deploy_model", "status": "running", "detail": detail}
    step["status"] = step["status"] if status in ("running", "waiting") else status
    return {
        "id": f"r-{number}",
        "rule": "deploy-models",
        "event": {"id": f"e-{number}", "type": "model.registered", "subject": f"models/churn-x:{number}"},
        "status": status,
        "because": None,
        "steps": [{**step, "phases": [{"phase": phase}] if phase else []}],
        "created": "2030-01-01T10:00:01Z",
        **more,
    }


class Readings:
    """A source that gives these readings, one after the other, and is over with the last."""

    def __init__(self, readings: Iterable[FeedReading | None]) -> None:
        self.rest = list(readings)

    def read(self) -> FeedReading | None:
        return self.rest.pop(0)

    def is_over(self) -> bool:
        return len(self.rest) == 1


def show(*readings: FeedReading | None, monkeypatch: pytest.MonkeyPatch, **console: Any) -> list[str]:
    monkeypatch.setattr("mlevents.commands.live_feed.FEED_SECONDS", 0.0)
    monkeypatch.setenv("TZ", "UTC")
    out, source = StringIO(), Readings(readings)
    feed = Feed(lambda event: f"silence about {event.subject}", STARTED)
    follow_feed(feed, source, source.is_over, Console(file=out, highlight=False, **console))
    return out.getvalue().splitlines()


def test_each_change_is_one_line_and_none_is_repeated(monkeypatch: pytest.MonkeyPatch):
    first = published(1)
    lines = show(
        FeedReading((first,), (response(1, "running", "endpoint: looked up", phase="endpoint"),)),
        FeedReading((), (response(1, "running", "10 %: 1 min of 10 min", phase="10 %"),)),
        FeedReading((), (response(1, "running", "10 %: 2 min of 10 min", phase="10 %"),)),
        None,
        FeedReading((), (response(1, "done", "'churn-x-1' has all traffic"),)),
        FeedReading((), (response(1, "done", "'churn-x-1' has all traffic"),)),
        monkeypatch=monkeypatch,
    )
    said = [line.partition("  ")[2] for line in lines]
    assert said == [
        "model.registered  churn-x:1 (ml-prod) … deploy-models: deploy: endpoint: looked up",
        "model.registered  churn-x:1 (ml-prod) … deploy-models: deploy: 10 %: 1 min of 10 min",
        "model.registered  churn-x:1 (ml-prod) ✓ deploy-models: done: 'churn-x-1' has all traffic",
    ]


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (FeedReading((published(1),)), "· silence about models/churn-x:1"),
        (
            FeedReading((published(1, "dropped", because="events with x"),)),
            "· Event Grid filtered it: ModelRegistered takes events with x",
        ),
        (
            FeedReading((published(1, "pending", status=503),)),
            "… ModelRegistered answered 503: Event Grid tries again",
        ),
        (
            FeedReading((published(1, "dead", status=400),)),
            "✗ dead letter: ModelRegistered answered 400",
        ),
        (
            FeedReading((published(1),), (response(1, "waiting", because="window: opens at 09:00"),)),
            "… deploy-models: waiting: window: opens at 09:00",
        ),
        (
            FeedReading((), (response(1, "failed", because="the error rate is 7 %"),)),
            "✗ deploy-models: failed: the error rate is 7 %",
        ),
        (
            FeedReading((), (response(1, "refused", because="not listed", rule=None),)),
            "✗ no rule: refused: not listed",
        ),
    ],
)
def test_what_became_of_an_event_is_said(reading: FeedReading, says: str, monkeypatch: pytest.MonkeyPatch):
    [line] = show(reading, monkeypatch=monkeypatch)
    assert line.endswith(says)


def test_a_quarantined_event_without_an_id_is_shown(monkeypatch: pytest.MonkeyPatch):
    unread = response(1, "quarantined", because="no type", rule=None)
    unread["event"] = {"id": None, "type": None, "subject": None}
    [line] = show(FeedReading((), (unread,)), monkeypatch=monkeypatch)
    assert "unreadable event" in line
    assert line.endswith("✗ no rule: quarantined: no type")


def test_a_response_from_before_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    old = response(1, "done", created="2029-12-31T23:59:59Z")
    assert show(FeedReading((), (old,)), monkeypatch=monkeypatch) == []


def test_an_event_that_gets_a_rule_later_is_not_silent(monkeypatch: pytest.MonkeyPatch):
    lines = show(
        FeedReading((published(1, "pending", status=503),)),
        FeedReading((published(1),), (response(1, "done"),)),
        monkeypatch=monkeypatch,
    )
    assert [line.partition("(ml-prod) ")[2] for line in lines] == [
        "… ModelRegistered answered 503: Event Grid tries again",
        "✓ deploy-models: done",
    ]


def test_the_text_of_an_event_is_neither_markup_nor_control(monkeypatch: pytest.MonkeyPatch):
    nasty = FeedReading((published(1, name="[red]x\x1b[2J\nsecond"),))
    [line] = show(nasty, monkeypatch=monkeypatch)
    assert "[red]x" in line
    assert "\x1b" not in line


def test_on_a_terminal_what_is_over_stays_and_no_word_is_broken(monkeypatch: pytest.MonkeyPatch):
    detail = "10 %: 3 min of 10 min, 300 of 30 requests, error rate 0 % of 1 %, latency p95 20 ms of 80 ms"
    ended = response(1, "failed", because=f"the checks failed: {detail}")
    lines = show(
        FeedReading((published(1),), (response(1, "running", detail, phase="10 %"),)),
        FeedReading((), (ended,)),
        FeedReading((published(2),)),
        monkeypatch=monkeypatch,
        force_terminal=True,
        color_system=None,
        width=80,
        height=24,
        legacy_windows=False,
    )
    plain = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", line) for line in lines]
    assert max(map(len, plain)) <= 80
    text = " ".join(" ".join(plain).split())
    assert text.count(f"failed: the checks failed: {detail}") == 1
    assert "silence about models/churn-x:2" in text


def test_the_feed_forgets_what_is_over_long_ago(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mlevents.commands.feed_state.MOST_EVENTS", 3)
    feed = Feed(lambda _: "", STARTED)
    waiting = published(1), response(1, "waiting")
    feed.update(FeedReading((waiting[0],), (waiting[1],)))
    for number in range(2, 9):
        feed.update(FeedReading((published(number),)))
    assert list(feed.events) == ["e-1", "e-7", "e-8"]


def test_the_reason_is_asked_of_the_event_itself():
    asked: list[Event] = []
    feed = Feed(lambda event: asked.append(event) or "why", STARTED)  # type: ignore[func-returns-value]
    for _ in range(2):
        feed.update(FeedReading((published(1),)))
    assert [event.names["model"]["name"] for event in asked] == ["churn-x"]
