"""The body of a new deployment for Resource Manager, from a CLI v2 document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.data_collection import register_collections
from mlevents.services.machine_learning.resource_ids import Workspace, name_and_version
from mlevents.services.machine_learning.sdk_internals import rest_body
from mlevents.services.machine_learning.states import NewDeployment
from mlevents.services.machine_learning.yaml_entities import load_entity

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

CURATED = "AzureML-"
"""The prefix of Azure's curated environments, which Azure ML finds by name."""


def deployment_body(
    client: MLClient, workspace: Workspace, wanted: NewDeployment, location: str
) -> dict[str, Any]:
    """The body of the PUT; raises PermanentError for a document that does not match Azure ML's schema."""
    with import_lock():
        from azure.ai.ml import load_online_deployment

    document = {
        **{key: value for key, value in wanted.document.items() if key != "model"},
        "name": wanted.name,
        "endpoint_name": wanted.endpoint,
        "tags": {**(wanted.document.get("tags") or {}), **wanted.tags},
    }
    what = f"creating deployment '{wanted.name}' of endpoint '{wanted.endpoint}'"
    entity = load_entity(load_online_deployment, document, what)
    entity.model = wanted.model
    entity.environment = _asset_id(client, workspace, "environments", entity.environment)
    if entity.code_configuration:
        entity.code_configuration.code = _asset_id(client, workspace, "codes", entity.code_configuration.code)
    if entity.data_collector:
        register_collections(client, workspace, entity)
    return rest_body(entity, location)


def _asset_id(client: MLClient, workspace: Workspace, kind: str, reference: Any) -> str | None:
    """The ARM id of the environment or code of a deployment."""
    if not isinstance(reference, str) or reference.startswith("azureml://"):
        return reference or None
    text = reference.removeprefix("azureml:")
    if text.startswith("/"):
        return text
    if text.startswith(CURATED):
        return f"azureml:{text}"
    name, version, label = name_and_version(text)
    if label:
        return str(getattr(client, kind).get(name, label=label).id)
    return workspace.asset(kind, name, version)
