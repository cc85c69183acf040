"""The orchestrator of a deployment: all traffic moves to the new one, or goes back to where it was.

The functions are in the order in which a rollout runs; docs/rollouts.md has a diagram. The rollout holds the
endpoint's lease until its end, so only one response at a time changes an endpoint. The record for restoring
the traffic is kept with the lease, so another orchestration can restore it if this one ends early.
"""

import json
import logging
from dataclasses import replace

from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.actions.deploy_model.approval_wait import prepare_approval, wait_for_approval
from mlevents.actions.deploy_model.operated_rollout import OperatedRollout
from mlevents.actions.deploy_model.phase_watch import watch_phase
from mlevents.actions.deploy_model.planned_time import planned_seconds
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.provisioning import provision_deployment, wait_for_lease
from mlevents.actions.deploy_model.rollback import UnrestoredError, roll_back, roll_back_from
from mlevents.actions.deploy_model.rollout_record import RolloutRecord, record_of
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.gates.order import Order
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.gating import check_target_gates
from mlevents.orchestration.lease import Lease
from mlevents.orchestration.messages import Call
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_errors import (
    GateClosedError,
    LeaseLostError,
    StepFailedError,
    describe_fault,
)
from mlevents.orchestration.step_runner import DEFAULT_TIMEOUT
from mlevents.orchestration.versions import FEWER_CALLS_SINCE, since
from mlevents.orchestration.waiting import find_alive
from mlevents.orchestration.waiting_order import WaitingOrder

log = logging.getLogger("mlevents")


def roll_out_model(context: OrchestrationContext, text: str) -> Durable[str]:
    """Complete a `deploy_model` step, given as a Call; gives its Answer as JSON text in any case."""
    run = OperatedRollout(context, Call.from_json(json.loads(text)))
    try:
        answer = yield from take_lease(context, run)
    except StepFailedError as error:
        answer = replace(run.fail(error), unrestored=isinstance(error, UnrestoredError))
    except Exception as error:  # the boundary
        if not context.is_replaying:
            log.exception("rollout %s: a fault in mlevents", context.instance_id)
        answer = run.fail(StepFailedError(describe_fault(error)))
    return to_text(answer.to_json())


def take_lease(context: OrchestrationContext, run: OperatedRollout) -> Durable[Answer]:
    """Find the endpoint, wait for its lease, and release the lease at the end."""
    run.progress = Progress(ahead=since(context, FEWER_CALLS_SINCE))
    located = yield from run.perform(RolloutVerb.LOCATE)
    if located.kind is AnswerKind.HELD:
        yield from run.interruption.check()
    if located.kind is not AnswerKind.DONE:
        return located
    run.progress = run.progress.join(located.result)
    order = run.call.response.gates.get("order")
    lease = Lease(context, run.progress.lock, WaitingOrder.from_json(order) if order else None)
    kept = yield from wait_for_lease(run, lease)
    try:
        record = None if kept is None else RolloutRecord.from_json(kept)
        answer = yield from run_with_lease(context, run, lease, record)
    except UnrestoredError:
        raise  # the lease is kept with its record, for the orchestration that restores the traffic
    except Exception:
        yield from lease.release()
        raise
    yield from lease.release()
    return answer


def run_with_lease(
    context: OrchestrationContext, run: OperatedRollout, lease: Lease, record: RolloutRecord | None
) -> Durable[Answer]:
    """Put back what an ended rollout left, and go on if no gate objects by now."""
    if record is not None and record.answer is not None:
        if record.call.identity == run.call.identity:  # an earlier start of this rollout had completed
            run.progress, run.phases = record.progress, list(record.phases)
            return (yield from complete_rollout(run, record.answer))
    elif record is not None:
        yield from roll_back_from(context, record)
        yield from lease.renew(DEFAULT_TIMEOUT, None)
    if lease.order:
        yield from check_newer_waiting(lease, lease.order)
        run.progress = replace(run.progress, order=lease.order)
    yield from check_target_gates(context, run.call)
    return (yield from roll_out(context, run, lease))


def check_newer_waiting(lease: Lease, order: WaitingOrder) -> Durable[None]:
    """Raise GateClosedError when a newer version waits for the same endpoint, and its response still runs."""
    gate = Order.model_validate(order.to_json())
    view = lease.view if lease.is_held_at_once else (yield from lease.look())
    newer = yield from find_alive(
        lease.context,
        [ticket for ticket in view.waiting if ticket.order and gate.superseded([ticket.order.to_json()])],
    )
    if objection := gate.superseded([ticket.order.to_json() for ticket in newer if ticket.order]):
        raise GateClosedError("order", objection)


def roll_out(context: OrchestrationContext, run: OperatedRollout, lease: Lease) -> Durable[Answer]:
    """Endpoint, deployment, the phases of the plan; after any error, restore the traffic."""
    try:
        answer = yield from provision_deployment(run, lease)
        for number, phase in enumerate(run.progress.plan):
            run.progress = replace(run.progress, phase=number)
            if not run.progress.ahead:
                yield from lease.renew(planned_seconds(run, phase.verb, phase=phase), record_of(run))
            if phase.approve:
                prepare_approval(run, phase, number)
            answer = yield from run.perform_phase(phase.name, phase.verb, limit=phase.timeout)
            watch = wait_for_approval if phase.approve else watch_phase
            yield from watch(run, phase, number)
        answer = replace(answer, result=run.progress.result)
        yield from run.interruption.check()
        yield from keep_answer(run, lease, answer)
    except LeaseLostError:
        raise  # the orchestration that holds the endpoint now restores the traffic
    except Exception as error:
        if run.progress.before is None:
            raise
        raise (yield from fail_rollout(context, run, lease, error)) from error
    return (yield from complete_rollout(run, answer))


def keep_answer(run: OperatedRollout, lease: Lease, answer: Answer) -> Durable[None]:
    """Keep with the lease that the rollout has completed, so that nobody puts its traffic back."""
    record = RolloutRecord.of(run, answer)
    if run.progress.retired is None:
        yield from lease.renew(DEFAULT_TIMEOUT, record)
    else:
        yield from lease.complete(record)


def complete_rollout(run: OperatedRollout, answer: Answer) -> Durable[Answer]:
    """Retire what is no longer needed; may be done twice."""
    retired = run.progress.retired
    if retired is None:
        retired = yield from run.attempt_phase("retired", RolloutVerb.RETIRE)
    else:
        run.begin_phase("retired")
        run.update_phase(retired, 0.0)
    phases = [phase.to_json() for phase in run.phases]
    return replace(answer, result={**answer.result, "phases": phases, "retired": retired})


def fail_rollout(
    context: OrchestrationContext, run: OperatedRollout, lease: Lease, error: Exception
) -> Durable[StepFailedError]:
    """Put the traffic back, take the log of what failed, and give the error that says all of it."""
    cause = error if isinstance(error, StepFailedError) else StepFailedError(describe_fault(error))
    run.interruption.close()
    run.watched_phase = None
    run.publish(f"going back: {cause}")
    try:
        yield from lease.renew(None, record_of(run))
    except TaskFailedError:
        run.publish(f"going back without a renewed lease: {cause}")
    rollback = yield from roll_back(context, run)
    run.report |= {"restored": rollback.restored, "left": rollback.left, "reason": str(cause)}
    return cause.with_text(f"{cause}; {rollback}")
