"""Carrying one step through: perform, wait, perform again, until it is done or has failed.

Durations are counted in the waits that were asked for, never read off a clock: an orchestrator is
replayed, and the sandbox divides its timers.
"""

import json
from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.duration import format_duration
from mlevents.orchestration.function_names import PERFORM_STEP
from mlevents.orchestration.serialization import to_text

Call = dict[str, Any]
"""What `PerformStep` is called with: `response`, `step`, `verb`, `progress`, `results`, `failure`."""
Answer = Mapping[str, Any]
"""What it answers: `kind` (see `perform.answer`), `detail` and more."""
Course = Generator[Any, Any, Answer]

LONGEST_POLL = 300.0
DEFAULT_TIMEOUT = 86_400.0


class StepFailedError(Exception):
    """A step will not succeed; the message is for people, `report` what else is known of it.

    `waited` is how many seconds were waited before it was known.
    """

    status = "failed"

    def __init__(self, text: str, report: Mapping[str, Any] | None = None, waited: float = 0.0) -> None:
        self.report = report or {}
        self.waited = waited
        super().__init__(text)


class StepStoppedError(StepFailedError):
    """A step must not go on, though nothing failed; `gate` names what stopped it."""

    status = "stopped"
    gate = "rollout"


class StepRefusedError(StepStoppedError):
    """The rule file does not allow what the event asks for; nothing was changed."""

    status = gate = "refused"


def own_fault(error: Exception) -> str:
    """What people read of an error of ours."""
    return f"a fault in mlevents: {type(error).__name__}: {error}"[:1000]


def attempt(context: OrchestrationContext, call: Call) -> Course:
    """Perform once; one that gave no answer (a lost worker, a timeout of the host) may be tried again."""
    try:
        answer = yield context.call_activity(PERFORM_STEP, input=to_text(call))
    except TaskFailedError as error:
        detail = f"the activity gave no answer: {error.details.message}"
        return {"kind": "transient", "detail": detail, "retry_after": None}
    return dict(json.loads(answer))


def carry(context: OrchestrationContext, call: Call, limit: float | None = None) -> Course:
    """Perform until done; raises StepFailedError after the last attempt or the step's timeout.

    `limit` is in the step's timeout's place, in seconds; `waited` in the answer says how many it took.
    The last wait ends at the limit, with one more look. A resource that is busy with someone else's
    operation counts against the limit, not against the attempts.
    """
    tries = Tries(call["step"]["retry"], limit or call["step"]["timeout"] or DEFAULT_TIMEOUT)
    while True:
        answer = yield from attempt(context, call)
        if answer["kind"] in ("done", "skipped"):
            return {**answer, "waited": tries.waited}
        if answer["kind"] == "pending":
            call = {**call, "progress": answer["progress"]}
        if delay := tries.wait(answer):
            yield context.create_timer(timedelta(seconds=delay))


class Tries:
    """The tries of one step: how often it was performed, by what came of it, and how long that took."""

    def __init__(self, retry: Mapping[str, Any], limit: float) -> None:
        self.retry = retry
        self.limit = limit
        self.waited = 0.0
        self.polls = self.failures = self.conflicts = 0

    def wait(self, answer: Answer) -> float:
        """Seconds until the next try; raises StepFailedError when there is none."""
        try:
            due = min(self.waited + self._delay(answer), self.limit)
        except StepFailedError as error:
            error.waited = self.waited
            raise
        if self.waited >= self.limit:
            said = f"gave up after {format_duration(self.limit)}: {answer['detail']}"
            raise StepFailedError(said, waited=self.waited)
        delay, self.waited = due - self.waited, due
        return delay

    def _delay(self, answer: Answer) -> float:
        """As long as this answer asks for; tries are counted anew after a pending one."""
        if answer["kind"] == "pending":
            delay = answer["after"] if answer.get("exact") else poll_delay(answer["after"], self.polls)
            self.polls, self.failures, self.conflicts = self.polls + bool(delay), 0, 0
            return delay
        if answer.get("busy"):
            self.conflicts += 1
            return backoff(answer, self.retry, self.conflicts)
        self.failures += 1
        return retry_delay(answer, self.retry, self.failures)


def poll_delay(after: float, polls: int) -> float:
    """Each look is half as long again after the one before, up to five minutes, in seconds."""
    return float(min(after * 1.5 ** min(polls, 20), max(after, LONGEST_POLL)))


def retry_delay(answer: Answer, retry: Mapping[str, Any], failures: int) -> float:
    """Doubling from `first` to `max`, or longer where the service asked for it; raises after the last."""
    if answer["kind"] == "refused":
        raise StepRefusedError(answer["detail"])
    if answer["kind"] == "stopped":
        raise StepStoppedError(answer["detail"])
    if answer["kind"] == "failed":
        raise StepFailedError(answer["detail"])
    if failures >= retry["attempts"]:
        raise StepFailedError(f"{answer['detail']} (attempt {failures} of {retry['attempts']})")
    return backoff(answer, retry, failures)


def backoff(answer: Answer, retry: Mapping[str, Any], failures: int) -> float:
    """The wait after so many failures in a row, in seconds."""
    doubled = float(min(retry["first"] * 2.0 ** min(failures - 1, 30), retry["max"]))
    return max(doubled, float(answer["retry_after"] or 0))
