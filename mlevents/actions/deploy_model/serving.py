"""What serves at an endpoint now, read from its deployments: gates compare with it."""

import re

from mlevents.actions.action import Done, Outcome
from mlevents.actions.deploy_model.lookup import find_endpoint, list_deployments
from mlevents.actions.deploy_model.target import RolloutTarget
from mlevents.actions.deploy_model.traffic_map import share_of, traffic_holders
from mlevents.gates.gate import Served
from mlevents.orchestration.serving_query import ServingReport
from mlevents.orchestration.waiting_order import WaitingOrder
from mlevents.services.machine_learning.states import DeploymentState

ORDER_KEY, ORDER_BY = "mlevents.order.key", "mlevents.order.by"
"""On a deployment that passed the gate `order`: what it was compared by."""
MODEL_ID = re.compile(r".*/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)", re.IGNORECASE)


def report_serving(target: RolloutTarget, tags: bool) -> Outcome:
    """Each deployment with traffic: its model, what orders it, and with `tags` the model's tags."""
    state = find_endpoint(target.endpoints, target.endpoint)
    traffic = traffic_holders(state.traffic) if state else {}
    there = list_deployments(target.endpoints, state) if state and traffic else ()
    found = [
        _describe_serving(target, one, share, tags) for one in there if (share := share_of(traffic, one.name))
    ]
    found.sort(key=lambda one: (-one.percent, one.deployment))
    models = ", ".join(f"{one.model}:{one.version}" for one in found) or "nothing"
    return Done(f"endpoint '{target.endpoint}' serves {models}", ServingReport(tuple(found)).to_json())


def order_tags(order: WaitingOrder | None) -> dict[str, str]:
    """The tags that let a later response compare itself with this deployment."""
    return {ORDER_KEY: order.key[:256], ORDER_BY: order.by[:256]} if order else {}


def _describe_serving(target: RolloutTarget, state: DeploymentState, percent: int, tags: bool) -> Served:
    found = MODEL_ID.fullmatch(state.model)
    name, version = (found["name"], found["version"]) if found else (state.model, "")
    own = found is not None and state.model.lower().startswith(target.machine_learning.workspace.id.lower())
    model_tags = target.machine_learning.model_tags(name, version) if tags and own else None
    return Served(
        deployment=state.name,
        model=name,
        version=version,
        key=state.tags.get(ORDER_KEY, name),
        by=state.tags.get(ORDER_BY, version),
        percent=percent,
        tags=dict(model_tags or {}),
    )
