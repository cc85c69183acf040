"""Managed online endpoints and their deployments, as Resource Manager has them.

Nothing here waits for a long-running operation: a write returns as soon as Azure has accepted it, and the
resource's `provisioning_state` shows the progress. azure-ai-ml's own methods would start a polling thread on
a status URL that a role on the workspace does not reach.

REST reference: https://learn.microsoft.com/rest/api/azureml/online-endpoints, api-version 2024-10-01.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlevents.errors import TransientError
from mlevents.services.arm_client import ArmClient
from mlevents.services.azure_credential import credential
from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.deployment_body import deployment_body
from mlevents.services.machine_learning.failed_operation import failure_reason
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.machine_learning.states import (
    AUTH_MODES,
    DeploymentState,
    EndpointState,
    NewDeployment,
    NewEndpoint,
    writable_endpoint,
)
from mlevents.services.machine_learning.workspace_resource import read_workspace
from mlevents.services.sdk_errors import clean_text, translate_errors

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

ENDPOINTS_API = "2024-10-01"
SCORING_SCOPE = "https://ml.azure.com/.default"


class OnlineEndpoints:
    """The online endpoints of one workspace. Writes return when accepted; look again to follow."""

    def __init__(
        self, workspace: Workspace, open_client: Callable[[], MLClient], resource_manager: str
    ) -> None:
        self._workspace = workspace
        self._open_client = open_client
        self._arm = ArmClient(resource_manager)

    def endpoint(self, name: str) -> EndpointState | None:
        """The endpoint, or None when Azure answers 404, which may be wrong for a moment."""
        with translate_errors(f"reading endpoint '{name}'"):
            found = self._arm.find(self._path(name), ENDPOINTS_API)
            return EndpointState.read(found) if found else None

    def names(self) -> tuple[str, ...]:
        """The names of all endpoints."""
        with translate_errors("listing the endpoints"):
            found = self._arm.list(f"{self._workspace.id}/onlineEndpoints", ENDPOINTS_API)
            return tuple(str(one["name"]) for one in found)

    def put_endpoint(self, wanted: NewEndpoint) -> bool:
        """Create an endpoint; False when Azure answers that it existed already.

        Only for one that was looked for and is absent. The body names no traffic map, so it changes none.
        """
        with translate_errors(f"creating endpoint '{wanted.name}'"):
            body = wanted.body(self._location)
            answer = self._arm.put(self._path(wanted.name), ENDPOINTS_API, body)
            return answer.status_code != HTTPStatus.OK

    def set_traffic(
        self,
        name: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        check: Callable[[EndpointState], object] = lambda _: None,
    ) -> None:
        """Put the complete endpoint with another traffic map; Azure ML has no smaller write.

        Without a `mirror` the mirrored traffic stays. `check` gets the state that is about to be replaced,
        and prevents the write by raising: Azure ML has no ETag, so this leaves others the shortest time.
        """
        what = f"moving the traffic of endpoint '{name}' to {dict(traffic)}"
        with translate_errors(what):
            found = self._arm.find(self._path(name), ENDPOINTS_API)
            if found is None:
                raise TransientError(f"{what}: Azure answered 404: it is looked for again", busy=True)
            check(EndpointState.read(found))
            body = writable_endpoint(found)
            body["properties"]["traffic"] = dict(traffic)
            if mirror is not None:
                body["properties"]["mirrorTraffic"] = dict(mirror)
            self._arm.put(self._path(name), ENDPOINTS_API, body)

    def token(self, state: EndpointState) -> str:
        """The key or token for requests to the endpoint's scoring address."""
        with translate_errors(f"reading the key of endpoint '{state.name}'"):
            if state.auth_mode == AUTH_MODES["aad_token"]:
                return credential().get_token(SCORING_SCOPE).token
            if state.auth_mode == AUTH_MODES["aml_token"]:
                return str(self._arm.post(f"{self._path(state.name)}/token", ENDPOINTS_API)["accessToken"])
            return str(self._arm.post(f"{self._path(state.name)}/listKeys", ENDPOINTS_API)["primaryKey"])

    def log(self, endpoint: str, deployment: str, lines: int) -> tuple[str, ...]:
        """The last lines of the deployment's container log, without what looks like a secret."""
        with translate_errors(f"reading the log of deployment '{deployment}' of endpoint '{endpoint}'"):
            body = {"containerType": "InferenceServer", "tail": lines}
            found = self._arm.post(f"{self._path(endpoint, deployment)}/getLogs", ENDPOINTS_API, body)
            return tuple(_clean_line(line) for line in str(found["content"] or "").splitlines()[-lines:])

    def deployments(self, endpoint: str) -> tuple[DeploymentState, ...]:
        """The deployments that Azure lists for the endpoint; empty when Azure does not find the endpoint."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        with translate_errors(f"listing the deployments of endpoint '{endpoint}'"):
            try:
                found = self._arm.list(f"{self._path(endpoint)}/deployments", ENDPOINTS_API)
                return tuple(map(DeploymentState.read, found))
            except ResourceNotFoundError:
                return ()

    def deployment(self, endpoint: str, name: str) -> DeploymentState | None:
        """The deployment, or None when Azure answers 404, which may be wrong for a moment."""
        with translate_errors(f"reading deployment '{name}' of endpoint '{endpoint}'"):
            found = self._arm.find(self._path(endpoint, name), ENDPOINTS_API)
            return DeploymentState.read(found) if found else None

    def put_deployment(self, wanted: NewDeployment) -> None:
        """Create the deployment without traffic, or put it again."""
        with translate_errors(f"creating deployment '{wanted.name}' of endpoint '{wanted.endpoint}'"):
            body = deployment_body(self._arm, self._open_client, self._workspace, wanted)
            body["location"] = self._location
            self._arm.put(self._path(wanted.endpoint, wanted.name), ENDPOINTS_API, body)

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Delete the deployment; no error when it is gone. Azure refuses while it has traffic."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        with translate_errors(f"deleting deployment '{name}' of endpoint '{endpoint}'"):
            try:
                self._arm.request("DELETE", self._path(endpoint, name), ENDPOINTS_API)
            except ResourceNotFoundError:
                return

    def reason(self, state: EndpointState | DeploymentState) -> str:
        """Why the last operation on it failed, if Azure lets this identity read that."""
        return failure_reason(self._arm, state.operation)

    def _path(self, endpoint: str, deployment: str = "") -> str:
        path = self._workspace.endpoint(quote(endpoint, safe=""))
        return f"{path}/deployments/{quote(deployment, safe='')}" if deployment else path

    @cached_property
    def _location(self) -> str:
        return read_workspace(self._arm, self._workspace).location


def _clean_line(line: str) -> str:
    """One line of a log, without what looks like a secret and with its indent."""
    text = line.expandtabs(4).rstrip()
    return " " * (len(text) - len(text.lstrip())) + clean_text(text)
