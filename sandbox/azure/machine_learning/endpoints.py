"""Online endpoints: create, change, read, delete."""

import copy
from typing import Any

from aiohttp import web

from sandbox.azure.errors import user_error
from sandbox.azure.machine_learning.assets import page
from sandbox.azure.machine_learning.online_state import (
    Endpoint,
    Endpoints,
    check_location,
    check_name,
)
from sandbox.azure.machine_learning.traffic import check_traffic
from sandbox.azure.operations import Operations, Work
from sandbox.azure.request_bodies import check_body
from sandbox.azure.rights.authorization import Authorization
from sandbox.azure.rights.requested_actions import requested_actions
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import ML, WORKSPACE_PATH, Workspace

CREATE, UPDATE, DELETE = 60, 15, 60
COLLECTION = f"{WORKSPACE_PATH}/onlineEndpoints"


class OnlineEndpoints:
    """Serves the workspace's online endpoints; times are what Azure takes, in seconds."""

    def __init__(
        self,
        workspace: Workspace,
        operations: Operations,
        endpoints: Endpoints,
        authorization: Authorization,
    ) -> None:
        self._workspace = workspace
        self._operations = operations
        self._endpoints = endpoints
        self._authorization = authorization

    def register(self, routes: Routes) -> None:
        """Serve the endpoints and what can be done with each."""
        one = f"{COLLECTION}/{{endpoint}}"
        routes.add("GET", COLLECTION, self._list)
        routes.add("GET", one, self._get)
        routes.add("PUT", one, self._put)
        routes.add("PATCH", one, self._patch)
        routes.add("DELETE", one, self._delete)

    def view(self, endpoint: Endpoint, origin: str) -> dict[str, Any]:
        """The resource, with the addresses under which the caller reaches it."""
        resource = copy.deepcopy(endpoint.resource)
        base = f"{origin}/inference/{endpoint.name}"
        resource["properties"] |= {"scoringUri": f"{base}/score", "swaggerUri": f"{base}/swagger.json"}
        return resource

    async def _list(self, call: Call) -> web.Response:
        return page(call, [self.view(endpoint, call.data_plane) for endpoint in self._endpoints.all()])

    async def _get(self, call: Call) -> web.Response:
        return web.json_response(self.view(self._named(call), call.data_plane))

    async def _put(self, call: Call) -> web.Response:
        body = await call.body()
        check_body("onlineEndpoints", body)
        name = call.names["endpoint"]
        check_name("endpoint", name)
        endpoint = self._endpoints.find(name)
        [own] = requested_actions("PUT", call.request.path)
        given = _identities(body) - (_identities(endpoint.resource) if endpoint else set())
        self._authorization.check_linked(call.who, own, sorted(given))
        check_location(body, endpoint.resource if endpoint else None, self._workspace.location)
        if endpoint:
            self._check_change(endpoint, body)
        check_traffic(body["properties"], endpoint)
        created = endpoint is None
        endpoint = endpoint or Endpoint(name, {})
        return self._begin(call, endpoint, body, created)

    def _check_change(self, endpoint: Endpoint, body: dict[str, Any]) -> None:
        endpoint.check_free(f"update endpoint {endpoint.name}")
        known = endpoint.resource["properties"]["authMode"]
        if body["properties"]["authMode"] != known:
            raise user_error(f"The authMode of endpoint {endpoint.name} is {known}, and cannot be changed.")

    def _begin(self, call: Call, endpoint: Endpoint, body: dict[str, Any], created: bool) -> web.Response:
        before = endpoint.resource
        endpoint.resource = self._resource(endpoint, body, before)
        endpoint.state = "Creating" if created else "Updating"
        self._endpoints.add(endpoint)

        def done() -> None:
            properties = endpoint.resource["properties"]
            endpoint.traffic, endpoint.mirror = dict(properties["traffic"]), dict(properties["mirrorTraffic"])
            endpoint.state = "Succeeded"

        def failed(_: object) -> None:
            properties = endpoint.resource["properties"]
            properties["traffic"], properties["mirrorTraffic"] = dict(endpoint.traffic), dict(endpoint.mirror)
            endpoint.state = "Failed"

        work = Work("oeidp", CREATE if created else UPDATE, done, failed)
        endpoint.operation = self._operations.begin(work, call.failure)
        url = self._operations.status_url(call, endpoint.operation)
        endpoint.resource["properties"]["properties"]["AzureAsyncOperationUri"] = url
        view = self.view(endpoint, call.data_plane)
        return self._operations.answer_accepted(call, endpoint.operation, view, created)

    def _resource(self, endpoint: Endpoint, body: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        workspace = self._workspace
        own = f"{workspace.id}/onlineEndpoints/{endpoint.name}"
        asked: dict[str, Any] = {"publicNetworkAccess": "Enabled", "compute": None}
        asked |= {key: value for key, value in body["properties"].items() if value is not None}
        endpoint.keys |= asked.pop("keys", None) or {}
        system = workspace.system_data(before)
        filled = {name: system[name] for name in ("createdAt", "createdBy", "lastModifiedAt")}
        filled |= {"azureml.onlineendpointid": own.lower()}
        return {
            "id": own,
            "name": endpoint.name,
            "type": f"{ML}/workspaces/onlineEndpoints",
            "kind": "Kubernetes" if asked["compute"] else "Managed",
            "location": workspace.location,
            "tags": body.get("tags") or {},
            "identity": workspace.identity(body.get("identity"), endpoint.principal),
            "properties": {
                **asked,
                "traffic": endpoint.restore_names(asked.get("traffic") or {}),
                "mirrorTraffic": endpoint.restore_names(asked.get("mirrorTraffic") or {}),
                "properties": {**(asked.get("properties") or {}), **filled},
            },
            "systemData": system,
        }

    async def _patch(self, call: Call) -> web.Response:
        endpoint = self._named(call)
        endpoint.check_free(f"update endpoint {endpoint.name}")
        body = await call.body() or {}
        endpoint.resource["tags"] = body.get("tags", endpoint.resource["tags"])
        endpoint.state = "Updating"

        def settle(state: str) -> None:
            endpoint.state = state

        work = Work("oeidp", UPDATE, lambda: settle("Succeeded"), lambda _: settle("Failed"))
        endpoint.operation = self._operations.begin(work, call.failure)
        return self._operations.answer_location(call, endpoint.operation)

    async def _delete(self, call: Call) -> web.Response:
        endpoint = self._endpoints.find(call.names["endpoint"])
        if endpoint is None:
            return web.Response(status=204)
        endpoint.check_free(f"delete endpoint {endpoint.name}")
        endpoint.state = "Deleting"

        def failed(_: object) -> None:
            endpoint.state = "Failed"

        work = Work("oe", DELETE, lambda: self._endpoints.remove(endpoint), failed)
        endpoint.operation = self._operations.begin(work, call.failure)
        return self._operations.answer_location(call, endpoint.operation)

    def _named(self, call: Call) -> Endpoint:
        return self._endpoints.get(call.names["endpoint"], call.request.path)


def _identities(resource: dict[str, Any]) -> set[str]:
    """The user-assigned identities in a body, in small letters."""
    listed = (resource.get("identity") or {}).get("userAssignedIdentities") or {}
    return {identity.lower() for identity in listed}
