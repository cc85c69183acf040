"""Defers a step that waits long for a retry, such as a throttled notification, while later steps go on.

Its generator is kept, with its timer running, and is resumed before the response ends. Only steps that are
marked `deferrable` when the response is created are deferred, so a response that an earlier release started
is replayed as it was.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents.orchestration.answer import Answer
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.messages import Call
from mlevents.orchestration.step_plan import StepPlan
from mlevents.responses.step_orchestration import perform_step

LONGEST_RETRY_WAIT = 60.0
"""Seconds of a single wait for which the later steps wait too."""


class WatchedContext:
    """A context that notes whether the latest timer is a long one."""

    def __init__(self, context: OrchestrationContext) -> None:
        self._context = context
        self.waits_long = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def create_timer(self, fire_at: timedelta) -> Any:
        """The timer, which runs whether or not it is waited for."""
        self.waits_long = fire_at.total_seconds() > LONGEST_RETRY_WAIT
        return self._context.create_timer(fire_at)


@dataclass(frozen=True, slots=True)
class DeferredStep:
    """A step that the response resumes later; `task` is what its `course` waits for."""

    step: StepPlan
    course: Durable[Answer]
    task: Any

    def resume(self) -> Durable[Answer]:
        """Complete the step; raises StepFailedError as it would have."""
        return (yield from _forward(self.course, self.task))


def perform_or_defer(
    context: OrchestrationContext, call: Call, later: Iterable[StepPlan] = (), start: int = 1
) -> Durable[Answer | DeferredStep]:
    """Perform one step, or defer it once it waits long, unless a later step reads its result."""
    if not call.step.deferrable or _is_read(call.step.id, later):
        return (yield from perform_step(context, call, start))
    watched: Any = WatchedContext(context)
    course = perform_step(watched, call, start)
    try:
        task = next(course)
        while not watched.waits_long:
            task = yield from _next(course, task)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    except _Ended as done:
        return done.answer
    return DeferredStep(call.step, course, task)


class _Ended(Exception):  # noqa: N818 - no error
    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__()


def _forward(course: Durable[Answer], task: Any) -> Durable[Answer]:
    try:
        while True:
            task = yield from _next(course, task)
    except _Ended as done:
        return done.answer


def _next(course: Durable[Answer], task: Any) -> Durable[Any]:
    """What the step waits for after this task; raises _Ended with its answer."""
    try:
        result = yield task
    except Exception as error:  # noqa: BLE001 - what a task raises is the step's to handle
        return _advance(partial(course.throw, error))
    return _advance(partial(course.send, result))


def _advance(resume: Callable[[], Any]) -> Any:
    try:
        return resume()
    except StopIteration as done:
        raise _Ended(done.value) from None


def _is_read(step: str, later: Iterable[StepPlan]) -> bool:
    """Whether a later step may read this one's result."""
    return any(step in json.dumps([one.with_, one.if_], ensure_ascii=False) for one in later)
