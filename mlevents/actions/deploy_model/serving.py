"""What serves at an endpoint now, read from its deployments: gates compare with it."""

import re
from collections.abc import Mapping

from mlevents.actions.action import Done, Outcome
from mlevents.actions.deploy_model.lookup import list_deployments
from mlevents.actions.deploy_model.target import RolloutTarget
from mlevents.actions.deploy_model.traffic_map import share_of, traffic_holders
from mlevents.actions.known_registry import find_registry
from mlevents.gates.gate import Served
from mlevents.orchestration.serving_query import ServingReport
from mlevents.orchestration.waiting_order import WaitingOrder
from mlevents.services.machine_learning.resource_ids import REGISTRY_MODEL
from mlevents.services.machine_learning.states import DeploymentState
from mlevents.services.services import Services

ORDER_KEY, ORDER_BY = "mlevents.order.key", "mlevents.order.by"
"""On a deployment that passed the gate `order`: what it was compared by."""
MODEL_ID = re.compile(r".*/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)", re.IGNORECASE)


def report_serving(target: RolloutTarget, tags: bool, services: Services) -> Outcome:
    """Each deployment with traffic: its model, what orders it, and with `tags` the model's tags."""
    state = target.find_endpoint()
    traffic = traffic_holders(state.traffic) if state else {}
    there = list_deployments(target.endpoints, state) if state and traffic else ()
    found = [
        _describe_serving(one, share, _read_tags(target, one, services) if tags else {})
        for one in there
        if (share := share_of(traffic, one.name))
    ]
    found.sort(key=lambda one: (-one.percent, one.deployment))
    models = ", ".join(f"{one.model}:{one.version}" for one in found) or "nothing"
    return Done(f"endpoint '{target.endpoint}' serves {models}", ServingReport(tuple(found)).to_json())


def order_tags(order: WaitingOrder | None) -> dict[str, str]:
    """The tags that let a later response compare itself with this deployment."""
    return {ORDER_KEY: order.key[:256], ORDER_BY: order.by[:256]} if order else {}


def _read_tags(target: RolloutTarget, state: DeploymentState, services: Services) -> Mapping[str, str]:
    """The tags of the deployment's model; empty for one of another workspace, or of an unknown registry."""
    machine_learning = target.machine_learning
    if found := REGISTRY_MODEL.fullmatch(state.model):
        registry = find_registry(found["registry"], services)
        copied = registry.find_version(found["name"], found["version"]) if registry else None
        return copied.tags if copied else {}
    found = MODEL_ID.fullmatch(state.model)
    if found is None or not state.model.lower().startswith(machine_learning.workspace.id.lower()):
        return {}
    return machine_learning.model_tags(found["name"], found["version"]) or {}


def _describe_serving(state: DeploymentState, percent: int, tags: Mapping[str, str]) -> Served:
    found = MODEL_ID.fullmatch(state.model)
    name, version = (found["name"], found["version"]) if found else (state.model, "")
    return Served(
        deployment=state.name,
        model=name,
        version=version,
        key=state.tags.get(ORDER_KEY, name),
        by=state.tags.get(ORDER_BY, version),
        percent=percent,
        tags=dict(tags),
    )
