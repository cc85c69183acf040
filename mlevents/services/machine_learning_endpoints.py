"""Managed online endpoints and their deployments; see `machine_learning` for how."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlevents.errors import ActionError, PermanentError
from mlevents.services.importing import importing
from mlevents.services.machine_learning_ids import Workspace, name_and_version
from mlevents.services.machine_learning_states import DeploymentState, EndpointState, NewDeployment
from mlevents.services.machine_learning_yaml import load
from mlevents.services.sdk_errors import clean, translated

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

AUTH_MODES = {"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}
CURATED = "AzureML-"
"""How Azure's own environments begin; Azure ML finds those by name."""


class OnlineEndpoints:
    """The online endpoints of one workspace. Writes return when accepted; look again to follow."""

    def __init__(self, workspace: Workspace, client: MLClient, resource_manager: str) -> None:
        self._workspace = workspace
        self._client = client
        self._resource_manager = resource_manager
        # The operations beneath MLClient's own, which always start a polling thread.
        self._endpoints = client.online_endpoints._online_operation
        self._deployments = client.online_deployments._online_deployment

    def endpoint(self, name: str) -> EndpointState | None:
        """The endpoint, or None when there is none of this name."""
        found = self._read(f"reading endpoint '{name}'", self._endpoints, endpoint_name=name)
        return EndpointState.read(found) if found else None

    def put_endpoint(self, name: str, auth_mode: str, tags: Mapping[str, str]) -> None:
        """Create an endpoint without traffic, with an identity of its own."""
        body = {
            "location": self._location,
            "identity": {"type": "SystemAssigned"},
            "properties": {"authMode": AUTH_MODES[auth_mode], "traffic": {}, "mirrorTraffic": {}},
            "tags": dict(tags),
        }
        self._put_endpoint(f"creating endpoint '{name}'", name, body)

    def set_traffic(self, name: str, traffic: Mapping[str, int]) -> None:
        """Put the endpoint as it stands, with another traffic map; Azure ML knows no smaller write."""
        what = f"moving the traffic of endpoint '{name}' to {dict(traffic)}"
        found = self._read(what, self._endpoints, endpoint_name=name)
        if found is None:
            raise PermanentError(f"{what}: the endpoint does not exist")
        found["properties"]["traffic"] = dict(traffic)
        self._put_endpoint(what, name, found)  # the SDK leaves out what is read-only

    def deployments(self, endpoint: str) -> tuple[DeploymentState, ...]:
        """Every deployment of the endpoint."""
        with translated(f"listing the deployments of endpoint '{endpoint}'"):
            found = list(self._deployments.list(**self._workspace.place, endpoint_name=endpoint))
        return tuple(map(DeploymentState.read, found))

    def deployment(self, endpoint: str, name: str) -> DeploymentState | None:
        """The deployment, or None when the endpoint has none of this name."""
        what = f"reading deployment '{name}' of endpoint '{endpoint}'"
        found = self._read(what, self._deployments, endpoint_name=endpoint, deployment_name=name)
        return DeploymentState.read(found) if found else None

    def put_deployment(self, wanted: NewDeployment) -> None:
        """Create the deployment (without traffic), or put it anew."""
        with importing():
            from azure.ai.ml import load_online_deployment

        what = f"creating deployment '{wanted.name}' of endpoint '{wanted.endpoint}'"
        document = {
            **{key: value for key, value in wanted.document.items() if key != "model"},
            "name": wanted.name,
            "endpoint_name": wanted.endpoint,
            "tags": {**(wanted.document.get("tags") or {}), **wanted.tags},
        }
        with translated(what):
            entity = load(load_online_deployment, document, what)
            entity.model = wanted.model
            entity.environment = self._asset_id("environments", entity.environment)
            if entity.code_configuration:
                entity.code_configuration.code = self._asset_id("codes", entity.code_configuration.code)
            if entity.data_collector:
                self._client.online_deployments._register_collection_data_assets(entity)
            self._deployments.begin_create_or_update(
                **self._workspace.place,
                endpoint_name=wanted.endpoint,
                deployment_name=wanted.name,
                body=entity._to_rest_object(location=self._location),
                polling=False,
            )

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Delete the deployment; Azure refuses while it has traffic. One that is gone is no error."""
        with importing():
            from azure.core.exceptions import ResourceNotFoundError

        with translated(f"deleting deployment '{name}' of endpoint '{endpoint}'"):
            try:
                self._deployments.begin_delete(
                    **self._workspace.place, endpoint_name=endpoint, deployment_name=name, polling=False
                )
            except ResourceNotFoundError:
                return

    def reason(self, state: EndpointState | DeploymentState) -> str:
        """Why the last operation on it failed, as far as Azure lets us read that.

        The resource itself does not say. Its status URL stands at subscription scope, beyond a
        role on the workspace: an operation that must not be read is said so, and is no error.
        """
        if not state.operation.lower().startswith(f"{self._resource_manager.lower()}/"):
            return "Azure names no operation that tells why"
        try:
            with translated("reading the operation that failed"):
                error = self._operation(state.operation).get("error") or {}
        except ActionError as refusal:
            return f"why cannot be read ({refusal})"
        if not error:
            return "the operation tells no reason"
        return clean(f"{error.get('code')}: {error.get('message')}")

    def _operation(self, url: str) -> Mapping[str, Any]:
        with importing():
            from azure.core.rest import HttpRequest

        response = self._client._service_client_04_2023_preview.send_request(HttpRequest("GET", url))
        response.raise_for_status()
        told: Mapping[str, Any] = response.json()
        return told

    def _read(self, what: str, operations: Any, **names: str) -> Any:
        with importing():
            from azure.core.exceptions import ResourceNotFoundError

        with translated(what):
            try:
                return operations.get(**self._workspace.place, **names)
            except ResourceNotFoundError:
                return None

    def _put_endpoint(self, what: str, name: str, body: Any) -> None:
        with translated(what):
            self._endpoints.begin_create_or_update(
                **self._workspace.place, endpoint_name=name, body=body, polling=False
            )

    def _asset_id(self, kind: str, reference: Any) -> str | None:
        """The ARM id of an environment or code that a deployment names."""
        if not isinstance(reference, str) or reference.startswith("azureml://"):
            return reference or None
        text = reference.removeprefix("azureml:")
        if text.startswith("/"):
            return text
        if text.startswith(CURATED):
            return f"azureml:{text}"
        name, version, label = name_and_version(text)
        if label:
            return str(getattr(self._client, kind).get(name, label=label).id)
        return self._workspace.asset(kind, name, version)

    @cached_property
    def _location(self) -> str:
        with translated(f"reading workspace '{self._workspace.name}'"):
            return str(self._client.workspaces.get(self._workspace.name).location)
