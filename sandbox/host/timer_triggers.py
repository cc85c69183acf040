"""Timer functions: each runs on its schedule, one run at a time, at the sandbox's pace.

As the Functions host does it (TimerListener, ScheduleMonitor): what a timer did is remembered beyond the
host's life, so a run that was missed while the host was down happens at its next start, as past due. That
is not done for schedules shorter than a minute, or with `useMonitor` off.
"""

import asyncio
import json
import logging
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.host.timer_schedule import Schedule, parse_schedule
from sandbox.pace import Pace
from sandbox.worker.function import Function, FunctionError
from sandbox.worker.worker_messages import TypedData
from sandbox.worker.worker_process import WorkerProcess

TRIGGER = "timerTrigger"
MINUTE = timedelta(minutes=1)
SETTING = re.compile(r"%([^%]+)%")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Status:
    """What the host remembers of a timer; the times are those of the sandbox's clock."""

    last: datetime | None
    next: datetime


class TimerClock:
    """A clock that runs as many times as fast as the sandbox, from now on."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        """The time that it would be in Azure."""
        return self._began + (datetime.now(UTC) - self._began) * self.pace.speed


class TimerTriggers:
    """Runs the timer functions of one app; `known` is what timers did before, under any host."""

    def __init__(self, worker: WorkerProcess, clock: TimerClock, known: dict[str, Status]) -> None:
        self._worker, self._clock, self._known = worker, clock, known
        self._functions = worker.triggered_by(TRIGGER)
        self._turns = {name: asyncio.Lock() for name in self._functions}
        self._errors: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to wait for each timer; one whose schedule cannot be read is logged and never runs."""
        for function in self._functions.values():
            try:
                schedule = parse_schedule(_resolved(function, self._worker.environment or {}))
            except ValueError as error:
                log.error("The '%s' function is in error: %s", function.name, error)  # noqa: TRY400
                continue
            self._begin(self._run(function, schedule))

    async def stop(self) -> None:
        """Wait for none of them any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run_now(self, name: str) -> bool:
        """Run a timer out of turn, as `POST /admin/functions/<name>` asks; False when there is none."""
        function = self._functions.get(name)
        if function is not None:
            now = self._clock.now()
            self._begin(self._fire(function, self._known.get(name) or Status(None, now), past_due=False))
        return function is not None

    async def _run(self, function: Function, schedule: Schedule) -> None:
        now = self._clock.now()
        status = self._known.get(function.name) if _is_monitored(function, schedule, now) else None
        past_due = status is not None and status.next < now
        if status is None or not past_due:
            status = Status(status.last if status else None, schedule.after(now))
        self._known[function.name] = status
        if past_due or function.trigger.get("runOnStartup"):
            await self._fire(function, status, past_due)
            status.next = schedule.after(self._clock.now())
        while True:
            wait = status.next - self._clock.now()
            await self._clock.pace.sleep(max(0.0, wait.total_seconds()))
            await self._fire(function, status, past_due=False)
            status.next = schedule.after(max(self._clock.now(), status.next))

    async def _fire(self, function: Function, status: Status, past_due: bool) -> None:
        timer = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": _format_status(status),
            "IsPastDue": past_due,
        }
        async with self._turns[function.name]:
            try:
                await self._worker.invoke(function.name, TypedData(json=json.dumps(timer)))
            except FunctionError as error:
                self._report(function.name, error)
            status.last = self._clock.now()

    def _report(self, name: str, error: FunctionError) -> None:
        """Log an error in one line, once until it changes; where it happened is for `--verbose`."""
        level = logging.INFO if self._errors.get(name) == str(error) else logging.WARNING
        self._errors[name] = str(error)
        log.log(level, "the timer function %s failed: %s", name, str(error).strip())
        log.info("%s", error.stack)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_monitored(function: Function, schedule: Schedule, now: datetime) -> bool:
    first = schedule.after(now)
    return bool(function.trigger.get("useMonitor", True)) and schedule.after(first) - first >= MINUTE


def _resolved(function: Function, environment: Mapping[str, str]) -> str:
    """The schedule with the app settings that it names, as in `%SCHEDULE%`."""
    return SETTING.sub(lambda found: environment.get(found[1], found[0]), str(function.trigger["schedule"]))


def _format_status(status: Status) -> dict[str, str]:
    last = status.last or datetime.min.replace(tzinfo=UTC)
    return {"Last": last.isoformat(), "LastUpdated": last.isoformat(), "Next": status.next.isoformat()}
