"""Watches a phase of a rollout: holds it for its time, and reads the metrics meanwhile.

Seconds are the sum of the requested waits, never read from a clock. A promoted phase is left early: its
metrics are read once more, and a check that has failed for good still fails the rollout.
"""

from dataclasses import replace

from mlevents.actions.deploy_model.analysis import Move, Observation, PhaseState, decide_move
from mlevents.actions.deploy_model.operated_rollout import OperatedRollout
from mlevents.actions.deploy_model.progress import Phase
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.duration import format_duration
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.step_errors import StepFailedError, StepStoppedError

SHORTEST_LOOK, LONGEST_LOOK, LOOKS_A_PHASE = 60.0, 300.0, 60
HEALTHY_LOOK, LOOK_GROWTH = 120.0, 1.5
"""How far a pause grows while the checks hold: what goes wrong then is noticed two minutes later."""
PROMOTED_WORDS = {
    "healthy": "",
    "unclear": " though the checks are inconclusive",
    "breached": " past a failed check",
}
"""What people read of a promotion, by the last verdict of the checks."""


def watch_phase(run: OperatedRollout, phase: Phase, number: int) -> Durable[None]:
    """Stay in a phase for its time, reading the metrics; return when it may go on, and raise when not."""
    elapsed, breaches, looks = 0.0, 0, 0
    phase = replace(phase, timeout=run.longest(phase))
    run.watch(number if phase.for_ else None)
    while phase.for_:
        since = next_look(phase, elapsed, looks) - elapsed
        promotion = yield from run.hold_phase(since)
        if promotion is None:
            run.update_phase(run.phases[-1].detail, since)
            elapsed += since
        observation, detail = yield from look_at_metrics(run, elapsed, None if promotion else since)
        breaches += observation.verdict == "breached"
        looks = looks + 1 if run.progress.ahead and observation.verdict == "healthy" else 0
        run.update_phase(f"{format_duration(elapsed)} of {format_duration(phase.for_)}, {detail}", 0.0)
        state = PhaseState(
            elapsed, phase.for_, phase.timeout, breaches, run.progress.failures, observation.excused
        )
        decided = decide_move(observation.verdict, state)
        if promotion and decided != "fail":
            run.update_phase(describe_promotion(promotion, observation, detail), 0.0)
            break
        if decided == "promote":
            break
        raise_unless_held(decided, phase, elapsed, detail)
    run.watch(None)


def look_at_metrics(
    run: OperatedRollout, elapsed: float, since: float | None
) -> Durable[tuple[Observation, str]]:
    """What the metrics say after `elapsed` seconds of the phase, and the same for people."""
    answer = yield from run.perform(RolloutVerb.OBSERVE, replace(run.progress, elapsed=elapsed, since=since))
    observation = Observation.from_json(answer.result)
    run.record_checks(observation.checks)
    return observation, answer.detail


def describe_promotion(promotion: Intervention, observation: Observation, detail: str) -> str:
    """What people read of a phase that was left early: who promoted it, past what, and why."""
    return f"promoted{PROMOTED_WORDS[observation.verdict]} ({detail}) {promotion}"


def raise_unless_held(decided: Move, phase: Phase, elapsed: float, detail: str) -> None:
    """Raise the error with which a phase ends that failed, or that stayed inconclusive."""
    if decided == "fail":
        raise StepFailedError(f"at {phase.name}, after {format_duration(elapsed)}: {detail}")
    if decided == "stop":
        raise StepStoppedError(f"inconclusive at {phase.name} after {format_duration(elapsed)}: {detail}")


def next_look(phase: Phase, elapsed: float, looks: int = 0) -> float:
    """When to look next, in seconds since the phase began; always at its end, and at its timeout.

    A pause is half as long again as the one before, to a limit, while `looks` found the phase healthy.
    """
    grown = min(SHORTEST_LOOK * LOOK_GROWTH ** min(looks, 20), HEALTHY_LOOK)
    interval = max(min(phase.for_ / LOOKS_A_PHASE, LONGEST_LOOK), grown)
    ends = [end for end in (phase.for_, phase.timeout) if end > elapsed]
    return float(min([elapsed + interval, *ends]))
