"""Restores the traffic from before a rollout, for every state of the old deployments.

It is done only when the new deployment has no more traffic than before, when someone else has set the
maps, or when no old deployment is left. Every other result is pending or an error, and is retried.
"""

from dataclasses import replace
from functools import partial

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.deploy_model.lookup import LOOKS_UNTIL_ABSENT
from mlevents.actions.deploy_model.previous_deployments import PreviousDeployments
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.target import SOON, UNDER_WAY, RolloutTarget
from mlevents.actions.deploy_model.traffic_map import (
    Traffic,
    format_traffic,
    is_same_traffic,
    traffic_holders,
)
from mlevents.actions.deploy_model.traffic_plan import is_planned_traffic
from mlevents.actions.deploy_model.traffic_shift import current_phase, is_at, wait_for_endpoint
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.canonical import fold
from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.services.machine_learning.states import EndpointState

SETTLING = 120.0
"""Seconds in which a write of ours may still arrive whose answer was lost: longer than a request may take
(`services.azure.PATIENCE`), and than a killed host keeps its activities (host.json)."""
INVALID = frozenset({400, 422})
"""Statuses of a request that is wrong in itself."""
RIGHTS = frozenset({401, 403})
"""Statuses that say nothing about the map, whatever they name."""


def restore_maps(target: RolloutTarget, progress: Progress) -> Outcome:
    """Put the maps back that stood before ours, and never over ones that someone else made.

    Where a write of ours may still be under way, it looks again after a while before it is done.
    """
    before = progress.before
    if before is None:
        return Done("no traffic was moved")
    state = target.find_endpoint()
    if state is None:
        return _absent(target, progress)
    if state.provisioning_state in UNDER_WAY:
        return wait_for_endpoint(state, progress)
    if progress.late is None:
        progress = replace(progress, late=_may_arrive(target, state, progress))
    outcome = _restored(target, state, before, progress)
    if isinstance(outcome, Done) and progress.late:
        said = f"{outcome.detail}; looked at again, because a write of ours may still arrive"
        return Pending(said, SETTLING, replace(progress, late=False).to_json(), exact=True)
    return outcome


def _absent(target: RolloutTarget, progress: Progress) -> Outcome:
    """Look again for an endpoint that neither Azure's answer nor its list shows."""
    looks = progress.missing + 1
    if looks < LOOKS_UNTIL_ABSENT:
        said = f"endpoint '{target.endpoint}' is not found: looked for again"
        return Pending(said, SOON, replace(progress, missing=looks).to_json())
    return Done(f"endpoint '{target.endpoint}' is gone, so there is no traffic to restore")


def _may_arrive(target: RolloutTarget, state: EndpointState, progress: Progress) -> bool:
    """Whether a map of ours may still be put: one whose answer was lost, or that someone else sent."""
    if progress.phase is None or current_phase(target, progress).verb is not RolloutVerb.SHIFT_TRAFFIC:
        return False
    return progress.inherited or not is_at(state, current_phase(target, progress))


def _restored(target: RolloutTarget, state: EndpointState, before: Traffic, progress: Progress) -> Outcome:
    """One look at an endpoint on which no operation is under way, and one write at most."""
    mirror = state.mirror if progress.before_mirror is None else progress.before_mirror
    there = _is_at(state, (before, mirror))
    if there and not _is_broken_by_us(state, progress):
        return Done(f"the traffic of '{state.name}' is {format_traffic(state.traffic)}")
    earlier = PreviousDeployments.find(target, before, mirror)
    if there or _is_ours(state, target, progress):
        return _waiting(earlier, progress) or _put_back(target, state, earlier, progress)
    if _is_at(state, earlier.maps(sure=True)):
        return Done(f"the traffic of '{state.name}' is {format_traffic(state.traffic)}")
    return Done(
        f"the traffic of '{state.name}' was set by someone else, so it stays: {format_traffic(state.traffic)}"
    )


