"""What becomes of a response that ended without an outcome."""

from dataclasses import replace
from typing import Any

import pytest

from mlevents.events import Event
from mlevents.orchestration.messages import Call, RecoveryRequest, Response
from mlevents.orchestration.step_plan import RetryPlan, StepPlan
from mlevents.orchestration.step_record import StepRecord
from mlevents.responses.sweep_decision import ATTEMPTS, Ended, rerun_response, settle_response

STEP = StepPlan("kept", "notify", RetryPlan(1, 1, 1))
RUNNING = Response("rule.0123", "rule", Event("e", "t", (), None, "s", "", {}), steps=(STEP,))


def ended(attempt: int = 1, terminated: bool = False, **changes: Any) -> Ended:
    return Ended(replace(RUNNING, attempt=attempt, **changes), terminated, "JSONDecodeError: no JSON")


def settle(one: Ended) -> Response:
    assert one.response
    return settle_response(one.response, one, ())


@pytest.mark.parametrize(
    ("attempt", "terminated", "change"),
    [
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
    response, changes = RUNNING, []
    while (one := Ended(response, False, "")).change != "leave":
        changes.append(one.change)
        response = rerun_response(response, one) if one.change == "rerun" else settle(one)
    assert changes == ["rerun"] * (ATTEMPTS - 1) + ["settle"]


def test_another_attempt_is_the_same_response() -> None:
    assert rerun_response(RUNNING, ended()) == replace(RUNNING, attempt=2)


def test_what_was_running_is_carried_into_another_attempt_and_has_failed_in_the_last() -> None:
    steps = tuple(StepRecord(one, "notify", one, "") for one in ("done", "running"))
    one = Ended(RUNNING, False, "", steps)
    assert rerun_response(RUNNING, one).earlier == steps
    assert [step.status for step in settle(one).earlier] == ["done", "failed"]


def test_one_whose_input_is_unreadable_is_left() -> None:
    assert Ended(None, False, "").change == "leave"


def test_what_is_settled_failed_and_notifies_people() -> None:
    unfinished = (RecoveryRequest(Call(RUNNING, STEP, "perform", {}, {}), ("a",)),)
    found = settle_response(RUNNING, ended(ATTEMPTS), unfinished)
    assert (found.status, found.alert, found.unfinished) == ("failed", True, unfinished)
    assert found.because == "the orchestration ended without an outcome, 3 times: JSONDecodeError: no JSON"
    terminated = settle(ended(terminated=True))
    assert terminated.because == "the orchestration was terminated: JSONDecodeError: no JSON"


@pytest.mark.parametrize(("status", "alert"), [("shadow", False), ("quarantined", True)])
def test_who_was_not_to_be_notified_is_not(status: str, alert: bool) -> None:
    assert settle(ended(terminated=True, status=status, alert=alert)).alert is alert
