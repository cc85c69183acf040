"""The traffic of a rollout: planned once, moved map by map, and watched.

Each function may be called any number of times, and writes only over a map that is its own predecessor:
what somebody else has put is left alone.
"""

from collections.abc import Mapping
from typing import Any

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.rollout_analysis import Reading, percentiles, read
from mlevents.actions.rollout_parameters import Rollout
from mlevents.actions.rollout_plan import Phase
from mlevents.actions.rollout_target import SOON, UNDER_WAY, RolloutTarget
from mlevents.actions.traffic import same, serving, share_of, without, words
from mlevents.errors import StoppedError, TransientError
from mlevents.services.machine_learning_states import EndpointState

Progress = Mapping[str, Any]
LONGEST_SPAN = 6 * 3600.0
"""Seconds of metrics that are read at most."""


def shift(target: RolloutTarget, progress: Progress) -> Outcome:
    """Put the map of this phase, unless it stands there already; stop for one of somebody else."""
    state = target.standing()
    if state.provisioning_state in UNDER_WAY:
        return endpoint_changes(state, progress)
    target.must_be_usable(state)
    phase = phase_of(target, progress)
    if _is_at(state, phase):
        return Done(f"{_phase_words(target, phase)} of '{state.name}'", result(target, state, progress))
    _must_follow(state, target, progress)
    target.must_be_able(target.found())
    target.endpoints.set_traffic(
        target.endpoint,
        phase["traffic"],
        phase["mirror"],
        check=lambda now: _must_follow(now, target, progress),
    )
    return Pending(f"the traffic of '{state.name}' moves to {words(phase['traffic'])}", SOON, dict(progress))


def observe(target: RolloutTarget, progress: Progress, rollout: Rollout, address: str) -> Outcome:
    """What the metrics say of this phase so far; stop when somebody else has moved the traffic."""
    state = target.standing()
    if state.provisioning_state in UNDER_WAY:
        return endpoint_changes(state, progress)
    phase = phase_of(target, progress)
    if not _is_at(state, phase):
        raise _foreign(state, target)
    deployment = target.found()
    if deployment and deployment.provisioning_state in UNDER_WAY:
        said = f"deployment '{deployment.name}' is {deployment.provisioning_state}"
        return Done(said, {"verdict": "unclear"})
    target.must_be_able(deployment)
    reading = _reading(target, progress, rollout, (state, address))
    return Done(reading.words, {"verdict": reading.verdict})


def endpoint_changes(state: EndpointState, progress: Progress) -> Pending:
    """An operation on the endpoint is under way: look again soon."""
    return Pending(f"endpoint '{state.name}' is {state.provisioning_state}", SOON, dict(progress))


def phase_of(target: RolloutTarget, progress: Progress) -> Phase:
    """The phase under way; all traffic at once where nothing was planned."""
    if "phase" in progress:
        found: Phase = progress["plan"][progress["phase"]]
        return found
    mirror = progress.get("before_mirror", {})
    kept = without(mirror, target.deployment)
    return {"percent": 100, "traffic": dict(target.all_traffic), "mirror": kept, "verb": "shift_traffic"}


def result(target: RolloutTarget, state: EndpointState, progress: Progress) -> dict[str, Any]:
    """What later steps may read of a deployment that has its traffic."""
    return {
        "endpoint": target.endpoint,
        "deployment": target.deployment,
        "model": target.model,
        "scoring_uri": state.scoring_uri,
        "traffic": dict(state.traffic),
        "before": progress.get("before", {}),
        "studio": target.studio,
    }


def _reading(
    target: RolloutTarget, progress: Progress, rollout: Rollout, place: tuple[EndpointState, str]
) -> Reading:
    """Metrics that cannot be read now are unclear, not a failure: the next look may read them."""
    if not rollout.needed and not rollout.checks:
        return Reading("healthy", "nothing to check")
    state, address = place
    stable = [*without(phase_of(target, progress)["traffic"], target.deployment)]
    span = min(max(float(progress.get("elapsed", 0.0)), 60.0), LONGEST_SPAN)
    try:
        minutes = target.machine_learning.metrics(state.location, address).minutes(
            target.machine_learning.workspace.endpoint(target.endpoint), span, percentiles(rollout)
        )
    except TransientError as error:
        return Reading("unclear", f"no metrics now: {error}")
    return read(rollout, minutes, target.deployment, stable)


def _must_follow(state: EndpointState, target: RolloutTarget, progress: Progress) -> None:
    """Raise StoppedError unless the map is the one before this phase's, or this phase's own."""
    expected = [(progress.get("before", state.traffic), progress.get("before_mirror", state.mirror))]
    if "phase" in progress:
        earlier = [one for one in progress["plan"][: progress["phase"]] if one["verb"] == "shift_traffic"]
        expected = [(one["traffic"], one["mirror"]) for one in earlier[-1:]] or expected
    phase = phase_of(target, progress)
    expected.append((phase["traffic"], phase["mirror"]))
    if not any(same(state.traffic, traffic) and same(state.mirror, mirror) for traffic, mirror in expected):
        raise _foreign(state, target)


def _foreign(state: EndpointState, target: RolloutTarget) -> StoppedError:
    mirrored = f" (mirrored: {words(state.mirror)})" if serving(state.mirror) else ""
    return StoppedError(
        f"somebody else moved the traffic of endpoint '{state.name}', to {words(state.traffic)}{mirrored}, "
        f"during the rollout of '{target.deployment}': it is left so"
    )


def _is_at(state: EndpointState, phase: Phase) -> bool:
    return same(state.traffic, phase["traffic"]) and same(state.mirror, phase["mirror"])


def _phase_words(target: RolloutTarget, phase: Phase) -> str:
    if phase["percent"] == 100:
        return f"'{target.deployment}' has all traffic"
    if phase["percent"]:
        return f"'{target.deployment}' has {phase['percent']} % of the traffic"
    return (
        f"'{target.deployment}' has a copy of {share_of(phase['mirror'], target.deployment)} % of the traffic"
    )
