"""The first look at an endpoint, before its lease is held.

What it finds is checked again where it matters: the deployment is followed to a plan of its own, and a move
of the traffic replaces only the map that it expects.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mlevents.actions.action import StepContext
from mlevents.actions.deploy_model.creation import describe_plan
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.target import RESPONSE_TAG, UNDER_WAY, RolloutTarget
from mlevents.errors import ActionError
from mlevents.services.machine_learning.states import EndpointState


def look_ahead(
    target: RolloutTarget,
    rollout: Rollout | None,
    context: StepContext,
    check: Callable[[EndpointState | None], None],
) -> Mapping[str, Any]:
    """The traffic of an endpoint that is ready, and the plan that leads on from it; nothing unless asked.

    Without these for an endpoint that has to be made or waited for. Whatever is wrong is reported under the
    lease, if it is still so.
    """
    found: dict[str, Any] = {}
    if not Progress.of(context).ahead:
        return found
    try:
        check(state := target.find_endpoint())
        found = {"allowed": True}
        if state is None or state.provisioning_state in UNDER_WAY:
            return found
        if state.tags.get(RESPONSE_TAG) == context.id:
            return found
        target.check_endpoint(state)
    except ActionError:
        return found
    return {**found, **describe_plan(target, rollout, state)}
