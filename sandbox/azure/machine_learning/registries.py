"""Registries: the models that were copied there, served by the front end of the primary region.

A copy keeps the type, the description and the properties of its model, and gets no tags. While it is under
way, the registry answers 404 for it, and 409 to a second copy of the same name and version.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web

from sandbox.azure.errors import ArmError, conflict, not_found, user_error
from sandbox.azure.identity import APP
from sandbox.azure.machine_learning.assets import NAME
from sandbox.azure.machine_learning.registry_state import Registry
from sandbox.azure.operations import Operations, Work
from sandbox.azure.request_bodies import check_body
from sandbox.azure.rights.requested_actions import FRONT
from sandbox.azure.routes import Call, Routes
from sandbox.azure.scopes import Key, Scopes
from sandbox.azure.workspace import ML, REGISTRY_PATH

DISCOVERY = "/registrymanagement/v1.0/registries/{name}/discovery"
VERSION_PATH = f"{FRONT}{REGISTRY_PATH}/models/{{model}}/versions/{{version}}"
SOURCE = re.compile(
    r"azureml://locations/(?P<region>\w+)/workspaces/(?P<guid>[-0-9a-f]{36})"
    r"/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)",
    re.IGNORECASE,
)
REFERENCE = re.compile(
    r"azureml://registries/(?P<registry>[^/]+)/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)"
)
COPY = 30.0
"""Seconds that a copy takes."""
COPIED = ("description", "flavors", "modelType", "properties")


class Sources(Protocol):
    """Where the models of the workspaces are found."""

    def find_model(self, guid: str, name: str, version: str) -> tuple[str, dict[str, Any]] | None:
        """The id and the properties of a model in the workspace with this GUID."""
        ...


class Registries:
    """Every registry, found by the path, or for a deployment by its name; `sources` has the workspaces."""

    def __init__(
        self,
        operations: Operations,
        scopes: Scopes,
        allowed: Callable[[str, str, str], bool],
    ) -> None:
        self._operations = operations
        self._scopes = scopes
        self.sources: Sources | None = None
        self._allowed = allowed
        self._registries: dict[Key, Registry] = {}

    def add(self, id: str, location: str) -> None:
        """Create a registry, unless there is one with this ARM id."""
        self._registries.setdefault(self._scopes.add(id), Registry(id, location))

    def check_reference(self, who: str, reference: str) -> None:
        """Raise ArmError for a deployment's model that is in no registry, or that the caller may not use."""
        match = REFERENCE.fullmatch(reference)
        if match is None:
            return
        registry, action = self._find_named(match["registry"]), f"{ML}/registries/assets/read"
        if self.find_model(reference) is None or registry is None:
            raise user_error(f"Model {reference} was not found.")
        if not self._allowed(who, action, registry.id):
            text = f"The caller has no permission to perform action '{action}' over scope '{registry.id}'."
            raise ArmError(403, "AuthorizationFailed", text)

    def find_model(self, reference: str) -> dict[str, Any] | None:
        """The model in a registry that `azureml://registries/…` names."""
        match = REFERENCE.fullmatch(reference)
        registry = self._find_named(match["registry"]) if match else None
        return registry.models.get((match["name"], match["version"])) if match and registry else None

    def register(self, routes: Routes) -> None:
        """Serve the registries, where their front end is, and their models."""
        routes.add("GET", REGISTRY_PATH, self._get)
        routes.add("GET", DISCOVERY, self._discover, versioned=False)
        routes.add("POST", f"{FRONT}{REGISTRY_PATH}/import", self._import)
        routes.add("GET", VERSION_PATH, self._get_model)
        routes.add("PUT", VERSION_PATH, self._put_model)

    def _find_named(self, name: str) -> Registry | None:
        return next((one for one in self._registries.values() if one.name.lower() == name.lower()), None)

    def _find(self, call: Call) -> Registry:
        return self._registries[self._scopes.find_key(call.names) or ("", "", "", "")]

    async def _get(self, call: Call) -> web.Response:
        registry = self._find(call)
        body = {
            "id": registry.id,
            "name": registry.name,
            "type": f"{ML}/registries",
            "location": registry.location,
            "tags": {},
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "discoveryUrl": call.origin + DISCOVERY.format(name=registry.name),
                "publicNetworkAccess": "Enabled",
                "regionDetails": [{"location": registry.location}],
            },
        }
        return web.json_response(body)

    async def _discover(self, call: Call) -> web.Response:
        registry = self._find_named(call.names["name"])
        if registry is None:
            raise not_found(call.request.path)
        _, _, subscription, _, group, *_ = registry.id.split("/")
        body = {
            "registryName": registry.name,
            "primaryRegion": registry.location,
            "regions": [registry.location],
            "subscriptionId": subscription,
            "resourceGroup": group,
            "primaryRegionResourceProviderUri": f"{call.origin}/",
        }
        return web.json_response(body)

    async def _import(self, call: Call) -> web.Response:
        registry = self._find(call)
        wanted = ((await call.body()) or {}).get("properties") or {}
        model = str(wanted.get("destinationName")), str(wanted.get("destinationVersion"))
        source = SOURCE.fullmatch(str(wanted.get("sourceAssetId")))
        if wanted.get("referenceType") != "Id" or source is None or not all(map(NAME.fullmatch, model)):
            raise user_error("The asset reference is invalid: referenceType, sourceAssetId, destinationName.")
        copied = self._read_source(call.who, source)
        if model in registry.models or model in registry.copying:
            raise conflict(f"Model {model[0]}:{model[1]} already exists in registry {registry.name}.")
        registry.copying.add(model)

        def done() -> None:
            registry.copying.discard(model)
            registry.add(model, {key: copied[key] for key in COPIED if key in copied})

        work = Work("regimport", COPY, done, lambda _: registry.copying.discard(model))
        return self._operations.answer_location(call, self._operations.begin(work, call.failure))

    def _read_source(self, who: str, source: re.Match[str]) -> dict[str, Any]:
        wanted = source["guid"], source["name"], source["version"]
        found = self.sources.find_model(*wanted) if self.sources else None
        if found is None:
            raise user_error(f"The source asset {source[0]} was not found.")
        id, properties = found
        if not self._allowed(who or APP, f"{ML}/workspaces/models/versions/read", id):
            raise ArmError(
                403, "AuthorizationFailed", f"The caller may not read the source asset {source[0]}."
            )
        return properties

    async def _get_model(self, call: Call) -> web.Response:
        found = self._find(call).models.get((call.names["model"], call.names["version"]))
        if found is None:
            raise not_found(call.request.path, "UserError")
        return web.json_response(found)

    async def _put_model(self, call: Call) -> web.Response:
        registry, body = self._find(call), await call.body()
        model = call.names["model"], call.names["version"]
        check_body("models", body)
        known = registry.models.get(model)
        if known is None:
            raise user_error("A new model needs an upload to the registry's storage first.")
        if body["properties"].get("modelUri") != known["properties"]["modelUri"]:
            raise user_error("Asset paths are immutable.")
        changed = registry.add(model, {**known["properties"], **body["properties"]})
        return web.json_response(changed)
