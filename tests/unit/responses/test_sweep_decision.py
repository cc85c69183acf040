"""What becomes of a response that ended without an outcome."""

from typing import Any

import pytest

from mlevents.responses.sweep_decision import ATTEMPTS, Ended, rerun, settle

RUNNING = {"id": "rule.0123", "status": "running", "because": None, "alert": False, "steps": ["kept"]}


def ended(attempt: int | None = None, terminated: bool = False, **changes: Any) -> Ended:
    known = {} if attempt is None else {"attempt": attempt}
    return Ended({**RUNNING, **known, **changes}, terminated, "JSONDecodeError: no JSON")


@pytest.mark.parametrize(
    ("attempt", "terminated", "change"),
    [
        (None, False, "rerun"),
        (1, False, "rerun"),
        (ATTEMPTS - 1, False, "rerun"),
        (ATTEMPTS, False, "settle"),
        (ATTEMPTS + 1, False, "leave"),
        (1, True, "settle"),
        (ATTEMPTS + 1, True, "leave"),
    ],
)
def test_it_is_run_again_at_most_so_often_and_then_only_notified(attempt, terminated, change) -> None:
    assert ended(attempt, terminated).change == change


def test_every_chain_of_failures_comes_to_an_end() -> None:
    document, changes = dict(RUNNING), []
    while (one := Ended(document, False, "")).change != "leave":
        changes.append(one.change)
        document = rerun(one) if one.change == "rerun" else settle(one, [])
    assert changes == ["rerun"] * (ATTEMPTS - 1) + ["settle"]


def test_another_attempt_is_the_same_response() -> None:
    assert rerun(ended()) == {**RUNNING, "attempt": 2, "earlier": []}


def test_what_was_running_is_carried_into_another_attempt_and_has_failed_in_the_last() -> None:
    lines = [{"id": one, "uses": "notify", "status": one, "detail": ""} for one in ("done", "running")]
    one = Ended(RUNNING, False, "", lines)
    assert rerun(one)["earlier"] == lines
    assert [line["status"] for line in settle(one, [])["earlier"]] == ["done", "failed"]


def test_one_whose_input_is_unreadable_is_left() -> None:
    assert Ended({}, False, "").change == "leave"


def test_what_is_settled_failed_and_notifies_people() -> None:
    found = settle(ended(ATTEMPTS), [{"holders": ["a"], "call": {}}])
    assert (found["status"], found["alert"], found["unfinished"]) == (
        "failed",
        True,
        [{"holders": ["a"], "call": {}}],
    )
    assert found["because"] == "the orchestration ended without an outcome, 3 times: JSONDecodeError: no JSON"
    terminated = settle(ended(terminated=True), [])
    assert terminated["because"] == "the orchestration was terminated: JSONDecodeError: no JSON"


@pytest.mark.parametrize(("status", "alert"), [("shadow", False), ("quarantined", True)])
def test_who_was_not_to_be_notified_is_not(status: str, alert: bool) -> None:
    assert settle(ended(terminated=True, status=status, alert=alert), [])["alert"] is alert
