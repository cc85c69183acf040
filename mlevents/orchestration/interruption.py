"""Interrupts orchestrator code while it waits: a timer ends at once, and the code gets an error instead.

A wait for a timer or a message ends in the same way. Whatever else it waits for (an activity, an entity,
another orchestrator) is completed first, because it may be writing at that moment. No history changes by
this where nobody intervenes: waiting for an event writes nothing to it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from durabletask.task import OrchestrationContext, Task, TimerTask, WhenAnyTask, when_any

from mlevents.orchestration.durable import Durable
from mlevents.orchestration.intervention import Intervention, InterventionQueue

type Receive = Callable[[Intervention], Durable[Exception | None]]
"""Receives an intervention while the code waits; gives the error with which it interrupts, if it does."""


class Interruptible:
    """Runs orchestrator code that interventions may interrupt, once, until `close`."""

    def __init__(self, context: OrchestrationContext, receive: Receive) -> None:
        self.queue = InterventionQueue(context)
        self._receive = receive
        self._error: Exception | None = None
        self._is_closed = False

    def close(self) -> None:
        """From now on nothing is interrupted: what runs must come to its end."""
        self._is_closed = True

    def check(self) -> Durable[None]:
        """Raise the error of an intervention that came and has not interrupted anything yet."""
        yield from self.receive_new()
        if error := self._take_error():
            raise error

    def receive_new(self) -> Durable[None]:
        """Receive what came since the last time."""
        for intervention in self.queue.take_new():
            error = yield from self._receive(intervention)
            self._error = self._error or error

    def run[T](self, course: Durable[T]) -> Durable[T]:
        """Run this code to its end; it gets the error of an intervention at its next timer."""
        resume: Callable[[], Any] = partial(next, course)
        while True:
            try:
                task = resume()
            except StopIteration as done:
                result: T = done.value
                return result
            resume = yield from self._complete(course, task)

    def _complete(self, course: Durable[Any], task: Task[Any]) -> Durable[Callable[[], Any]]:
        """Wait for a task of the code; gives how the code is resumed."""
        while not task.is_complete:
            if isinstance(task, TimerTask | WhenAnyTask) and (error := self._take_error()):
                return partial(course.throw, error)
            yield when_any([task, self.queue.event])
            yield from self.receive_new()
        try:
            result = yield task
        except Exception as error:  # noqa: BLE001 - what a task raises is the code's to handle
            return partial(course.throw, error)
        return partial(course.send, result)

    def _take_error(self) -> Exception | None:
        """The error that has to be raised now, once."""
        if self._is_closed or self._error is None:
            return None
        self.close()
        return self._error
