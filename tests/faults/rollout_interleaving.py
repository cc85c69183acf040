"""Responses that roll out models at the same time, in Microsoft's executor, one step after another.

Each response runs in a thread of its own, and only one thread runs: it stops before each activity and each
timer, and goes on when a test says so. A turn of an orchestration is always replayed from its history, so a
worker that dies between two turns changes nothing; `World.trouble` lets one die within an activity.
"""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers

from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from mlevents.orchestration.messages import Call, Response
from mlevents.orchestration.versions import CURRENT
from mlevents.responses.step_activity import attempt_call
from mlevents.responses.sweep_decision import Ended, rerun_response
from tests.histories.recorder import Recorder, ending
from tests.unit.actions.deploy_model.rollout_world import KilledError, World

SECOND = 0.2
"""Seconds that an activity takes."""
PATIENCE = 60.0
MOST_EXECUTIONS = 20


class Course(threading.Thread):
    """One response; `due` is when it can go on, `ends` how each of its attempts ended."""

    def __init__(self, response: str, version: str, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.response, self.version, self._work = response, version, work
        self.due = datetime.min.replace(tzinfo=UTC)
        self.ends: list[str] = []
        self.because = ""
        self.performed: list[str] = []
        self.letters: list[dict[str, Any]] = []
        self.ended = False
        self.error: BaseException | None = None
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)

    def run(self) -> None:
        """Work, from the first `proceed` to the end."""
        self._go.acquire()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            self.error = error
        self.ended = True
        self._stopped.release()

    def stop(self, due: datetime) -> None:
        """Let others go on; continue when the test says so."""
        self.due = due
        self._stopped.release()
        self._go.acquire()

    def proceed(self) -> None:
        """Go on to the next stop; raises what the work raised."""
        if not self.is_alive():
            self.start()
        self._go.release()
        assert self._stopped.acquire(timeout=PATIENCE), f"{self.response} does not stop"
        if self.error:
            raise self.error


class Interleaving(Recorder):
    """Responses in one world with one set of entities, each advanced by `proceed`."""

    def __init__(self, world: World) -> None:
        super().__init__(self._attempt, world.advance)
        self.world = world
        self.courses: list[Course] = []
        self.current: Course | None = None
        self.raises = self._letters
        self._delivered: set[tuple[str, str]] = set()

    def begin(self, response: str, version: str, text: str) -> Course:
        """A response that has not done anything yet."""
        course = Course(response, version, lambda: self._respond(course, text))
        self.courses.append(course)
        return course

    def proceed(self, course: Course) -> None:
        """One step of a response; time passes until its timer is due."""
        if course.due > self.now:
            self.advance((course.due - self.now).total_seconds())
            self.now = course.due + timedelta(milliseconds=1)
        self.current = course
        course.proceed()
        self.current = None

    def running(self) -> list[Course]:
        """The responses that have not ended; those that can go on first are first."""
        return sorted((one for one in self.courses if not one.ended), key=lambda one: one.due)

    def run(
        self, name: str, instance: str, text: str, version: str = CURRENT
    ) -> pb.CompleteOrchestrationAction:
        """Run an orchestration, whose status others can read meanwhile."""
        self.statuses[instance] = "RUNNING"
        return super().run(name, instance, text, version)

    def _respond(self, course: Course, text: str) -> None:
        """A response to its end; the sweeper has it run again when it ends without an outcome."""
        while True:
            done = self.run(RESPOND_TO_EVENT, course.response, text)
            course.ends.append(ending(done))
            if done.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED:
                said = json.loads(done.result.value)
                course.because = str((said if isinstance(said, dict) else json.loads(said)).get("because"))
                return
            lost = Response.from_json(json.loads(text))
            text = json.dumps(rerun_response(lost, Ended(lost, False, course.ends[-1])).to_json())

    def _attempt(self, asked: dict[str, Any]) -> dict[str, Any]:
        """An activity, executed again when its worker died or its result was lost."""
        assert self.current
        self.current.stop(self.now)
        self.current.performed.append(asked["step"]["id"])
        if asked["step"]["uses"] == "notify":
            return {"kind": "done", "detail": "notified", "result": {}}
        for _ in range(MOST_EXECUTIONS):
            self.world.twice = False
            try:
                answer = self._execute(asked)
            except KilledError:
                continue
            if not self.world.twice:
                return answer
        raise AssertionError("the worker dies each time")

    def _execute(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.world.advance(SECOND)
        call = Call.from_json(asked)
        return attempt_call(call, self.world.settings, lambda *_: self.world).to_json()  # type: ignore[arg-type]

    def _createTimer(self, _: str, action: pb.OrchestratorAction) -> Any:  # noqa: N802
        due = action.createTimer.fireAt.ToDatetime(tzinfo=UTC)
        assert self.current
        self.current.stop(due)
        return helpers.new_timer_created_event(action.id, due), helpers.new_timer_fired_event(action.id, due)

    def _letters(self, instance: str, _: int) -> list[dict[str, Any]]:
        """What operators ask of a response, which reaches its rollouts too."""
        course = self.current
        assert course
        listens = instance == course.response or instance.startswith(f"{course.response}.deploy")
        new = [one for one in course.letters if (instance, one["id"]) not in self._delivered]
        if not listens or "restore" in instance:
            return []
        self._delivered.update((instance, one["id"]) for one in new)
        return new
