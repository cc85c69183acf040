"""A step that waits long to be retried, such as a throttled notification, while the later steps go on.

Its generator stays where it is, with its timer running, and is taken up again before the response ends.
Only steps that say so when the response is made (`deferrable`) are deferred, so that a response that began
with an earlier release is replayed as it was.
"""

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from durabletask.task import OrchestrationContext

from mlevents.orchestration.response import Step
from mlevents.orchestration.step_runner import Answer, Course, StepFailedError
from mlevents.responses.step_orchestration import perform_step

if TYPE_CHECKING:
    from mlevents.responses.response_record import Line, Record

PATIENCE = 60.0
"""Seconds of a single wait for which the later steps are kept waiting too."""


class Watched:
    """A context that notes whether the latest timer is longer than our patience."""

    def __init__(self, context: OrchestrationContext) -> None:
        self._context = context
        self.waits = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def create_timer(self, fire_at: timedelta) -> Any:
        """The timer, which runs whether or not it is waited for."""
        self.waits = fire_at.total_seconds() > PATIENCE
        return self._context.create_timer(fire_at)


@dataclass(frozen=True, slots=True)
class Deferred:
    """A step under way that the response comes back to; `task` is what it waits for."""

    course: Course
    task: Any

    def resume(self) -> Course:
        """Complete the step; raises StepFailedError as it would have."""
        return (yield from _forward(self.course, self.task))


def perform_or_defer(
    context: OrchestrationContext,
    document: Mapping[str, Any],
    step: Step,
    names: dict[str, Any],
    later: Iterable[Step] = (),
) -> Generator[Any, Any, Answer | Deferred]:
    """Perform one step, or give it back once it waits long, unless a later step reads its result."""
    if not step.get("deferrable") or _is_read(step["id"], later):
        return (yield from perform_step(context, document, step, names))
    watched: Any = Watched(context)
    course = perform_step(watched, document, step, names)
    try:
        task = next(course)
        while not watched.waits:
            task = yield from _next(course, task)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    except _Ended as done:
        return done.answer
    return Deferred(course, task)


def complete_deferred(
    record: "Record", failed: Callable[[tuple[Step, "Line", StepFailedError]], Course]
) -> Course:
    """Come back to the steps that waited long; until they have ended, the response is running.

    `failed` is what a step leads to that fails after all the others were done.
    """
    settled = record.status
    while record.deferred:
        step, line, deferred = record.deferred.pop(0)
        record.status = "running"
        try:
            answer = yield from deferred.resume()
        except StepFailedError as error:
            if settled == "done":
                yield from failed((step, line, error))
                settled = record.status
            else:
                record.note(line, "failed", str(error))
        else:
            record.note(line, answer["kind"], answer["detail"])
    record.status = settled
    return {}


class _Ended(Exception):  # noqa: N818 - no error
    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__()


def _forward(course: Course, task: Any) -> Course:
    try:
        while True:
            task = yield from _next(course, task)
    except _Ended as done:
        return done.answer


def _next(course: Course, task: Any) -> Generator[Any, Any, Any]:
    """What the step waits for after this task; raises _Ended with its answer."""
    try:
        said = yield task
    except Exception as error:  # noqa: BLE001 - what a task raises is the step's to handle
        return _step(partial(course.throw, error))
    return _step(partial(course.send, said))


def _step(go_on: Callable[[], Any]) -> Any:
    try:
        return go_on()
    except StopIteration as done:
        raise _Ended(done.value) from None


def _is_read(step: str, later: Iterable[Step]) -> bool:
    """Whether a later step may read this one's result."""
    return any(step in json.dumps([one.get("with"), one.get("if")], ensure_ascii=False) for one in later)
