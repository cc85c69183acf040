"""Durable Functions of people's size: carries an orchestrator through on a world's clock.

When an activity's worker dies, the orchestrator is thrown away, made anew, and fed its history; it must
then ask for the very same things in the same order. The activity runs again.
"""

import json
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.entities import EntityInstanceId
from durabletask.task import CancellableTask, CompletableTask, TaskFailedError, TimerTask, WhenAnyTask

from mlevents.orchestration.endpoint_lease import endpoint_lease
from mlevents.orchestration.function_names import FIND_INSTANCES, PERFORM_STEP
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.messages import Call
from mlevents.orchestration.versions import CURRENT
from mlevents.responses.step_activity import attempt_call, find_objection
from tests.unit.actions.deploy_model.rollout_world import KilledError, World

MOST_TURNS = 5000
SECOND = 0.2
"""Seconds that an activity takes."""

Entities = dict[str, Any]


class Task(CompletableTask[Any]):
    """What an orchestrator asks for: its kind and its input; two that ask for the same are equal."""

    __hash__ = CompletableTask.__hash__

    def __init__(self, kind: str, asked: Any) -> None:
        super().__init__()
        self.asked = kind, asked

    def __getitem__(self, at: int) -> Any:
        return self.asked[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self.asked == other.asked

    def __repr__(self) -> str:
        return repr(self.asked)


class Timer(Task, TimerTask):
    """A timer."""

    def __init__(self, seconds: float) -> None:
        TimerTask.__init__(self)
        self.asked = "timer", seconds


class EntityCall:
    """What an entity function sees of its context."""

    def __init__(self, entities: Entities, name: str, operation: str) -> None:
        self.entities, self.name, self.operation = entities, name, operation
        self.entity_id = EntityInstanceId(*name.removeprefix("@").split("@", 1))

    def get_state(self, _: type) -> Any:
        return self.entities.get(self.name)

    def set_state(self, state: Any) -> None:
        self.entities[self.name] = state


class Hub(Any):
    """What an activity reads of the task hub."""

    def __init__(self, entities: Entities) -> None:
        self.entities = entities

    def get_entity(self, entity: Any) -> Any:
        text = self.entities.get(str(entity))
        return SimpleNamespace(get_typed_state=lambda _: text)


class Context:
    """What an orchestrator sees: each method gives a task, which the driver carries out when yielded."""

    is_replaying = False
    version = CURRENT
    current_utc_datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __init__(self, instance_id: str, entities: Entities) -> None:
        self.instance_id, self.entities = instance_id, entities
        self.said: list[Any] = []
        self.event: CancellableTask[Any] = CancellableTask()
        self.kept: list[str] = []

    def call_activity(self, name: str, input: str) -> Task:
        return Task({PERFORM_STEP: "activity", FIND_INSTANCES: "find"}[name], input)

    def wait_for_external_event(self, name: str) -> CancellableTask[Any]:
        self.event = CancellableTask()
        if self.kept:
            self.event.complete(self.kept.pop(0))
        return self.event

    def raise_event(self, text: str) -> None:
        """Give an event to whoever waits for it, now or later."""
        if self.event.is_complete:
            self.kept.append(text)
        else:
            self.event.complete(text)

    def create_timer(self, wait: timedelta) -> Task:
        return Timer(wait.total_seconds())

    def call_entity(self, entity: Any, operation: str, input: Any = None) -> Task:
        return Task("entity", (str(entity), operation, input))

    def call_sub_orchestrator(self, name: str, input: str, instance_id: str, version: str | None) -> Task:
        return Task("orchestrator", (name, input, instance_id, version))

    def signal_entity(self, entity: Any, operation: str, input: Any = None) -> None:
        endpoint_lease(EntityCall(self.entities, str(entity), operation), input)  # type: ignore[arg-type]

    def set_custom_status(self, status: Any) -> None:
        size = len(json.dumps(status).encode("utf-16-le"))  # durabletask writes JSON in ASCII
        assert size <= 16_000, f"a custom status of {size} bytes"
        self.said.append(status)


class Durable:
    """Runs one orchestrator in one world; a `restless` one is replayed from the start at every turn.

    `entities` are the states of entities, `instances` the statuses of other orchestrations. `raises` are the
    interventions of operators by the number of the task before which they come; not with a `restless` one.
    """

    def __init__(
        self,
        world: World,
        entities: Entities | None = None,
        restless: bool = False,
        instance_id: str = "rule-1.abc.deploy",
    ) -> None:
        self.world = world
        self.restless = restless
        self.entities = entities if entities is not None else {}
        self.instances: dict[str, str | None] = {}
        self.instance_id = instance_id
        self.history: list[tuple[Task, Any]] = []
        self.first_calls: list[int] = []
        """The number of the first call of Azure in each activity, counted from 1."""
        self.context = Context(instance_id, self.entities)
        self.waiting: Any = None
        self.stop_before: Callable[[Task], bool] = lambda _: False
        self.raises: dict[int, Intervention] = {}

    def run(self, orchestrator: Callable[[Any, str], Generator[Any, Any, Any]], text: str) -> Any:
        """What the orchestrator returns; None when it is terminated before a task of `stop_before`."""
        running, task = self._replayed(orchestrator, text)
        for _ in range(MOST_TURNS):
            if task[0] == "ended":
                return task[1]
            if self.stop_before(task):
                running.close()
                self.instances[self.instance_id] = "TERMINATED"
                return None
            if said := self.raises.pop(len(self.history), None):
                self.context.raise_event(json.dumps(said.to_json()))
                task = self._resume(running, self.waiting)
                continue
            try:
                result = self._carried_out(task)
            except KilledError:
                running, again = self._replayed(orchestrator, text)
                assert again == task, "the replay asks for something else"
                continue
            self.history.append((task, result))
            if self.restless:
                running, task = self._replayed(orchestrator, text)
            else:
                task = self._next(running, result)
        raise AssertionError(f"no end after {MOST_TURNS} turns; last: {self.context.said[-1]}")

    def _replayed(self, orchestrator: Any, text: str) -> tuple[Any, Task]:
        self.context, self.waiting = Context(self.instance_id, self.entities), None
        running = orchestrator(self.context, text)
        task = self._next(running, None)
        for earlier, result in self.history:
            assert task == earlier, f"the replay asks for {task}, and asked for {earlier}"
            task = self._next(running, result)
        return running, task

    def _next(self, running: Any, result: Any) -> Task:
        """The next task that is not complete yet, after the one that was waited for has this result."""
        if self.waiting is None:
            return self._resume(running, next(running))
        complete(first_of(self.waiting), result)
        return self._resume(running, self.waiting)

    def _resume(self, running: Any, asked: Any) -> Task:
        """The next task that is not complete yet, from this one on."""
        try:
            while asked.is_complete:
                failed = asked.is_failed
                asked = running.throw(asked.get_exception()) if failed else running.send(asked.get_result())
        except StopIteration as end:
            return Task("ended", end.value)
        self.waiting = asked
        return first_of(asked)

    def _carried_out(self, task: Task) -> Any:
        kind, given = task.asked
        if kind == "timer":
            self.world.advance(given)
            return None
        if kind == "find":
            return json.dumps({one: self.instances.get(one) for one in json.loads(given)})
        if kind == "entity":
            name, operation, content = given
            return endpoint_lease(EntityCall(self.entities, name, operation), content)  # type: ignore[arg-type]
        self.world.twice = False
        said = self._perform(given)
        if self.world.twice:
            said = self._perform(given)
        return said

    def _perform(self, text: str) -> str:
        self.world.advance(SECOND)
        self.first_calls.append(len(self.world.calls) + 1)
        call = Call.from_json(json.loads(text))
        answer = find_objection(call, Hub(self.entities)) or attempt_call(
            call,
            self.world.settings,
            lambda *_: self.world,  # type: ignore[arg-type]
        )
        return json.dumps(answer.to_json())


def first_of(asked: Any) -> Task:
    """What is waited for besides the interventions of operators."""
    waits: Any = asked.get_tasks()[0] if isinstance(asked, WhenAnyTask) else asked
    found: Task = waits
    return found


def complete(task: Task, result: Any) -> None:
    """Complete a task with its result, or with its error."""
    if isinstance(result, TaskFailedError):
        task._exception, task._is_complete = result, True
        task._notify_parent()
    else:
        task.complete(result)


def failure(kind: str, message: str) -> TaskFailedError:
    """What a task raises that failed."""
    return TaskFailedError(message, pb.TaskFailureDetails(errorType=kind, errorMessage=message))
