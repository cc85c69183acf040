"""The first part of a rollout: its endpoint's lease, the endpoint, and the deployment without traffic.

What the first look at an endpoint found is kept with its lease, so that fewer calls follow; it is forgotten
when the endpoint was not free, for another rollout has changed it since.
"""

from dataclasses import replace

from mlevents.actions.deploy_model.operated_rollout import OperatedRollout
from mlevents.actions.deploy_model.planned_time import planned_in_all, planned_seconds
from mlevents.actions.deploy_model.rollout_record import record_of
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.orchestration.answer import Answer
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.lease import Lease
from mlevents.orchestration.lease_messages import LeaseIntent
from mlevents.orchestration.step_errors import StepFailedError
from mlevents.orchestration.step_runner import DEFAULT_TIMEOUT


def wait_for_lease(run: OperatedRollout, lease: Lease) -> Durable[Json | None]:
    """Wait for the endpoint; an operator may end the wait.

    What was seen of the endpoint before is kept with the lease if that was free, and else forgotten.
    """
    intent = LeaseIntent(planned_in_all(run), record_of(run)) if run.progress.ahead else None
    waiting = lease.acquire(run.call.step.timeout or DEFAULT_TIMEOUT, run.report_wait, intent)
    try:
        kept = yield from run.interruption.run(waiting)
    except StepFailedError:
        yield from lease.release()
        raise
    if not lease.is_held_at_once:
        run.progress = replace(run.progress, before=None, before_mirror=None, plan=(), allowed=False)
    if run.progress.ahead:
        run.claim = lease.claim
        run.confirm_lease = lambda: lease.renew(planned_in_all(run), record_of(run))
    return kept


def provision_deployment(run: OperatedRollout, lease: Lease) -> Durable[Answer]:
    """The endpoint, unless it is known already, and the deployment; their record is kept with the lease."""
    if run.progress.before is None:
        yield from run.perform_phase("endpoint", RolloutVerb.ENSURE_ENDPOINT)
        if run.progress.ahead:
            yield from lease.renew(planned_in_all(run), record_of(run))
    else:
        run.begin_phase("endpoint")
        run.update_phase(f"endpoint '{run.progress.endpoint}' is there", 0.0)
    if not run.progress.ahead:
        create = (RolloutVerb.CREATE_DEPLOYMENT, RolloutVerb.FOLLOW_DEPLOYMENT)
        yield from lease.renew(planned_seconds(run, *create), record_of(run))
        return (yield from run.perform_phase("deployment", *create))
    known = run.progress
    answer = yield from run.perform_phase("deployment", RolloutVerb.CREATE_DEPLOYMENT)
    if not run.progress.has_same_plan(known):
        yield from lease.renew(planned_in_all(run), record_of(run))
    return answer
