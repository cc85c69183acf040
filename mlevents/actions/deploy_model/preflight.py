"""Preflight checks of `deploy_model`: the endpoint, the model and the quota, and the rights that it needs."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from mlevents.actions.deploy_model.lookup import find_endpoint
from mlevents.actions.deploy_model.traffic_map import format_traffic
from mlevents.actions.documents import parse_document
from mlevents.actions.endpoint_names import endpoint_name
from mlevents.actions.known_registry import find_registry
from mlevents.actions.other_workspace import open_other_workspace
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.unresolved_parameters import is_unresolved, report_unresolved
from mlevents.errors import PermanentError, TransientError
from mlevents.services.finding import Finding, run_check
from mlevents.services.machine_learning.online_endpoints import OnlineEndpoints
from mlevents.services.machine_learning.resource_ids import ModelReference
from mlevents.services.machine_learning.states import EndpointState
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.permission import (
    DATA_SCIENTIST,
    IDENTITY_OPERATOR,
    IDENTITY_SCOPE,
    ML,
    MONITORING_READER,
    READER,
    REGISTRY_USER,
    WORKSPACE_SCOPE,
    Permission,
    actions_below,
)
from mlevents.services.services import Services

DEPLOYMENT_RIGHTS = (
    Permission(WORKSPACE_SCOPE, READER, actions_below(ML, "read"), connection="workspace"),
    Permission(
        WORKSPACE_SCOPE,
        DATA_SCIENTIST,
        actions_below(
            ML,
            *(
                f"{kind}/{tail}"
                for kind in ("models", "environments", "codes")
                for tail in ("read", "*/read")
            ),
            "onlineEndpoints/read",
            "onlineEndpoints/write",
            "onlineEndpoints/deployments/read",
            "onlineEndpoints/deployments/write",
            "onlineEndpoints/deployments/delete",
            "onlineEndpoints/deployments/getLogs/action",
        ),
        connection="workspace",
    ),
    Permission(
        WORKSPACE_SCOPE,
        DATA_SCIENTIST,
        actions_below(
            ML,
            "onlineEndpoints/listKeys/action",
            "onlineEndpoints/token/action",
            "onlineEndpoints/score/action",
        ),
        given=("rollout.smoke_test",),
        connection="workspace",
    ),
    Permission(  # a rollout that scores by token checks its rights first
        WORKSPACE_SCOPE,
        READER,
        ("Microsoft.Authorization/permissions/read",),
        given=("rollout.smoke_test",),
        connection="workspace",
    ),
    Permission(
        WORKSPACE_SCOPE,
        MONITORING_READER,
        ("Microsoft.Insights/metrics/read",),
        given=("rollout.checks", "rollout.min_requests"),
        connection="workspace",
    ),
    Permission(
        "ml_registry",
        REGISTRY_USER,
        actions_below("Microsoft.MachineLearningServices/registries", "read", "assets/read"),
        given=("model",),
    ),
    Permission(
        IDENTITY_SCOPE,
        IDENTITY_OPERATOR,
        ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",),
        given=("identity",),
    ),
)
BROKEN_STATES = ("Failed", "Canceled")
SIZE = "Standard_F4s_v2"
"""Azure ML's default for a template without instance_type."""


def check_deployment_needs(
    endpoint: str | None, model: str | None, template: str, other: str | None, context: Preflight
) -> Iterator[Finding]:
    """Check for each workspace whether the endpoint, the model and the quota allow a deployment.

    `other` is the connection of another workspace, which is checked instead.
    """
    if other is not None:
        opened = open_other_workspace(other, context.services)
        context = replace(context, workspaces=(opened.workspace.id,))
    if endpoint is None:
        yield Finding("endpoint", None, "its name comes from each event's model, so it was not checked")
    elif is_unresolved(endpoint):
        yield report_unresolved("endpoint", endpoint)
    if model is not None and is_unresolved(model):
        yield report_unresolved("model", model)
    for workspace in context.workspaces:
        opened = context.services.machine_learning(workspace)
        if endpoint is not None and not is_unresolved(endpoint):
            yield _endpoint(opened, endpoint)
        if model is not None and not is_unresolved(model):
            yield _model(opened, model, context.services)
        if context.quota:
            about = f"quota for '{template}' in workspace '{opened.workspace.name}'"
            ask = partial(_quota, about, workspace, opened, template, context)
            yield run_check(about, ask, "choose an instance_type that online endpoints support there")


def _endpoint(opened: MachineLearning, text: str) -> Finding:
    about = f"endpoint '{text}' in workspace '{opened.workspace.name}'"

    def read_endpoint() -> str:
        state = _found(opened.endpoints, endpoint_name(text))
        if state is None:
            return "does not exist yet, and will be created"
        if state.provisioning_state in BROKEN_STATES:
            raise PermanentError(f"is {state.provisioning_state}: {opened.endpoints.reason(state)}")
        return f"exists, its traffic: {format_traffic(state.traffic)}"

    return run_check(about, read_endpoint, "fix or delete it, or set `endpoint` to another one")


def _found(endpoints: OnlineEndpoints, name: str) -> EndpointState | None:
    """The endpoint, read once more when Azure answers 404 but lists it."""
    try:
        return find_endpoint(endpoints, name)
    except TransientError:
        return find_endpoint(endpoints, name)


def _model(opened: MachineLearning, text: str, services: Services) -> Finding:
    reference = ModelReference.parse(text)
    about = f"model '{reference}' in workspace '{opened.workspace.name}'"
    if reference.registry:
        about = f"model '{reference}' in registry '{reference.registry}'"
        if find_registry(reference.registry, services) is None:
            return Finding(about, None, "no connection names this registry, so it was not checked")
    reader = partial(_find_model, reference, opened, services)
    return run_check(about, reader, "register it, or correct `model`")


def _find_model(reference: ModelReference, opened: MachineLearning, services: Services) -> str:
    reference.make_id(opened.workspace)
    registry = find_registry(reference.registry, services) if reference.registry else None
    if registry is not None:
        found = registry.find_version(reference.name, reference.version) is not None
    else:
        found = opened.model_tags(reference.name, reference.version) is not None
    if not found:
        raise PermanentError("is not registered")
    return "is registered"


def _quota(about: str, workspace: str, opened: MachineLearning, template: str, context: Preflight) -> Finding:
    if is_unresolved(template):
        return report_unresolved(about, template)
    document = parse_document(template, context.read(template))
    size, count = document.get("instance_type") or SIZE, document.get("instance_count") or 1
    if not isinstance(count, int) or is_unresolved(str(size)):
        return report_unresolved(about, f"{count} × {size}")
    manager, region = context.services.resource_manager(), opened.location() or ""
    quota = manager.quota(workspace, region, str(size))
    if quota is None:
        return Finding(
            about, None, "the quota cannot be read", "assign yourself the role Reader on the subscription"
        )
    if quota.limit is None:
        return Finding(about, None, f"Azure ML has no quota for {quota.family} in {region}")
    free, needed = quota.limit - quota.used, quota.needed(count)
    said = f"{count} × {size} needs {needed} virtual CPUs, {free} of {quota.limit} are free in {region}"
    if needed <= free:
        return Finding(about, True, said)
    return Finding(
        about, False, said, "ask for more quota in Azure ML Studio, or choose a smaller instance_type"
    )
