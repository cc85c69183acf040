"""What an intervention does to code that waits: a timer ends at once, anything else is completed first."""

import json
from collections.abc import Callable, Generator
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from durabletask.task import CancellableTask, CompletableTask, TaskFailedError, TimerTask
from hypothesis import given
from hypothesis import strategies as some

from mlevents.orchestration.interruption import Interruptible
from mlevents.orchestration.intervention import ABORT, CANCEL, PROMOTE, Intervention
from mlevents.orchestration.step_errors import StepFailedError

Course = Generator[Any, Any, Any]


class Context:
    """External events as durabletask keeps them: one that nobody waits for yet is kept."""

    def __init__(self) -> None:
        self.open: list[CancellableTask[Any]] = []
        self.kept: list[str] = []

    def wait_for_external_event(self, _: str) -> CancellableTask[Any]:
        task: CancellableTask[Any] = CancellableTask()
        if self.kept:
            task.complete(self.kept.pop(0))
        else:
            self.open.append(task)
        return task

    def raise_event(self, verb: str, number: int = 1) -> None:
        said = Intervention(f"{verb}-{number}", verb, "ann", "why", "2026-01-01T00:00:00Z")
        text = json.dumps(said.to_json())
        if self.open:
            self.open.pop(0).complete(text)
        else:
            self.kept.append(text)


class Run:
    """Interruptible code under way; `received` are the interventions it got, `result` what it returned."""

    def __init__(self, write: Callable[["Run"], Course]) -> None:
        self.context = Context()
        self.timer, self.activity, self.passing = TimerTask(), CompletableTask[str](), CompletableTask[str]()
        self.received: list[str] = []
        self.result: Any = None
        self.interruption = Interruptible(cast(Any, self.context), self._receive)
        self._running = self.interruption.run(write(self))
        self._task: Any = next(self._running)

    def _receive(self, intervention: Intervention) -> Generator[Any, Any, Exception | None]:
        self.received.append(intervention.verb)
        if intervention.verb == PROMOTE:
            yield self.passing
        return intervention.to_error()

    def turn(self) -> Any:
        """Let the code run as far as it can; gives its result, None while it waits."""
        while self._task.is_complete:
            failed, task = self._task.is_failed, self._task
            try:
                result = None if failed else task.get_result()
                self._task = (
                    self._running.throw(task.get_exception()) if failed else self._running.send(result)
                )
            except StopIteration as end:
                self.result = end.value
                return self.result
        return None


def wait_twice(run: Run) -> Course:
    """An activity, then a timer; what interrupts it is its result."""
    try:
        said = yield run.activity
        yield run.timer
    except StepFailedError as error:
        return f"interrupted: {error}"
    return said


def wait_and_clean_up(run: Run) -> Course:
    try:
        yield run.timer
    except StepFailedError as error:
        yield run.activity
        yield TimerTask()
        return str(error)


@pytest.mark.parametrize("verb", [CANCEL, ABORT])
def test_a_timer_ends_at_once(verb: str):
    run = Run(wait_twice)
    run.activity.complete("done")
    assert run.turn() is None
    run.context.raise_event(verb)
    assert run.turn().startswith("interrupted: ")
    assert not run.timer.is_complete


def test_an_activity_is_completed_first_and_the_next_timer_never_waits():
    run = Run(wait_twice)
    run.context.raise_event(CANCEL)
    assert run.turn() is None
    assert run.received == [CANCEL], "the operator's log knows it at once"
    run.activity.complete("done")
    assert run.turn().startswith("interrupted: ")


def test_an_activity_alone_keeps_its_result():
    def course(run: Run) -> Course:
        return (yield run.activity)

    run = Run(course)
    run.context.raise_event(CANCEL)
    run.activity.complete("written")
    assert run.turn() == "written"


def test_a_cancel_between_two_tasks_interrupts_before_the_second():
    begun: list[str] = []

    def course(run: Run) -> Course:
        yield run.activity
        try:
            yield from run.interruption.check()
        except StepFailedError as error:
            return str(error)
        begun.append("second")
        yield run.timer

    run = Run(course)
    run.activity.complete("first")
    run.context.raise_event(CANCEL)
    assert run.turn() == "by ann: why"
    assert begun == []


def test_two_at_once_are_both_received_and_the_first_interrupts_once():
    run = Run(wait_and_clean_up)
    run.context.raise_event(ABORT)
    run.context.raise_event(CANCEL)
    assert run.turn() is None
    assert run.received == [ABORT, CANCEL]
    run.activity.complete("restored")
    assert run.turn() is None, "nothing interrupts what cleans up after the first"


def test_one_that_is_sent_twice_is_received_once():
    run = Run(wait_twice)
    for number in (1, 1, 2):
        run.context.raise_event(PROMOTE, number)
    run.passing.complete("passed on")
    assert run.turn() is None
    assert run.received == [PROMOTE, PROMOTE]


def test_what_receives_may_wait_itself():
    run = Run(wait_twice)
    run.context.raise_event(PROMOTE)
    assert run.turn() is None
    run.activity.complete("done")
    run.timer.complete(None)
    assert run.turn() is None, "the intervention is passed on before the code goes on"
    run.passing.complete("passed on")
    assert run.turn() == "done"


def test_nothing_is_interrupted_after_close_but_everything_is_received():
    run = Run(wait_twice)
    run.interruption.close()
    run.activity.complete("done")
    run.context.raise_event(CANCEL)
    assert run.turn() is None
    run.timer.complete(None)
    assert run.turn() == "done"
    assert run.received == [CANCEL]


def test_the_error_of_an_activity_reaches_the_code():
    def course(run: Run) -> Course:
        try:
            yield run.activity
        except TaskFailedError as error:
            return error.details.message

    run = Run(course)
    run.activity.fail("it broke", pb.TaskFailureDetails(errorType="E", errorMessage="it broke"))
    assert run.turn() == "it broke"


EVENT, NEXT = "event", "next"


@given(
    kinds=some.lists(some.sampled_from(["timer", "activity"]), min_size=1, max_size=6),
    happens=some.lists(some.sampled_from([EVENT, NEXT]), max_size=12),
)
def test_only_the_first_timer_after_an_intervention_ends_early(kinds: list[str], happens: list[str]):
    """Whenever interventions come: each is received once, one interrupts, and no activity is abandoned."""
    tasks: list[Any] = [TimerTask() if kind == "timer" else CompletableTask() for kind in kinds]
    begun: list[int] = []

    def course(_: Run) -> Course:
        try:
            for number, task in enumerate(tasks):
                begun.append(number)
                yield task
        except StepFailedError:
            return "interrupted"
        return "done"

    run = Run(course)
    sent = 0
    for what in happens:
        if run.result:
            break
        if what == EVENT:
            sent += 1
            run.context.raise_event(CANCEL, sent)
        else:
            tasks[begun[-1]].complete(None)
        run.turn()
    assert len(run.received) == sent
    assert all(tasks[number].is_complete for number in begun[:-1])
    if run.result == "interrupted":
        assert kinds[begun[-1]] == "timer"
        assert not tasks[begun[-1]].is_complete
    elif sent:
        assert run.result == "done" or kinds[begun[-1]] == "activity"
