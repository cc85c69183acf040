"""The traffic of a rollout: planned once, and moved map by map.

Each function can be repeated, and replaces only the map that comes before its own in the plan: a map that
someone else has set is not changed.
"""

from typing import Any

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.deploy_model.progress import Phase, Progress
from mlevents.actions.deploy_model.target import SOON, UNDER_WAY, RolloutTarget
from mlevents.actions.deploy_model.traffic_map import (
    format_traffic,
    is_same_traffic,
    other_holders,
    share_of,
    traffic_holders,
)
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.errors import StoppedError
from mlevents.services.machine_learning.states import EndpointState


def shift_traffic(target: RolloutTarget, progress: Progress) -> Outcome:
    """Put the map of this phase, unless it is there already; stop for one that someone else has set."""
    state = target.read_endpoint()
    if state.provisioning_state in UNDER_WAY:
        return wait_for_endpoint(state, progress, brief=True)
    target.check_endpoint(state)
    phase = current_phase(target, progress)
    if is_at(state, phase):
        return Done(
            f"{_phase_words(target, phase)} of '{state.name}'", rollout_result(target, state, progress)
        )
    _check_expected_traffic(state, target, progress)
    target.check_deployment(target.read_deployment())
    target.endpoints.set_traffic(
        target.endpoint,
        phase.traffic,
        phase.mirror,
        check=lambda now: _check_expected_traffic(now, target, progress),
    )
    said = f"the traffic of '{state.name}' moves to {format_traffic(phase.traffic)}"
    return Pending(said, SOON, progress.to_json(), brief=True)


def wait_for_endpoint(state: EndpointState, progress: Progress, *, brief: bool = False) -> Pending:
    """An operation on the endpoint is under way: look again soon; `brief` if it is most likely a move."""
    said = f"endpoint '{state.name}' is {state.provisioning_state}"
    return Pending(said, SOON, progress.to_json(), brief=brief)


def current_phase(target: RolloutTarget, progress: Progress) -> Phase:
    """The phase under way; all traffic at once where nothing was planned."""
    if progress.phase is not None:
        return progress.plan[progress.phase]
    mirror = other_holders(progress.before_mirror or {}, target.deployment)
    traffic = dict(target.all_traffic)
    return Phase("100 %", RolloutVerb.SHIFT_TRAFFIC, percent=100, traffic=traffic, mirror=mirror)


def rollout_result(target: RolloutTarget, state: EndpointState, progress: Progress) -> dict[str, Any]:
    """What later steps may read of a deployment that has its traffic."""
    return {
        "endpoint": target.endpoint,
        "deployment": target.deployment,
        "model": target.model,
        "scoring_uri": state.scoring_uri,
        "traffic": dict(state.traffic),
        "before": progress.before or {},
        "studio": target.studio,
    }


def _check_expected_traffic(state: EndpointState, target: RolloutTarget, progress: Progress) -> None:
    """Raise StoppedError unless the map is the one before this phase's, or this phase's own."""
    before = state.traffic if progress.before is None else progress.before
    before_mirror = state.mirror if progress.before_mirror is None else progress.before_mirror
    expected = [(before, before_mirror)]
    if progress.phase is not None:
        earlier = [one for one in progress.plan[: progress.phase] if one.verb is RolloutVerb.SHIFT_TRAFFIC]
        expected = [(one.traffic, one.mirror) for one in earlier[-1:]] or expected
    phase = current_phase(target, progress)
    expected.append((phase.traffic, phase.mirror))
    if not any(
        is_same_traffic(state.traffic, traffic) and is_same_traffic(state.mirror, mirror)
        for traffic, mirror in expected
    ):
        raise foreign_traffic_error(state, target)


def foreign_traffic_error(state: EndpointState, target: RolloutTarget) -> StoppedError:
    """What to raise where someone else has moved the traffic."""
    mirrored = f" (mirrored: {format_traffic(state.mirror)})" if traffic_holders(state.mirror) else ""
    return StoppedError(
        f"someone else moved the traffic of endpoint '{state.name}', to {format_traffic(state.traffic)}"
        f"{mirrored}, during the rollout of '{target.deployment}': it is left so"
    )


def is_at(state: EndpointState, phase: Phase) -> bool:
    """Whether the endpoint has the phase's maps."""
    return is_same_traffic(state.traffic, phase.traffic) and is_same_traffic(state.mirror, phase.mirror)


def _phase_words(target: RolloutTarget, phase: Phase) -> str:
    if phase.percent == 100:
        return f"'{target.deployment}' has all traffic"
    if phase.percent:
        return f"'{target.deployment}' has {phase.percent} % of the traffic"
    return f"'{target.deployment}' has a copy of {share_of(phase.mirror, target.deployment)} % of the traffic"
