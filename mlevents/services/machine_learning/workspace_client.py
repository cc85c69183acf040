"""One workspace of Azure Machine Learning: its online endpoints, batch endpoints, jobs, models and metrics.

Every call is short and can be repeated; none waits for a long-running operation.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache, cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlevents.errors import RefusedError
from mlevents.services.arm_client import ArmClient
from mlevents.services.azure_credential import CLIENT_OPTIONS, credential
from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.batch_endpoints import BatchEndpoints
from mlevents.services.machine_learning.data_plane import DataPlane
from mlevents.services.machine_learning.jobs import Jobs
from mlevents.services.machine_learning.online_endpoints import OnlineEndpoints
from mlevents.services.machine_learning.registered_models import RegisteredModels
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.machine_learning.run_history import RunHistory
from mlevents.services.machine_learning.workspace_resource import WorkspaceResource, read_workspace
from mlevents.services.metrics import Metrics
from mlevents.services.resource_manager import open_resource_manager
from mlevents.services.sdk_errors import translate_errors
from mlevents.settings import PUBLIC_RESOURCE_MANAGER

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

CLOUDS = {
    PUBLIC_RESOURCE_MANAGER: "AzureCloud",
    "https://management.usgovcloudapi.net": "AzureUSGovernment",
    "https://management.chinacloudapi.cn": "AzureChinaCloud",
}
"""The names of the clouds that azure-ai-ml knows, by their Resource Manager."""
AUDIENCES = {"AzureUSGovernment": "https://ml.azure.us", "AzureChinaCloud": "https://ml.azure.cn"}
AUDIENCE = "https://ml.azure.com"
"""The resource that a token for Azure ML's data plane is made for, by cloud."""

_lock = threading.Lock()


class MachineLearning:
    """One workspace: online endpoints, batch endpoints, jobs. Raises PermanentError and TransientError."""

    def __init__(self, workspace: Workspace, resource_manager: str) -> None:
        self.workspace = workspace
        self._resource_manager = resource_manager

    @cached_property
    def _client(self) -> MLClient:
        return ml_client(self.workspace.id, self._resource_manager)

    @cached_property
    def endpoints(self) -> OnlineEndpoints:
        """The managed online endpoints and their deployments."""
        return OnlineEndpoints(self.workspace, lambda: self._client, self._resource_manager)

    def location(self) -> str | None:
        """The workspace's region, such as westeurope; None when Azure answers 404."""
        try:
            return self._read().region
        except RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def is_private(self) -> bool:
        """Whether the workspace refuses public networks; its control plane answers nevertheless."""
        return self._read().is_private

    def model_tags(self, name: str, version: str) -> Mapping[str, str] | None:
        """The current tags of a registered model; None when Azure answers 404."""
        found = self.models.find_version(name, version)
        return found.tags if found else None

    @cached_property
    def metrics(self) -> Metrics:
        """Azure Monitor's metrics for the online endpoints of this workspace."""
        return Metrics(open_resource_manager(self._resource_manager))

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs and pipeline components."""
        return Jobs(self._client)

    @cached_property
    def batch(self) -> BatchEndpoints:
        """Batch endpoints and the jobs that they started."""
        return BatchEndpoints(self._client, self._data_plane(token_audience(self._resource_manager)))

    @cached_property
    def models(self) -> RegisteredModels:
        """The registered models and their versions."""
        return RegisteredModels(self.workspace, self._resource_manager)

    @cached_property
    def runs(self) -> RunHistory:
        """The runs that the workspace remembers, steps and trials too."""
        return RunHistory(self._data_plane(self._resource_manager))

    def _data_plane(self, audience: str) -> DataPlane:
        """The data plane, asked with tokens for an audience: the SDK asks batch jobs and runs differently."""
        return DataPlane(self.workspace, self._discover, credential(), f"{audience}/.default")

    def _discover(self) -> str:
        return self._read().discovery_url

    def _read(self) -> WorkspaceResource:
        return read_workspace(ArmClient(self._resource_manager), self.workspace)


def open_workspace(workspace_id: str, resource_manager: str) -> MachineLearning:
    """The workspace with this ARM id, opened once; raises PermanentError for an invalid id."""
    workspace = Workspace.parse(workspace_id)
    with _lock:
        return _open(workspace, resource_manager.rstrip("/"))


@cache
def _open(workspace: Workspace, resource_manager: str) -> MachineLearning:
    return MachineLearning(workspace, resource_manager)


def ml_client(workspace_id: str, resource_manager: str) -> MLClient:
    """azure-ai-ml's client for the workspace; it sends no request yet."""
    with import_lock():
        from azure.ai.ml import MLClient

    workspace = Workspace.parse(workspace_id)
    with translate_errors(f"opening workspace '{workspace.name}'"):
        return MLClient(
            credential(),
            workspace.subscription,
            workspace.group,
            workspace.name,
            show_progress=False,
            enable_telemetry=False,
            **CLIENT_OPTIONS,
            **cloud_arguments(resource_manager.rstrip("/")),
        )


def token_audience(resource_manager: str) -> str:
    """The resource that a token for Azure ML's data plane in this cloud is made for."""
    return AUDIENCES.get(CLOUDS.get(resource_manager, ""), AUDIENCE)


def cloud_arguments(resource_manager: str) -> dict[str, Any]:
    """The arguments of MLClient for a cloud; it ignores `base_url` (azure-ai-ml 1.35).

    A cloud that the SDK does not know gets a complete description: without one, the SDK would look it up,
    and silently fall back to the public cloud.
    """
    if resource_manager in CLOUDS:
        return {"cloud": CLOUDS[resource_manager]}
    address = urlsplit(resource_manager)
    metadata = {
        "azure_portal": "https://portal.azure.com/",
        "resource_manager": f"{resource_manager}/",
        "active_directory": "https://login.microsoftonline.com/",
        "aml_resource_id": f"{AUDIENCE}/",
        "storage_endpoint": "core.windows.net",
        "registry_discovery_endpoint": f"{resource_manager}/",
    }
    return {"cloud": f"mlevents-{address.netloc}", "cloud_metadata": metadata}
