"""Deployments of online endpoints: create, change, read, log, delete."""

import copy
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.azure.errors import not_found, user_error
from sandbox.azure.machine_learning.assets import Assets, page
from sandbox.azure.machine_learning.deployment_bodies import (
    DEFAULTS,
    capacity,
    check_compute,
    check_references,
    is_scaling_only,
)
from sandbox.azure.machine_learning.endpoints import COLLECTION
from sandbox.azure.machine_learning.online_state import (
    Deployment,
    Endpoint,
    Endpoints,
    check_location,
    check_name,
)
from sandbox.azure.machine_learning.registries import Registries
from sandbox.azure.machine_learning.traffic import share_of
from sandbox.azure.operations import Operations, Work
from sandbox.azure.request_bodies import check_body
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import ML, Workspace

CREATE, SCALE, DELETE = 8 * 60, 4 * 60, 90
MOST = 20


class OnlineDeployments:
    """Serves deployments; `assets` are the collections that a deployment may refer to, by kind."""

    def __init__(
        self,
        workspace: Workspace,
        operations: Operations,
        endpoints: Endpoints,
        assets: Mapping[str, Assets],
        registries: Registries,
    ) -> None:
        self._workspace = workspace
        self._operations = operations
        self._endpoints = endpoints
        self._assets = assets
        self._registries = registries

    def register(self, routes: Routes) -> None:
        """Serve the deployments and what can be done with each."""
        path = f"{COLLECTION}/{{endpoint}}/deployments"
        one = f"{path}/{{deployment}}"
        routes.add("GET", path, self._list)
        routes.add("GET", one, self._get)
        routes.add("PUT", one, self._put)
        routes.add("PATCH", one, self._patch)
        routes.add("DELETE", one, self._delete)
        routes.add("POST", f"{one}/getLogs", self._logs)
        routes.add("GET", f"{one}/skus", self._skus)

    async def _list(self, call: Call) -> web.Response:
        return page(call, [deployment.resource for deployment in self._endpoint(call).deployments.values()])

    async def _get(self, call: Call) -> web.Response:
        return web.json_response(self._named(call)[1].resource)

    async def _put(self, call: Call) -> web.Response:
        body = await call.body()
        check_body("onlineEndpoints/deployments", body)
        endpoint, name = self._endpoint(call), call.names["deployment"]
        check_name("deployment", name)
        known = endpoint.find(name)
        check_location(body, known.resource if known else None, self._workspace.location)
        verb = "update" if known else "create"
        endpoint.check_free(f"{verb} a deployment in endpoint {endpoint.name}")
        endpoint.check_ready(f"{verb} a deployment in endpoint {endpoint.name}")
        if known is None and len(endpoint.deployments) >= MOST:
            raise user_error(f"Endpoint {endpoint.name} has {MOST} deployments, which is the limit.")
        check_compute(endpoint, body["properties"])
        self._registries.check_reference(call.who, body["properties"].get("model") or "")
        check_references(self._assets, body["properties"], body.get("sku") or {})
        return self._begin(call, endpoint, body)

    def _begin(self, call: Call, endpoint: Endpoint, body: dict[str, Any]) -> web.Response:
        name = call.names["deployment"]
        deployment = endpoint.find(name)
        created = deployment is None
        scaled = deployment is not None and is_scaling_only(deployment.resource, body)
        resource = self._resource(endpoint, deployment.name if deployment else name, body, deployment)
        if deployment is None:
            deployment = endpoint.deployments[name.lower()] = Deployment(name, resource)
        deployment.resource = resource
        deployment.state = "Creating" if created else "Scaling" if scaled else "Updating"
        work = Work("odidp", SCALE if scaled else CREATE, deployment.succeed, deployment.fail)
        endpoint.operation = self._operations.begin(work, call.failure)
        url = self._operations.status_url(call, endpoint.operation)
        resource["properties"]["properties"]["AzureAsyncOperationUri"] = url
        return self._operations.answer_accepted(call, endpoint.operation, resource, created)

    def _resource(
        self, endpoint: Endpoint, name: str, body: dict[str, Any], known: Deployment | None
    ) -> dict[str, Any]:
        asked = {key: value for key, value in body["properties"].items() if value is not None}
        return {
            "id": f"{endpoint.resource['id']}/deployments/{name}",
            "name": name,
            "type": f"{ML}/workspaces/onlineEndpoints/deployments",
            "kind": asked["endpointComputeType"],
            "location": self._workspace.location,
            "tags": body.get("tags") or {},
            "sku": body.get("sku") or {"name": "Default", "capacity": 1},
            "properties": {
                **copy.deepcopy(dict(DEFAULTS)),
                **asked,
                "properties": dict(asked.get("properties") or {}),
                "provisioningState": "Creating",
            },
            "systemData": self._workspace.system_data(known.resource if known else None),
        }

    async def _patch(self, call: Call) -> web.Response:
        endpoint, deployment = self._named(call)
        endpoint.check_free(f"update a deployment in endpoint {endpoint.name}")
        body = await call.body() or {}
        scaled = capacity(body, 0) not in (0, capacity(deployment.resource))
        for part in ("tags", "sku"):
            deployment.resource[part] = {**deployment.resource[part], **(body.get(part) or {})}
        deployment.state = "Scaling" if scaled else "Updating"
        work = Work("od", SCALE, deployment.succeed, deployment.fail)
        endpoint.operation = self._operations.begin(work, call.failure)
        return self._operations.answer_location(call, endpoint.operation)

    async def _delete(self, call: Call) -> web.Response:
        endpoint = self._endpoint(call)
        deployment = endpoint.find(call.names["deployment"])
        if deployment is None:
            return web.Response(status=204)
        name = deployment.name
        endpoint.check_free(f"delete a deployment in endpoint {endpoint.name}")
        shown = endpoint.resource["properties"]
        if share_of(shown["traffic"], name) or share_of(shown["mirrorTraffic"], name):
            raise user_error(f"Cannot delete deployment {name} because it is receiving traffic")
        deployment.state = "Deleting"

        def done() -> None:
            endpoint.deployments.pop(name.lower(), None)
            for shares in (shown["traffic"], shown["mirrorTraffic"], endpoint.traffic, endpoint.mirror):
                for key in [key for key in shares if key.lower() == name.lower()]:
                    del shares[key]

        work = Work("od", DELETE, done, deployment.fail)
        endpoint.operation = self._operations.begin(work, call.failure)
        return self._operations.answer_location(call, endpoint.operation)

    async def _logs(self, call: Call) -> web.Response:
        deployment = self._named(call)[1]
        body = await call.body() or {}
        kind = body.get("containerType", "InferenceServer")
        if kind not in ("InferenceServer", "StorageInitializer"):
            raise user_error(f"'containerType' is {kind!r}: InferenceServer or StorageInitializer.")
        tail = body.get("tail") or len(deployment.log)
        return web.json_response({"content": "\n".join(deployment.log[-tail:] if tail else [])})

    async def _skus(self, call: Call) -> web.Response:
        capacity = {"minimum": 1, "maximum": 50, "default": 1, "scaleType": "Manual"}
        kind = self._named(call)[1].resource["type"]
        return page(call, [{"resourceType": kind, "sku": {"name": "Default"}, "capacity": capacity}])

    def _endpoint(self, call: Call) -> Endpoint:
        return self._endpoints.get(call.names["endpoint"], call.request.path)

    def _named(self, call: Call) -> tuple[Endpoint, Deployment]:
        endpoint = self._endpoint(call)
        deployment = endpoint.find(call.names["deployment"])
        if deployment is None:
            raise not_found(call.request.path)
        return endpoint, deployment
