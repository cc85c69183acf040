"""Data assets for the requests and answers that a deployment collects.

https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.resource_ids import Workspace

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

COLLECTED_DATA = "azureml://datastores/workspaceblobstore/paths/modelDataCollector"
"""Where Azure ML stores collected data unless the deployment names another path."""


def register_collections(client: MLClient, workspace: Workspace, deployment: Any) -> None:
    """Register a data asset for each collection of the deployment, and put its id into the deployment.

    Registering twice gives the asset that exists.
    """
    for name, collection in deployment.data_collector.collections.items():
        data = _data_asset(deployment, name, collection.data)
        _register(client, data)
        collection.data = workspace.asset("data", data.name, data.version)


def _data_asset(deployment: Any, name: str, wanted: Any) -> Any:
    with import_lock():
        from azure.ai.ml.entities import Data

    place = f"{deployment.endpoint_name}/{deployment.name}/{name}"
    return Data(
        name=getattr(wanted, "name", None) or place.replace("/", "-"),
        version=getattr(wanted, "version", None) or "1",
        path=getattr(wanted, "path", None) or f"{COLLECTED_DATA}/{place}",
    )


def _register(client: MLClient, data: Any) -> None:
    with import_lock():
        from azure.core.exceptions import AzureError

    try:
        client.data.create_or_update(data)
    except AzureError as error:
        if "already exists" not in str(error):
            raise
