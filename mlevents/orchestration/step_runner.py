"""Runs one step: performs it, waits, performs it again, until it is done or has failed.

Durations are the sum of the requested waits, never read from a clock: an orchestrator is replayed, and the
sandbox shortens its timers.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from mlevents.duration import format_duration
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import PERFORM_STEP
from mlevents.orchestration.messages import Call
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_errors import StepFailedError, raise_unless_successful
from mlevents.orchestration.step_plan import RetryPlan

LONGEST_POLL = 300.0
DEFAULT_TIMEOUT = 86_400.0


def attempt_step(context: OrchestrationContext, call: Call) -> Durable[Answer]:
    """Perform once; one that gave no answer (a lost worker, a timeout of the host) may be tried again."""
    try:
        text = yield context.call_activity(PERFORM_STEP, input=to_text(call.to_json()))
    except TaskFailedError as error:
        return Answer(AnswerKind.TRANSIENT, f"the activity gave no answer: {error.details.message}")
    return Answer.from_json(json.loads(text))


def run_step(context: OrchestrationContext, call: Call, limit: float | None = None) -> Durable[Answer]:
    """Perform until done; raises StepFailedError after the last attempt or the step's timeout.

    `limit`, in seconds, replaces the step's timeout; `waited` in the answer says how long it took.
    The last wait ends at the limit, with one more attempt. A resource that is busy with someone else's
    operation counts against the limit, not against the attempts. Only the first attempt can be held: it ends
    the run then.
    """
    schedule = RetrySchedule(call.step.retry, limit or call.step.timeout or DEFAULT_TIMEOUT)
    while True:
        answer = yield from attempt_step(context, call)
        schedule.waited += answer.waited
        if answer.is_success or answer.kind is AnswerKind.HELD:
            return replace(answer, waited=schedule.waited)
        call = replace(call, unless_held=False)
        if answer.kind is AnswerKind.PENDING:
            call = replace(call, progress=answer.progress)
        if delay := schedule.count(answer):
            message = yield from wait_for_message(context, delay, answer.awaits)
            if message is not None:
                call = replace(call, progress={**call.progress, "message": message})


def wait_for_message(context: OrchestrationContext, seconds: float, name: str | None) -> Durable[Any]:
    """Wait so long, or until the external event of this name comes; gives what it says, None for nothing."""
    timer = context.create_timer(timedelta(seconds=seconds))
    if name is None:
        yield timer
        return None
    event: Task[Any] = context.wait_for_external_event(name)
    yield when_any([event, timer])
    return event.get_result() if event.is_complete else None


class RetrySchedule:
    """When a step is performed again: counts its attempts, by what came of them, and the seconds waited."""

    def __init__(self, retry: RetryPlan, limit: float) -> None:
        self.retry = retry
        self.limit = limit
        self.waited = 0.0
        self.polls = self.failures = self.conflicts = 0

    def count(self, answer: Answer) -> float:
        """Seconds until the next attempt; raises StepFailedError when there is none."""
        try:
            due = min(self.waited + self._delay(answer), self.limit)
        except StepFailedError as error:
            error.waited = self.waited
            raise
        if self.waited >= self.limit:
            raise StepFailedError(
                f"gave up after {format_duration(self.limit)}: {answer.detail}", waited=self.waited
            )
        delay, self.waited = due - self.waited, due
        return delay

    def _delay(self, answer: Answer) -> float:
        """As long as this answer asks for; failures are counted from 0 again after a pending answer."""
        if answer.after is not None:
            delay = answer.after if answer.exact else poll_delay(answer.after, self.polls)
            self.polls, self.failures, self.conflicts = self.polls + bool(delay), 0, 0
            return delay
        if answer.busy:
            self.conflicts += 1
            return backoff(answer, self.retry, self.conflicts)
        self.failures += 1
        return retry_delay(answer, self.retry, self.failures)


def poll_delay(after: float, polls: int) -> float:
    """Each wait is half as long again as the one before, up to five minutes, in seconds."""
    return float(min(after * 1.5 ** min(polls, 20), max(after, LONGEST_POLL)))


def retry_delay(answer: Answer, retry: RetryPlan, failures: int) -> float:
    """Doubles from `first` to `max`, or longer if the service requires it; raises after the last attempt."""
    raise_unless_successful(answer)
    if failures >= retry.attempts:
        raise StepFailedError(f"{answer.detail} (attempt {failures} of {retry.attempts})")
    return backoff(answer, retry, failures)


def backoff(answer: Answer, retry: RetryPlan, failures: int) -> float:
    """The wait after this many failures in a row, in seconds."""
    doubled = float(min(retry.first * 2.0 ** min(failures - 1, 30), retry.max))
    return max(doubled, float(answer.retry_after or 0))