def _waiting(earlier: PreviousDeployments, progress: Progress) -> Pending | None:
    """What keeps the traffic from going back for the moment, if anything does."""
    if changing := earlier.changing:
        said = f"deployment '{changing.name}' is {changing.provisioning_state}"
        return Pending(f"{said}: the traffic waits to go back", SOON, progress.to_json())
    looks = progress.absent + 1
    if earlier.absent and looks < LOOKS_UNTIL_ABSENT:
        said = f"not found, so looked for again: {', '.join(earlier.absent)}"
        return Pending(said, SOON, replace(progress, absent=looks).to_json())
    return None


def _put_back(
    target: RolloutTarget, state: EndpointState, earlier: PreviousDeployments, progress: Progress
) -> Outcome:
    """Write the old maps; without the deployments that have failed where Azure refuses these."""
    if traffic_holders(earlier.traffic) and not traffic_holders(earlier.maps(sure=False)[0]):
        none = f"none of {format_traffic(earlier.traffic)} exists any more"
        return Done(f"the traffic of '{state.name}' stays as it is: {none}")
    progress = _after_a_failure(target, state, earlier, progress)
    if earlier.broken and progress.refused and _is_at(state, (earlier.traffic, earlier.mirror)):
        return Done(
            f"the traffic of '{state.name}' is {format_traffic(state.traffic)}, and Azure refuses a repair"
        )
    return _write_maps(target, state, earlier, progress)


def _write_maps(
    target: RolloutTarget, state: EndpointState, earlier: PreviousDeployments, progress: Progress
) -> Outcome:
    sure = bool(earlier.broken and progress.refused)
    traffic, mirror = earlier.maps(sure)
    if traffic_holders(earlier.traffic) and not traffic_holders(traffic):
        raise PermanentError(
            f"the traffic of '{state.name}' could not go back to {format_traffic(earlier.traffic)}: Azure "
            f"refuses {', '.join(earlier.broken)}: {progress.refused}"
        )
    unchanged = partial(_check_unchanged, state)
    try:
        target.endpoints.set_traffic(target.endpoint, traffic, mirror, check=unchanged)
    except RefusedError as error:
        if sure or not _is_about(error, earlier.broken):
            raise
        said = f"Azure refused {format_traffic(traffic)}: {error.answer}"
        return Pending(said, 0.0, replace(progress, refused=error.answer).to_json())
    said = f"the traffic of '{state.name}' goes back to {format_traffic(traffic)}"
    return Pending(said, SOON, replace(progress, restoring="succeeded" if sure else "all").to_json())


def _after_a_failure(
    target: RolloutTarget, state: EndpointState, earlier: PreviousDeployments, progress: Progress
) -> Progress:
    """The progress after a look at what came of an earlier write of ours.

    Raises PermanentError for one that failed though every deployment in it could serve.
    """
    tried = progress.restoring
    if not tried or state.provisioning_state != "Failed":
        return progress
    if tried == "succeeded" or not earlier.broken:
        target.check_endpoint(state)
    return replace(progress, refused=target.endpoints.reason(state))


def _is_about(error: RefusedError, broken: list[str]) -> bool:
    """Whether Azure refused the map for the deployments in it that have not succeeded."""
    named = any(fold(name) in fold(error.answer) for name in broken)
    about = error.status in INVALID or (named and 400 <= error.status < 500)
    return bool(broken) and about and error.status not in RIGHTS


def _is_at(state: EndpointState, maps: tuple[Traffic, Traffic]) -> bool:
    return is_same_traffic(state.traffic, maps[0]) and is_same_traffic(state.mirror, maps[1])


def _is_ours(state: EndpointState, target: RolloutTarget, progress: Progress) -> bool:
    plan = progress.plan or [current_phase(target, progress)]
    return is_planned_traffic(plan, state.traffic, state.mirror)


def _is_broken_by_us(state: EndpointState, progress: Progress) -> bool:
    """Whether a move of ours failed and left the endpoint so, which the next write repairs."""
    return state.provisioning_state == "Failed" and progress.phase is not None and not progress.restoring


def _check_unchanged(then: EndpointState, now: EndpointState) -> None:
    """Raise TransientError when the maps have changed since they were looked at."""
    if not (is_same_traffic(now.traffic, then.traffic) and is_same_traffic(now.mirror, then.mirror)):
        raise TransientError(f"the traffic of '{now.name}' changed at this moment: look again")
