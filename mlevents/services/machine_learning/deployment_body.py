"""The body of a new deployment for Resource Manager, from a CLI v2 document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlevents.errors import PermanentError
from mlevents.services.answer_fields import require_list, require_object, require_text
from mlevents.services.arm_client import ArmClient
from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.data_collection import register_collections
from mlevents.services.machine_learning.deployment_translation import translate_deployment, write_number_texts
from mlevents.services.machine_learning.resource_ids import (
    CURATED_PREFIX,
    LATEST_LABEL,
    Workspace,
    name_and_version,
)
from mlevents.services.machine_learning.sdk_internals import rest_body
from mlevents.services.machine_learning.states import NewDeployment
from mlevents.services.machine_learning.yaml_entities import load_entity

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

VERSIONS_API = "2024-10-01"
_REPLACED = ("name", "endpoint_name", "model", "tags")
"""The keys of a document that are not taken from there as they are."""


def deployment_body(
    arm: ArmClient,
    open_client: Callable[[], MLClient],
    workspace: Workspace,
    wanted: NewDeployment,
) -> dict[str, Any]:
    """The body of the PUT without a region; raises PermanentError for a document that Azure ML refuses.

    `open_client` opens azure-ai-ml's client, for a document that is not translated here.
    """
    document = {key: value for key, value in wanted.document.items() if key not in _REPLACED}
    document["tags"] = {**(wanted.document.get("tags") or {}), **wanted.tags}
    body = translate_deployment(document) or _convert(open_client, workspace, wanted, document)
    properties = body["properties"]
    properties["model"] = wanted.model
    if environment := properties.get("environmentId"):
        properties["environmentId"] = _asset_id(arm, workspace, "environments", environment)
    if code := (properties.get("codeConfiguration") or {}).get("codeId"):
        properties["codeConfiguration"]["codeId"] = _asset_id(arm, workspace, "codes", code)
    return body


def _convert(
    open_client: Callable[[], MLClient], workspace: Workspace, wanted: NewDeployment, document: dict[str, Any]
) -> dict[str, Any]:
    """The body as azure-ai-ml makes it, with references as in the document; registers data collections."""
    with import_lock():
        from azure.ai.ml import load_online_deployment

    what = f"creating deployment '{wanted.name}' of endpoint '{wanted.endpoint}'"
    named = {**write_number_texts(document), "name": wanted.name, "endpoint_name": wanted.endpoint}
    entity = load_entity(load_online_deployment, named, what)
    if entity.data_collector:
        register_collections(open_client(), workspace, entity)
    return rest_body(entity)


def _asset_id(arm: ArmClient, workspace: Workspace, kind: str, reference: str) -> str:
    """The ARM id of the environment or code of a deployment."""
    if reference.startswith("azureml://"):
        return reference
    text = reference.removeprefix("azureml:")
    if text.startswith("/"):
        return text
    if text.startswith(CURATED_PREFIX):
        return f"azureml:{text}"
    name, version, label = name_and_version(text)
    if label:
        version = _find_latest(arm, workspace, f"{kind}/{name}", label)
    return workspace.asset(kind, name, version)


def _find_latest(arm: ArmClient, workspace: Workspace, asset: str, label: str) -> str:
    """The version of an asset that was created last; raises PermanentError where there is none."""
    if label == LATEST_LABEL:
        query = {"api-version": VERSIONS_API, "$orderBy": "createdtime desc", "$top": "1"}
        page = arm.get(f"{arm.address}{workspace.id}/{asset}/versions", query)
        for found in require_list(page.get("value"), "value"):
            return require_text(require_object(found, "an element of the list").get("name"), "name")
    raise PermanentError(f"workspace '{workspace.name}' has no {asset}@{label}: name a version that it has")
