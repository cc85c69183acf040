"""A phase of a rollout in which a person decides: the traffic stays, the checks go on.

A rejection, no answer in time, or a check that fails sends the traffic back. Seconds are the sum of the
requested waits, and do not count against the timeout of the step.
"""

from dataclasses import astuple, replace
from datetime import UTC, timedelta

from mlevents.actions.deploy_model.analysis import PhaseState, decide_move
from mlevents.actions.deploy_model.operated_rollout import OperatedRollout
from mlevents.actions.deploy_model.phase_watch import LONGEST_LOOK, look_at_metrics
from mlevents.actions.deploy_model.progress import Phase
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.duration import format_duration
from mlevents.gates.approve.link import ApprovalSubject, digest_plan
from mlevents.gates.approve.record import APPROVED, UNDECIDED
from mlevents.gates.approve.terms import APPROVE, ApprovalTerms
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.step_errors import StepFailedError, StepStoppedError

_NOT_APPROVED = "stopped"


def prepare_approval(run: OperatedRollout, phase: Phase, number: int) -> None:
    """Say in the progress what people are asked at this phase."""
    response, step, terms = run.call.response, run.call.step, ApprovalTerms.model_validate(phase.approve)
    now = run.context.current_utc_datetime.replace(tzinfo=UTC)
    until = (now + timedelta(seconds=terms.within)).isoformat()
    plan = digest_plan(response.rule or "", [step.to_json()], {})
    place = f"{step.id}, {phase.name}, phase {number}"
    subject = ApprovalSubject(f"{response.id}~{response.reruns}", place, plan)
    following = next(one.name for one in run.progress.plan[number:] if one.verb is RolloutVerb.SHIFT_TRAFFIC)
    now_has = f"the new deployment has {phase.percent} % of the traffic"
    line = f"endpoint {run.progress.endpoint}: {now_has}; with an approval it gets {following}"
    about = run.progress.model or response.event.subject
    event = f"{response.event.type}, {response.event.subject}"[:1000]
    message = [response.id, response.rule or "", about, event, [line], until]
    asking = {"terms": phase.approve, "subject": [*astuple(subject)], "message": message}
    run.progress = replace(run.progress, asking=asking)
    run.approval = {}


def wait_for_approval(run: OperatedRollout, phase: Phase, number: int) -> Durable[None]:
    """Wait for the decision of a person; return when it is an approval, and raise when not."""
    _open_approval(run)
    try:
        decision = yield from _find_decision(run, phase, number)
    except StepFailedError as error:  # a check failed, or an operator ended the rollout
        _close_approval(run, _NOT_APPROVED, str(error))
        raise
    _settle(run, phase, decision)


def _find_decision(run: OperatedRollout, phase: Phase, number: int) -> Durable[Intervention | None]:
    """The decision; None when nobody decided in time."""
    elapsed, breaches = 0.0, 0
    has_moved = any(one.verb is RolloutVerb.SHIFT_TRAFFIC for one in run.progress.plan[:number])
    while elapsed < phase.for_:
        since = min(LONGEST_LOOK, phase.for_ - elapsed)
        decision = yield from run.wait_for_decision(since, str(run.approval["key"]))
        if decision is None:
            elapsed += since
            run.update_phase(run.phases[-1].detail, since)
            run.spent -= since
        elif decision.verb != APPROVE:
            break
        if has_moved:
            breaches += yield from _check(run, phase, elapsed, breaches)
        if decision:
            break
    return decision


def _check(run: OperatedRollout, phase: Phase, elapsed: float, breaches: int) -> Durable[int]:
    """Read the metrics; gives 1 for a reading beyond a limit, and raises when there are too many."""
    observation, detail = yield from look_at_metrics(run, elapsed, None)
    breached = observation.verdict == "breached"
    run.update_phase(f"waiting for an approval, {detail}", 0.0)
    state = PhaseState(elapsed, phase.for_ + 1, phase.for_ + 1, breaches + breached, run.progress.failures)
    if decide_move(observation.verdict, state) == "fail":
        raise StepFailedError(f"at {phase.name}, after {format_duration(elapsed)}: {detail}")
    return int(breached)


def _settle(run: OperatedRollout, phase: Phase, decision: Intervention | None) -> None:
    """Record the decision; raise StepStoppedError for another one than an approval."""
    if decision is None:
        said = f"nobody decided within {format_duration(phase.for_)}"
    else:
        comment = f": {decision.reason}" if decision.reason else ""
        said = f"{'approved' if decision.verb == APPROVE else 'rejected'} by {decision.by}{comment}"
    if decision and decision.verb == APPROVE:
        return _close_approval(run, APPROVED, said)
    _close_approval(run, _NOT_APPROVED, said)
    raise StepStoppedError(f"{phase.name}: {said}")


def _open_approval(run: OperatedRollout) -> None:
    """Publish what the API reads of the approval."""
    asked = run.progress.asking
    subject, terms = ApprovalSubject(*asked["subject"]), asked["terms"]
    run.approval = {
        "key": subject.key,
        "place": subject.place,
        "step": run.call.step.id,
        "would": list(asked["message"][-2]),
        "hash": asked["hash"],
        "by": terms.get("by"),
        "not_by": terms.get("not_by"),
        "author": asked.get("author"),
        "until": asked["message"][-1],
        "status": UNDECIDED,
        "detail": run.phases[-1].detail,
    }
    run.publish(f"{run.phases[-1].phase}: {run.phases[-1].detail}")


def _close_approval(run: OperatedRollout, status: str, detail: str) -> None:
    run.approval = {**run.approval, "status": status, "detail": detail}
    run.progress = replace(run.progress, asking={})
    run.update_phase(detail, 0.0)
