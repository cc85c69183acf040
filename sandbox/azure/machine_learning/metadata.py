"""What SDKs read about the cloud and the workspace before they do anything."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.azure.errors import not_found
from sandbox.azure.machine_learning.assets import page
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import ML, WORKSPACE_PATH, Workspace

STORES = {"workspaceblobstore": "azureml-blobstore", "workspaceartifactstore": "azureml"}
CLOUD = "Sandbox"


class Metadata:
    """Serves the workspace, its datastores and computes, and the cloud's addresses."""

    def __init__(self, workspace: Workspace, computes: Mapping[str, Mapping[str, Any]]) -> None:
        self._workspace = workspace
        self._computes = computes

    def register(self, routes: Routes) -> None:
        """Serve them."""
        routes.add("GET", "/metadata/endpoints", self._clouds, versioned=False, audience="none")
        routes.add("GET", "/discovery", self._discovery, versioned=False, audience="none")
        routes.add("GET", WORKSPACE_PATH, self._get)
        routes.add("GET", f"{WORKSPACE_PATH}/datastores", self._stores)
        routes.add("GET", f"{WORKSPACE_PATH}/datastores/{{name}}", self._store)
        routes.add("GET", f"{WORKSPACE_PATH}/computes", self._list)
        routes.add("GET", f"{WORKSPACE_PATH}/computes/{{name}}", self._compute)

    async def _clouds(self, call: Call) -> web.Response:
        origin = call.origin
        cloud = {
            "name": CLOUD,
            "portal": "https://portal.azure.com/",
            "resourceManager": f"{origin}/",
            "authentication": {
                "loginEndpoint": "https://login.microsoftonline.com",
                "audiences": [
                    "https://management.core.windows.net/",
                    "https://management.azure.com/",
                    origin,
                ],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "graph": "https://graph.windows.net/",
            "suffixes": {"storage": "core.windows.net", "keyVaultDns": "vault.azure.net"},
        }
        return web.json_response([cloud])

    async def _discovery(self, call: Call) -> web.Response:
        return web.json_response(
            dict.fromkeys(("api", "history", "pipelines", "experimentation"), call.origin)
        )

    async def _get(self, call: Call) -> web.Response:
        return web.json_response(self._workspace.resource(call))

    async def _stores(self, call: Call) -> web.Response:
        names = (
            list(STORES)[:1] if call.request.query.get("isDefault", "").lower() == "true" else list(STORES)
        )
        return page(call, [self._shown_store(name) for name in names])

    async def _store(self, call: Call) -> web.Response:
        if call.names["name"] not in STORES:
            raise not_found(call.request.path, "UserError")
        return web.json_response(self._shown_store(call.names["name"]))

    async def _list(self, call: Call) -> web.Response:
        return page(call, [self._shown_compute(name) for name in self._computes])

    async def _compute(self, call: Call) -> web.Response:
        name = call.names["name"].lower()
        if name not in self._computes:
            raise not_found(call.request.path)
        return web.json_response(self._shown_compute(name))

    def _shown_store(self, name: str) -> dict[str, Any]:
        return {
            "id": f"{self._workspace.id}/datastores/{name}",
            "name": name,
            "type": f"{ML}/workspaces/datastores",
            "properties": {
                "datastoreType": "AzureBlob",
                "accountName": "stmlprod",
                "containerName": STORES[name],
                "endpoint": "core.windows.net",
                "protocol": "https",
                "isDefault": name == next(iter(STORES)),
                "credentials": {"credentialsType": "None"},
                "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
                "tags": {},
                "properties": {},
            },
            "systemData": self._workspace.system_data(),
        }

    def _shown_compute(self, name: str) -> dict[str, Any]:
        return {
            "id": f"{self._workspace.id}/computes/{name}",
            "name": name,
            "type": f"{ML}/workspaces/computes",
            "location": self._workspace.location,
            "tags": {},
            "properties": {
                "computeType": "AmlCompute",
                "computeLocation": self._workspace.location,
                "provisioningState": "Succeeded",
                "isAttachedCompute": False,
                "properties": dict(self._computes[name]),
            },
        }
