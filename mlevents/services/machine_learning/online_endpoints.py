"""Managed online endpoints and their deployments; see `machine_learning` for how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mlevents.errors import ActionError, TransientError
from mlevents.services.azure_credential import credential
from mlevents.services.lazy_import import importing
from mlevents.services.machine_learning.deployment_body import deployment_body
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.machine_learning.states import (
    AUTH_MODES,
    DeploymentState,
    EndpointState,
    NewDeployment,
    NewEndpoint,
)
from mlevents.services.paging import same_origin
from mlevents.services.sdk_errors import clean, translated

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

OPERATION_READ = "Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read"
SCORING_SCOPE = "https://ml.azure.com/.default"


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
        """The endpoint, or None when Azure answers 404, which may be wrong for a moment."""
        found = self._read(f"reading endpoint '{name}'", self._endpoints, endpoint_name=name)
        return EndpointState.read(found) if found else None

    def names(self) -> tuple[str, ...]:
        """The names of all endpoints."""
        with translated("listing the endpoints"):
            return tuple(str(one["name"]) for one in self._endpoints.list(**self._workspace.place))

    def put_endpoint(self, wanted: NewEndpoint) -> bool:
        """Create an endpoint; False when Azure answers that it existed already.

        Only for one that was looked for and is absent. The body names no traffic map, so that it asks
        for no change of one.
        """
        body = wanted.body(self._location)
        status = self._put_endpoint(f"creating endpoint '{wanted.name}'", wanted.name, body)
        return status != HTTPStatus.OK

    def set_traffic(
        self,
        name: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        check: Callable[[EndpointState], object] = lambda _: None,
    ) -> None:
        """Put the endpoint as it stands, with another traffic map; Azure ML knows no smaller write.

        Without a `mirror` the mirrored traffic stays. `check` sees what is about to be replaced, and
        stops the write by raising: Azure ML gives no ETag, so this leaves the shortest time for others.
        """
        what = f"moving the traffic of endpoint '{name}' to {dict(traffic)}"
        found = self._read(what, self._endpoints, endpoint_name=name)
        if found is None:
            raise TransientError(f"{what}: Azure answered 404: it is looked for again", busy=True)
        check(EndpointState.read(found))
        found["properties"]["traffic"] = dict(traffic)
        if mirror is not None:
            found["properties"]["mirrorTraffic"] = dict(mirror)
        self._put_endpoint(what, name, found)  # the SDK leaves out what is read-only

    def token(self, state: EndpointState) -> str:
        """What lets a request in at the endpoint's scoring address: its key, or a token."""
        with translated(f"reading the key of endpoint '{state.name}'"):
            if state.auth_mode == AUTH_MODES["aad_token"]:
                return credential().get_token(SCORING_SCOPE).token
            if state.auth_mode == AUTH_MODES["aml_token"]:
                token = self._endpoints.get_token(**self._workspace.place, endpoint_name=state.name)
                return str(token["accessToken"])
            keys = self._endpoints.list_keys(**self._workspace.place, endpoint_name=state.name)
            return str(keys["primaryKey"])

    def log(self, endpoint: str, deployment: str, lines: int) -> tuple[str, ...]:
        """The last lines that the deployment's container wrote, without what looks like a secret."""
        with translated(f"reading the log of deployment '{deployment}' of endpoint '{endpoint}'"):
            found = self._deployments.get_logs(
                **self._workspace.place,
                endpoint_name=endpoint,
                deployment_name=deployment,
                body={"containerType": "InferenceServer", "tail": lines},
            )
        return tuple(clean(line) for line in str(found["content"] or "").splitlines()[-lines:])

    def deployments(self, endpoint: str) -> tuple[DeploymentState, ...]:
        """The deployments that Azure lists of the endpoint; none for one that it does not find."""
        with importing():
            from azure.core.exceptions import ResourceNotFoundError

        with translated(f"listing the deployments of endpoint '{endpoint}'"):
            try:
                found = list(self._deployments.list(**self._workspace.place, endpoint_name=endpoint))
            except ResourceNotFoundError:
                return ()
        return tuple(map(DeploymentState.read, found))

    def deployment(self, endpoint: str, name: str) -> DeploymentState | None:
        """The deployment, or None when Azure answers 404, which may be wrong for a moment."""
        what = f"reading deployment '{name}' of endpoint '{endpoint}'"
        found = self._read(what, self._deployments, endpoint_name=endpoint, deployment_name=name)
        return DeploymentState.read(found) if found else None

    def put_deployment(self, wanted: NewDeployment) -> None:
        """Create the deployment (without traffic), or put it anew."""
        with translated(f"creating deployment '{wanted.name}' of endpoint '{wanted.endpoint}'"):
            self._deployments.begin_create_or_update(
                **self._workspace.place,
                endpoint_name=wanted.endpoint,
                deployment_name=wanted.name,
                body=deployment_body(self._client, self._workspace, wanted, self._location),
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
        if not same_origin(state.operation, self._resource_manager):
            return "Azure names no operation that tells why"
        try:
            with translated("reading the operation that failed"):
                error = self._operation(state.operation).get("error") or {}
        except ActionError as refusal:
            answer = str(refusal).removeprefix("reading the operation that failed: ").partition(": ")[0]
            return (
                f"why cannot be read ({answer}): open it in Azure ML Studio, or give this identity a role "
                f"with {OPERATION_READ} on the subscription"
            )
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

    def _put_endpoint(self, what: str, name: str, body: Any) -> int:
        """Put it; gives the HTTP status of the answer."""
        statuses: list[int] = []
        with translated(what):
            self._endpoints.begin_create_or_update(
                **self._workspace.place,
                endpoint_name=name,
                body=body,
                polling=False,
                raw_response_hook=lambda answer: statuses.append(answer.http_response.status_code),
            )
        return statuses[-1] if statuses else HTTPStatus.CREATED

    @cached_property
    def _location(self) -> str:
        with translated(f"reading workspace '{self._workspace.name}'"):
            return str(self._client.workspaces.get(self._workspace.name).location)
