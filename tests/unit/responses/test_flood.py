"""Floods are counted whatever happens to the messages, and reported once a window."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from durabletask.task import TaskFailedError
from hypothesis import given
from hypothesis import strategies as st

from mlevents.orchestration.messages import Failure
from mlevents.responses.flood import (
    COUNT,
    EXACT,
    TOTAL,
    Reservations,
    event_flood,
    event_mark,
    storage_limit,
    topic_id,
    window_name,
    write_marks,
)
from mlevents.responses.flood_report import FAILURE, MOST_WINDOWS, report_flood
from tests.unit.responses.replay import Context, EntityState, completed, run

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def counted(store: dict[str, Any], marks: list[str]) -> Any:
    for mark in marks:
        assert event_flood(EntityState(store, "f", COUNT), mark) is None
    return event_flood(EntityState(store, "f", TOTAL), None)


def counted_late(marks: list[str], late: list[str]) -> tuple[int, str]:
    """The total and the state when all marks but the late ones were counted before."""
    store = {"f": write_marks(set(marks) - set(late))}
    return counted(store, late), store["f"]


@given(events=st.lists(st.text(), max_size=50), data=st.data())
def test_repeated_and_reordered_messages_leave_the_same_state(events, data):
    marks = [event_mark(event) for event in events]
    messages = data.draw(
        st.permutations(marks + data.draw(st.lists(st.sampled_from(marks))) if marks else [])
    )
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}
    assert counted(one, marks) == counted(other, messages) == len(set(events))
    assert one == other


@pytest.mark.parametrize("times", [EXACT - 1, EXACT, 3 * EXACT])
def test_beyond_the_exact_count_is_an_estimate_that_depends_on_no_order(times):
    marks = [event_mark(f"event {number}") for number in range(times)]
    total, state = counted_late(marks, marks[-50:])
    assert total == times if times < EXACT else abs(total - times) < times * 0.1
    assert len(state) < 50_000
    random.Random(1).shuffle(marks)
    assert counted_late(marks, marks[-50:] + marks[:100]) == (total, state)


def test_an_operation_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'clear'"):
        event_flood(EntityState({}, "f", "clear"), None)


def test_a_process_stores_no_more_than_the_bound_and_forgets_old_floods():
    places = Reservations()
    assert [places.take("f", 2) for _ in range(4)] == [True, True, False, False]
    places.give_back("f")
    assert [places.take("f", 2) for _ in range(2)] == [True, False]
    assert places.take("g", 2)
    for number in range(5000):
        places.take(f"flood {number}", 1)
    assert len(places._taken) <= 1000


def test_each_window_of_a_flood_has_room_of_its_own():
    later = [
        timedelta(minutes=-5),
        timedelta(),
        timedelta(minutes=59),
        timedelta(hours=1),
        timedelta(hours=2.5),
    ]
    assert [storage_limit(NOW, NOW + wait, 100) for wait in later] == [100, 100, 100, 200, 300]


def test_a_topic_has_one_id_an_hour():
    arm = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
    one = topic_id(arm, window_name(NOW))
    assert one == topic_id(arm.upper() + "/", window_name(NOW + timedelta(minutes=59)))
    assert one != topic_id(arm, window_name(NOW + timedelta(hours=1)))
    assert one != topic_id(arm + "x", window_name(NOW))
    assert one.startswith("refused.")


def step(name: str) -> dict[str, Any]:
    retry = {"attempts": 1, "first": 1, "max": 1}
    return {"id": name, "uses": "notify", "with": {}, "if": None, "retry": retry, "timeout": None}


class Flood(Context):
    """ReportFlood's context: the entity's totals come one after another, None for no answer."""

    def __init__(self, totals: list[int | None], perform: Any = None) -> None:
        super().__init__(perform or (lambda _: {"kind": "done", "detail": "", "result": {}}))
        self.totals = iter(totals)

    def call_entity(self, entity: Any, operation: str, input: Any = None) -> Any:
        assert (entity.entity, entity.key, operation) == ("eventflood", "quarantine.1", TOTAL)
        total = next(self.totals)
        details = pb.TaskFailureDetails(errorType="E", errorMessage="the worker died")
        return completed(TaskFailedError("the worker died", details) if total is None else total)


def document(*on_failure: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": "e1",
        "type": "",
        "subject": "",
        "time": None,
        "kinds": [],
        "topic": "/t",
        "names": {},
    }
    return {
        "id": "quarantine.0",
        "rule": None,
        "event": event,
        "status": "quarantined",
        "because": "id: is missing",
        "alert": True,
        "steps": [],
        "on_failure": list(on_failure),
        "flood": {"key": "quarantine.1", "began": NOW.isoformat()},
    }


def reported(*totals: int | None, on_failure: tuple[str, ...] = ("mail",)) -> tuple[Flood, list[Failure]]:
    context = Flood(list(totals))
    run(report_flood(context, json.dumps(document(*map(step, on_failure)))))
    return context, [call.failure for call in context.calls if call.failure]


def test_one_event_is_one_message_at_once():
    context, told = reported(1)
    assert [one.message for one in told] == ["id: is missing"]
    assert replace(told[0], message="") == FAILURE
    assert context.waits == [3600]


def test_a_flood_is_one_message_more_with_the_count():
    context, told = reported(1500, 1500)
    assert len(told) == 2
    assert told[1].message.startswith("1,499 more events could not be understood")
    assert "id: is missing" in told[1].message
    assert [call.response.id for call in context.calls] == ["quarantine.0"] * 2


def test_the_messages_of_a_flood_are_different_steps_so_that_no_receiver_drops_one():
    context, _ = reported(10, 20, 20)
    ids = [call.step.id for call in context.calls]
    assert len(set(ids)) == len(ids) == 3


def test_a_report_that_is_run_again_counts_in_messages_of_its_own():
    """Under the keys of the attempt before, a receiver would drop the new counts."""
    first, _ = reported(10, 20, 20)
    again = Flood([30, 30])
    run(report_flood(again, json.dumps({**document(step("mail")), "attempt": 2})))
    known, new = ([call.step.id for call in one.calls] for one in (first, again))
    assert new[0] == known[0], "the first message may be known already"
    assert not set(new[1:]) & set(known)


def test_each_window_reports_its_own_and_a_quiet_one_ends_it():
    context, told = reported(100, 101, 101)
    assert [one.message.split(" could")[0] for one in told[1:]] == ["99 more events", "1 more event"]
    assert context.waits == [3600] * 3


def test_a_count_that_cannot_be_read_is_read_a_window_later():
    _, told = reported(None, 8, 8)
    assert [one.message.split(" could")[0] for one in told[1:]] == ["7 more events"]


def test_a_flood_without_end_ends_its_report_so_that_the_next_event_begins_one():
    context, told = reported(*range(10, 10_000, 10))
    assert len(told) == 1 + MOST_WINDOWS
    assert len(context.waits) == MOST_WINDOWS


def test_where_nobody_is_to_be_notified_the_flood_is_still_counted():
    context, told = reported(5, 5, on_failure=())
    assert (told, context.waits) == ([], [3600, 3600])


def test_a_message_that_is_throttled_for_long_is_sent_all_the_same():
    said = iter(["transient", "done", "done"])

    def throttled(_: Any) -> dict[str, Any]:
        return {"kind": next(said), "detail": "429", "retry_after": 1800.0, "result": {}}

    retry = {"attempts": 3, "first": 1, "max": 1}
    steps = [{**step(name), "retry": retry, "deferrable": True} for name in ("chat", "mail")]
    context = Flood([1], throttled)
    run(report_flood(context, json.dumps(document(*steps))))
    assert [call.step.id for call in context.calls] == [
        "on_failure.chat",
        "on_failure.mail",
        "on_failure.chat",
    ]
    assert [line["status"] for line in context.shown[-1]["steps"]] == ["done", "done"]
    assert context.waits == [1800, 3600]
