"""How a step is carried through: what is tried again, after how long, and when it is given up."""

from typing import Any

import pytest

from mlevents.events import Event
from mlevents.orchestration.messages import Call, Response
from mlevents.orchestration.step_errors import (
    GateClosedError,
    StepFailedError,
    StepRefusedError,
    StepStoppedError,
    describe_fault,
)
from mlevents.orchestration.step_plan import RetryPlan, StepPlan
from mlevents.orchestration.step_runner import run_step
from tests.unit.responses.replay import Context, run

RESPONSE = Response("r", "rule", Event("e", "t", (), None, "s", "", {}))


def call(timeout: float | None = None) -> Call:
    step = StepPlan("s", "notify", RetryPlan(5, 5.0, 60.0), timeout=timeout)
    return Call(RESPONSE, step, "perform", {}, {})


def carried(*answers: dict[str, Any], timeout: float | None = None) -> tuple[Context, dict[str, Any]]:
    told = iter(answers)
    context = Context(lambda _: next(told))
    return context, run(run_step(context, call(timeout))).to_json()


DONE = {"kind": "done", "detail": "through", "result": {"a": 1}}
SKIPPED = {"kind": "skipped", "detail": "its `if` does not hold"}


def pending(after: float, **progress: Any) -> dict[str, Any]:
    return {"kind": "pending", "detail": "under way", "after": after, "progress": progress}


def transient(retry_after: float | None = None) -> dict[str, Any]:
    return {"kind": "transient", "detail": "busy", "retry_after": retry_after}


@pytest.mark.parametrize("answer", [DONE, SKIPPED])
def test_what_is_through_is_not_asked_again(answer):
    context, said = carried(answer)
    assert said == answer
    assert context.waits == []


def test_a_pending_step_is_asked_with_its_progress_and_ever_more_slowly():
    context, _ = carried(pending(10, n=1), pending(10, n=2), pending(10, n=3), DONE)
    assert context.waits == [10, 15, 22.5]
    assert [call.progress for call in context.calls] == [{}, {"n": 1}, {"n": 2}, {"n": 3}]


def test_a_look_is_never_more_than_five_minutes_after_the_last():
    context, _ = carried(*[pending(30)] * 40, DONE)
    assert max(context.waits) == 300


def test_a_step_that_asks_for_no_wait_gets_none():
    context, _ = carried(pending(0, told=1), pending(0, told=2), DONE)
    assert context.waits == []


def test_a_fault_that_may_pass_is_tried_again_after_twice_the_time():
    context, _ = carried(transient(), transient(), transient(), transient(), DONE)
    assert context.waits == [5, 10, 20, 40]


def test_a_service_that_asks_for_more_time_gets_it():
    context, _ = carried(transient(90), transient(1), DONE)
    assert context.waits == [90, 10]


def test_attempts_are_counted_anew_after_an_answer():
    _, said = carried(*[transient()] * 4, pending(1), *[transient()] * 4, DONE)
    assert said["kind"] == "done"


def test_after_the_last_attempt_the_step_has_failed():
    with pytest.raises(StepFailedError, match=r"busy \(attempt 5 of 5\)"):
        carried(*[transient()] * 5)


def test_what_can_never_succeed_is_not_tried_again():
    with pytest.raises(StepFailedError, match="forbidden"):
        carried({"kind": "failed", "detail": "forbidden"})


def test_a_step_that_takes_too_long_is_given_up():
    with pytest.raises(StepFailedError, match="gave up after 100 s: under way"):
        carried(*[pending(30)] * 10, timeout=100)


def test_the_last_wait_ends_at_the_timeout_with_one_more_look():
    context, said = carried(pending(45), pending(45), DONE, timeout=60)
    assert context.waits == [45, 15]
    assert said["waited"] == 60


def test_a_wait_that_a_service_asks_for_ends_at_the_timeout_too():
    context, said = carried(transient(3600), DONE, timeout=60)
    assert context.waits == [60]
    assert said["kind"] == "done"


def test_after_the_look_at_the_timeout_there_is_no_other():
    context = Context(lambda _: pending(45))
    with pytest.raises(StepFailedError, match="gave up after 1 min"):
        run(run_step(context, call(60.0)))
    assert len(context.calls) == 3


def test_a_resource_that_is_busy_counts_against_the_timeout_and_not_against_the_attempts():
    busy = {**transient(), "busy": True}
    context, said = carried(*[busy] * 20, *[transient()] * 4, DONE)
    assert said["kind"] == "done"
    assert context.waits[:6] == [5, 10, 20, 40, 60, 60]
    with pytest.raises(StepFailedError, match="gave up after 100 s: busy"):
        carried(*[busy] * 20, timeout=100)


def test_a_worker_that_was_lost_is_no_answer_and_may_be_asked_again():
    lost = iter([RuntimeError("exit code 137"), RuntimeError("exit code 137")])

    def perform(_: dict[str, Any]) -> dict[str, Any]:
        if error := next(lost, None):
            raise error
        return DONE

    context = Context(perform)
    assert run(run_step(context, call())).kind == "done"
    assert context.waits == [5, 10]


def test_a_wait_that_is_exact_does_not_grow():
    context, _ = carried(*[{**pending(10), "exact": True}] * 3, DONE)
    assert context.waits == [10, 10, 10]


def test_a_step_is_called_again_with_all_that_it_was_called_with():
    context, _ = carried(pending(10, n=1), DONE)
    assert [one.step for one in context.calls] == [call().step] * 2


def test_a_limit_goes_before_the_timeout_of_the_step():
    context = Context(lambda _: pending(45))
    with pytest.raises(StepFailedError, match="gave up after 50 s") as caught:
        run(run_step(context, call(600.0), 50.0))
    assert (context.waits, caught.value.waited, caught.value.report) == ([45, 5], 50, {})


def test_a_step_without_a_timeout_may_take_a_day():
    context = Context(lambda _: pending(40_000.0))
    with pytest.raises(StepFailedError) as caught:
        run(run_step(context, call()))
    assert caught.value.waited == sum(context.waits) == 86_400


def test_attempts_and_conflicts_start_again_after_an_answer():
    busy = {**transient(), "busy": True}
    context, _ = carried(busy, busy, pending(1), busy, DONE)
    assert context.waits == [5, 10, 1, 5]
    with pytest.raises(StepFailedError, match="attempt 5 of 5"):
        carried(*[transient()] * 4, pending(1), *[transient()] * 5)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("refused", StepRefusedError), ("stopped", StepStoppedError), ("failed", StepFailedError)],
)
def test_an_answer_that_ends_a_step_says_how(kind, error):
    with pytest.raises(error, match=r"^why$") as caught:
        carried(pending(10), {"kind": kind, "detail": "why"})
    assert (caught.value.kind, caught.value.waited) == (kind, 10)


def test_a_gate_that_ends_a_step_is_named():
    with pytest.raises(GateClosedError, match=r"^why$") as caught:
        carried({"kind": "stopped", "detail": "why", "gate": "order"})
    assert caught.value.to_answer().gate == "order"


def test_a_worker_that_is_lost_each_time_is_the_reason_of_the_failure():
    def perform(_: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("exit code 137")

    with pytest.raises(StepFailedError, match=r"gave no answer: .*exit code 137.* \(attempt 5 of 5\)"):
        run(run_step(Context(perform), call()))


def test_a_fault_of_ours_is_named_at_a_length_that_people_read():
    assert describe_fault(KeyError("a")) == "a fault in mlevents: KeyError: 'a'"
    assert len(describe_fault(ValueError("x" * 5000))) == 1000
