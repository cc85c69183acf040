"""An orchestration's context for tests: activities answer as told, entities work, timers are noted."""

import json
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.task import CancellableTask, CompletableTask, Task, TaskFailedError, TimerTask

from mlevents.orchestration.function_names import READ_HOLDS
from mlevents.orchestration.messages import Call
from mlevents.orchestration.versions import CURRENT
from mlevents.responses.newest_version import newest_version

Perform = Callable[[dict[str, Any]], dict[str, Any]]


class EntityState(Any):
    """What an entity's operation is given."""

    def __init__(self, store: dict[str, Any], name: str, operation: str) -> None:
        self.store, self.name, self.operation = store, name, operation

    def get_state(self, _kind: type) -> Any:
        return self.store.get(self.name)

    def set_state(self, state: Any) -> None:
        self.store[self.name] = state


class Context(Any):
    """One execution of an orchestration; `store` outlives it, as the task hub does."""

    instance_id = "rule.0123"
    version = CURRENT
    is_replaying = True
    current_utc_datetime = datetime(2026, 1, 2, tzinfo=UTC)

    def __init__(self, perform: Perform, store: dict[str, Any] | None = None) -> None:
        self.perform = perform
        self.store = {} if store is None else store
        self.waits: list[float] = []
        self.calls: list[Call] = []
        self.shown: list[Any] = []
        self.children: list[tuple[str, str, str | None, Any]] = []
        self.holds: list[dict[str, Any]] = []
        self.hold_reads = 0
        self.sub_orchestrator: Callable[[str, str], Any] = lambda *_: {}

    def wait_for_external_event(self, name: str) -> Task[Any]:
        return CancellableTask()

    def call_activity(self, name: str, *, input: str) -> Task[Any]:
        if name == READ_HOLDS:
            self.hold_reads += 1
            return completed(json.dumps(self.holds.pop(0) if self.holds else {}))
        assert name == "PerformStep"
        self.calls.append(Call.from_json(json.loads(input)))
        try:
            return completed(json.dumps(self.perform(json.loads(input))))
        except RuntimeError as error:
            return completed(failure("RuntimeError", str(error)))

    def call_entity(self, entity: Any, operation: str, input: Any = None) -> Any:
        assert entity.entity == "newestversion"
        return completed(newest_version(EntityState(self.store, entity.key, operation), input))

    def call_sub_orchestrator(self, name: str, *, input: str, instance_id: str, version: str | None) -> Any:
        self.children.append((name, instance_id, version, json.loads(input)))
        said = self.sub_orchestrator(name, instance_id)
        return completed(said if isinstance(said, Exception) else json.dumps(said))

    def create_timer(self, fire_at: timedelta) -> Task[Any]:
        self.waits.append(fire_at.total_seconds())
        timer = TimerTask()
        timer.complete(None)
        return timer

    def set_custom_status(self, status: Any) -> None:
        self.shown.append(json.loads(json.dumps(status)))


def completed(said: Any) -> Task[Any]:
    """A task with this result, or with this error."""
    task = CompletableTask[Any]()
    if isinstance(said, TaskFailedError):
        task._exception, task._is_complete = said, True
    else:
        task.complete(said)
    return task


def failure(kind: str, message: str) -> TaskFailedError:
    """What a task raises that failed."""
    return TaskFailedError(message, pb.TaskFailureDetails(errorType=kind, errorMessage=message))


def run(course: Generator[Any, Any, Any]) -> Any:
    """Run an orchestrator to its end; a task that failed raises its error where it was asked for."""
    try:
        task = next(course)
        while True:
            failed = task.is_failed
            task = course.throw(task.get_exception()) if failed else course.send(task.get_result())
    except StopIteration as end:
        return end.value
