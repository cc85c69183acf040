"""Restores the traffic after a failed rollout, without a time limit.

Seconds are the sum of the requested waits, never read from a clock.
"""

from dataclasses import replace
from datetime import timedelta

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.messages import Call, Failure
from mlevents.orchestration.step_errors import StepFailedError
from mlevents.orchestration.step_runner import run_step

MOST_ATTEMPTS = 1000
"""Attempts within a round: an endpoint left half-way is worse than a long wait."""
ROUND = 300.0
"""Seconds after which the restoring starts again, from the state at that time."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 1800.0
"""Seconds between two rounds; each pause is twice the one before."""
FIRST_NOTICE, LONGEST_SILENCE = 300.0, 86_400.0
"""Seconds until people are notified, and at most until they are notified again."""
NOTICE = 60.0
"""Seconds that one notification may take; the traffic waits meanwhile."""


def restore_until_done(context: OrchestrationContext, run: RolloutRun) -> Durable[str]:
    """Put the previous traffic maps back, beyond the step's attempts and timeout; says what serves.

    It ends only when the verb says that nothing is left to put back. Until then it tries with
    growing pauses, and notifies people at growing intervals.
    """
    call = make_restore_call(run)
    run.begin_phase("restoring")
    taken, pause, due, notified = 0.0, FIRST_PAUSE, FIRST_NOTICE, 0
    while True:
        try:
            answer = yield from run_step(context, call, ROUND)
        except StepFailedError as error:
            run.update_phase(f"{error} (still trying)", error.waited)
            taken += error.waited
            if taken >= due:
                notified, due = notified + 1, taken + min(taken, LONGEST_SILENCE)
                yield from notify_unrestored(context, run, str(error), notified)
        else:
            run.record_traffic(run.progress.before or {})
            run.update_phase(answer.detail, answer.waited)
            return answer.detail
        yield context.create_timer(timedelta(seconds=pause))
        run.update_phase(run.phases[-1].detail, pause)
        taken, pause = taken + pause, min(2 * pause, LONGEST_PAUSE)


def make_restore_call(run: RolloutRun) -> Call:
    """The call that restores the traffic, with as many attempts as that takes."""
    step = replace(run.call.step, retry=replace(run.call.step.retry, attempts=MOST_ATTEMPTS))
    progress = run.progress.to_json()
    return replace(run.call, verb=RolloutVerb.RESTORE_TRAFFIC, step=step, progress=progress)


def notify_unrestored(
    context: OrchestrationContext, run: RolloutRun, fact: str, number: int
) -> Durable[None]:
    """Notify people that the traffic is not restored yet; a notification that fails stops nothing."""
    progress, step = run.progress, run.call.step
    message = f"the traffic of endpoint '{progress.endpoint}' could not be restored yet: {fact}; still trying"
    report = {**progress.subject, "before": progress.before}
    failure = Failure(step.id, step.uses, "failed", message, report)
    for notice in run.notices:
        named = replace(notice.step, id=f"{notice.step.id}.restoring-{number}")
        try:
            yield from run_step(context, replace(notice, step=named, failure=failure), NOTICE)
        except StepFailedError as error:
            run.update_phase(f"no notification was sent: {error}", 0.0)
