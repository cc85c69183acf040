"""Restores the traffic: in the rollout that moved it, or in another one from the stored record."""

from dataclasses import dataclass, replace

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.actions.deploy_model.restoration import restore_until_done
from mlevents.actions.deploy_model.rollout_record import RolloutRecord
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.step_errors import StepFailedError, describe_fault


class UnrestoredError(StepFailedError):
    """An error of ours kept the traffic from being put back: another orchestration must try it."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """What people read of the traffic, and of what was left behind."""

    restored: str
    left: str

    def __str__(self) -> str:
        return f"{self.restored}; {self.left}"


def roll_back(context: OrchestrationContext, run: RolloutRun) -> Durable[Rollback]:
    """Restore the traffic, then clean up. Raises UnrestoredError."""
    try:
        restored = yield from restore_until_done(context, run)
    except Exception as error:
        raise UnrestoredError(
            f"the traffic could not be put back to {run.progress.before}: {describe_fault(error)}"
        ) from error
    left = yield from run.attempt_phase("clean-up", RolloutVerb.DISCARD)
    return Rollback(restored, left)


def roll_back_from(context: OrchestrationContext, record: RolloutRecord) -> Durable[Rollback]:
    """Restore the traffic that a rollout left when it ended, from its record."""
    run = RolloutRun(context, record.call)
    run.progress = replace(record.progress, inherited=True)
    return (yield from roll_back(context, run))
