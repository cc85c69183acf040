"""Creates the endpoint of a rollout, and the deployment without traffic."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mlevents.actions.action import Done, Outcome, Pending, StepContext
from mlevents.actions.deploy_model.instance_limit import InstanceLimit
from mlevents.actions.deploy_model.lookup import confirm_absence
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.serving import order_tags
from mlevents.actions.deploy_model.target import (
    LATER,
    MODEL_TAG,
    RESPONSE_TAG,
    SLOW,
    SOON,
    UNDER_WAY,
    RolloutTarget,
)
from mlevents.actions.deploy_model.traffic_map import format_traffic, traffic_holders
from mlevents.actions.deploy_model.traffic_plan import plan_phases
from mlevents.actions.documents import parse_document, require_remote
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.states import EndpointState, NewDeployment, NewEndpoint
from mlevents.services.services import Services

LOOKS_BEFORE_PUT = 3
"""How often an endpoint must be absent before it is created."""


def ensure_endpoint(
    target: RolloutTarget,
    state: EndpointState | None,
    wanted: NewEndpoint,
    progress: Progress,
    rollout: Rollout | None,
) -> Outcome:
    """Make the endpoint if it is missing; done when it can be worked on. `state` is what it is now.

    It was made here if it carries this response's tag: another answer to the PUT may have been lost.
    """
    progress = replace(progress, allowed=True)
    if state is None:
        return _create(target, wanted, progress)
    if state.provisioning_state in UNDER_WAY:
        return Pending(f"endpoint '{state.name}' is {state.provisioning_state}", SOON, progress.to_json())
    target.check_endpoint(state)
    own = state.tags.get(RESPONSE_TAG) == wanted.tags.get(RESPONSE_TAG)
    if own and not traffic_holders(state.traffic):
        _check_traffic_kept(target, wanted)
    result = {
        "endpoint": target.endpoint,
        "created": own and not progress.replaced,
        **describe_plan(target, rollout, state),
    }
    return Done(f"endpoint '{state.name}' is there, its traffic: {format_traffic(state.traffic)}", result)


def _create(target: RolloutTarget, wanted: NewEndpoint, progress: Progress) -> Pending:
    """Create the endpoint once it was absent several times: a PUT over one that exists takes its traffic."""
    looks = progress.missing + 1
    if looks < LOOKS_BEFORE_PUT:
        said = f"endpoint '{target.endpoint}' is not found: looked for again before it is created"
        return Pending(said, SOON, replace(progress, missing=looks).to_json())
    replaced = not target.endpoints.put_endpoint(wanted) or progress.replaced
    being = f"endpoint '{target.endpoint}' is being created"
    return Pending(being, SOON, replace(progress, replaced=replaced, missing=0).to_json())


def _check_traffic_kept(target: RolloutTarget, wanted: NewEndpoint) -> None:
    """Raise PermanentError when the PUT met an endpoint that Azure had hidden: its traffic may be lost."""
    own = wanted.tags.get(RESPONSE_TAG)
    others = [
        one.name for one in target.endpoints.deployments(target.endpoint) if one.tags.get(RESPONSE_TAG) != own
    ]
    if others:
        raise PermanentError(
            f"endpoint '{target.endpoint}' existed although Azure answered 404 and did not list it, and has "
            f"no traffic now: set the traffic of its deployments ({', '.join(sorted(others))}) again: "
            f"{target.studio}"
        )


def create_deployment(
    target: RolloutTarget,
    document: Callable[[], Mapping[str, Any]],
    tags: Mapping[str, str],
    progress: Progress,
    limit: InstanceLimit | None = None,
) -> Outcome:
    """Create the deployment from the document, or find it there with the same model."""
    state = target.endpoints.deployment(target.endpoint, target.deployment)
    others = () if state else confirm_absence(target.endpoints, target.endpoint, target.deployment)
    if state and state.provisioning_state == "Deleting":
        return Pending(f"deployment '{state.name}' is being deleted", LATER, progress.to_json())
    result = {"deployment": target.deployment, "model": target.model}
    if state and not target.is_failed_attempt(state):
        return Done(f"deployment '{state.name}' with {target.model} is there already", result)
    if limit and (pending := limit.make_room(target, document(), progress)):
        return pending
    target.check_capacity(others)
    target.endpoints.put_deployment(
        NewDeployment(
            endpoint=target.endpoint,
            name=target.deployment,
            document=document(),
            model=target.model_id,
            tags={**tags, **order_tags(progress.order), MODEL_TAG: target.model},
        )
    )
    said = f"deployment '{target.deployment}' with {target.model} is being created"
    return Pending(said, SLOW, progress.join(result).to_json()) if progress.ahead else Done(said, result)


def fill_document(name: str, context: StepContext, services: Services) -> dict[str, Any]:
    """The template with the event's values, which must name no local file either."""
    return require_remote(name, context.fill(parse_document(name, services.read(name))))


def create_and_follow(
    target: RolloutTarget, rollout: Rollout | None, progress: Progress, create: Callable[[], Outcome]
) -> Outcome:
    """Create the deployment; for a rollout that looks ahead, this one verb follows it too."""
    if not progress.ahead:
        return create()
    if progress.deployment is None:
        outcome = create()
        if isinstance(outcome, Pending):
            return outcome
        progress = progress.join(outcome.result)
    return follow_deployment(target, rollout, progress)


def follow_deployment(target: RolloutTarget, rollout: Rollout | None, progress: Progress) -> Outcome:
    """Wait until the deployment can serve; then plan, from the traffic as it is by now."""
    state = target.read_deployment()
    if state and state.provisioning_state in UNDER_WAY:
        return Pending(f"deployment '{state.name}' is {state.provisioning_state}", SLOW, progress.to_json())
    target.check_deployment(state)
    endpoint = target.read_endpoint()
    if endpoint.provisioning_state in UNDER_WAY:
        return Pending(
            f"endpoint '{endpoint.name}' is {endpoint.provisioning_state}", SOON, progress.to_json()
        )
    result = {
        "deployment": target.deployment,
        "model": target.model,
        **describe_plan(target, rollout, endpoint),
    }
    return Done(f"deployment '{target.deployment}' is ready", result)


def describe_plan(target: RolloutTarget, rollout: Rollout | None, endpoint: EndpointState) -> dict[str, Any]:
    """The traffic as it is, and the phases that lead on from it."""
    plan = plan_phases(rollout, target.deployment, endpoint.traffic, endpoint.mirror)
    before = {"before": dict(endpoint.traffic), "before_mirror": dict(endpoint.mirror)}
    return {**before, "plan": [phase.to_json() for phase in plan]}
