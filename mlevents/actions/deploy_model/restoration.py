"""Putting the traffic back after a rollout that failed, however long that takes.

Seconds are counted in the waits that were asked for, never read off a clock.
"""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.phases import Run
from mlevents.orchestration.step_runner import Call, StepFailedError, carry

STUBBORN = 1000
"""Attempts within a round: an endpoint left half-way is worse than a long wait."""
ROUND = 300.0
"""Seconds after which the restoring begins anew, from what there is by then."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 1800.0
"""Seconds between two rounds; each pause is twice the one before."""
FIRST_NOTICE, LONGEST_SILENCE = 300.0, 86_400.0
"""Seconds until people are notified, and at most until they are notified again."""
NOTICE = 60.0
"""Seconds that one notification may take; the traffic waits meanwhile."""


def restore(context: OrchestrationContext, run: Run) -> Generator[Any, Any, str]:
    """Put the previous traffic maps back, beyond the step's attempts and timeout; says what serves.

    It ends only when the verb says that there is nothing left to put back. Until then it tries with
    growing pauses, and notifies people at growing intervals.
    """
    call = stubborn({**run.call, "verb": "restore_traffic", "progress": run.progress})
    run.phases.append({"phase": "restoring", "seconds": 0.0, "detail": ""})
    taken, pause, due, notified = 0.0, FIRST_PAUSE, FIRST_NOTICE, 0
    while True:
        try:
            answer = yield from carry(context, call, ROUND)
        except StepFailedError as error:
            run.note(f"{error} (still trying)", error.waited)
            taken += error.waited
            if taken >= due:
                notified, due = notified + 1, taken + min(taken, LONGEST_SILENCE)
                yield from warn(context, run, str(error), notified)
        else:
            run.note(answer["detail"], answer["waited"])
            return str(answer["detail"])
        yield context.create_timer(timedelta(seconds=pause))
        run.note(run.phases[-1]["detail"], pause)
        taken, pause = taken + pause, min(2 * pause, LONGEST_PAUSE)


def stubborn(call: Call) -> Call:
    """The call with as many attempts as it takes."""
    step = call["step"]
    return {**call, "step": {**step, "retry": {**step["retry"], "attempts": STUBBORN}}}


def warn(context: OrchestrationContext, run: Run, fact: str, number: int) -> Generator[Any, Any]:
    """Notify people that the traffic is not restored yet; a notification that fails stops nothing."""
    known = {name: run.progress.get(name) for name in ("endpoint", "deployment", "model", "before")}
    text = f"the traffic of endpoint '{known['endpoint']}' could not be restored yet: {fact}; still trying"
    step = run.call["step"]
    failure = {**known, "step": step["id"], "uses": step["uses"], "status": "failed", "message": text}
    for notice in run.notices:
        named = {**notice["step"], "id": f"{notice['step']['id']}.restoring-{number}"}
        try:
            yield from carry(context, {**notice, "step": named, "failure": failure}, NOTICE)
        except StepFailedError as error:
            run.note(f"no notification was sent: {error}", 0.0)
