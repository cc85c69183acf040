"""The rights that `share_model` needs, and its preflight checks: the model, and the registry's regions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mlevents.actions.preflight_input import Preflight
from mlevents.actions.unresolved_parameters import is_unresolved, report_unresolved
from mlevents.errors import PermanentError
from mlevents.services.finding import Finding, run_check
from mlevents.services.machine_learning.registry_connection import ModelRegistryConnection
from mlevents.services.machine_learning.resource_ids import name_and_version
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.permission import (
    DATA_SCIENTIST,
    ML,
    MODEL_READS,
    READER,
    REGISTRY_USER,
    WORKSPACE_SCOPE,
    Permission,
    actions_below,
)

SHARE_RIGHTS = (
    Permission(WORKSPACE_SCOPE, READER, (*actions_below(ML, "read"), *MODEL_READS)),
    Permission(
        "ml_registry",
        REGISTRY_USER,
        actions_below("Microsoft.MachineLearningServices/registries", "read", "assets/read", "assets/write"),
    ),
    Permission(
        WORKSPACE_SCOPE,
        READER,
        (*actions_below(ML, "read"), *MODEL_READS),
        given=("workspace",),
        connection="workspace",
    ),
    Permission(
        WORKSPACE_SCOPE,
        DATA_SCIENTIST,
        actions_below(ML, "models/write", "models/versions/write"),
        given=("workspace",),
        connection="workspace",
    ),
)


def check_share_needs(
    registry: str, workspace: str | None, model: str | None, context: Preflight
) -> Iterator[Finding]:
    """Check that the registry serves the region of each workspace, and that the model is registered."""
    if model is not None and is_unresolved(model):
        yield report_unresolved("model", model)
    target = context.services.connection(workspace).resource if workspace else None
    for place in dict.fromkeys((*context.workspaces, *([target] if target else ()))):
        opened = context.services.machine_learning(place)
        about = f"registry '{registry}' for workspace '{opened.workspace.name}'"
        remedy = "add the region to the registry, or share to another one"
        yield run_check(about, partial(_find_region, registry, opened, context), remedy)
    if model is None or is_unresolved(model):
        return
    for place in context.workspaces:
        opened = context.services.machine_learning(place)
        about = f"model '{model}' in workspace '{opened.workspace.name}'"
        yield run_check(about, partial(_find_model, opened, model), "register it, or correct `model`")


def _find_region(registry: str, opened: MachineLearning, context: Preflight) -> str:
    connection = context.services.connection(registry)
    if not isinstance(connection, ModelRegistryConnection):
        raise PermanentError(f"the connection '{registry}' is not of type ml_registry")
    regions = connection.open(context.services).list_regions()
    region = opened.location() or "unknown"
    if region in regions:
        return f"serves {region}"
    raise PermanentError(f"does not serve {region}, only {', '.join(regions)}")


def _find_model(opened: MachineLearning, reference: str) -> str:
    name, version, _ = name_and_version(reference)
    if opened.model_tags(name, version) is None:
        raise PermanentError("is not registered")
    return "is registered"
