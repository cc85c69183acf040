"""Things with versions: models, components, environments, code and data."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.azure.errors import not_found, user_error
from sandbox.azure.request_bodies import check_body
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import ML, WORKSPACE_PATH, Workspace

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._\-]{0,254}")
PAGE = 100


@dataclass(slots=True)
class Asset:
    """One name with its versions, in the order in which they came."""

    name: str
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    archived: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    def next_version(self) -> str:
        """The number after the greatest."""
        return str(max((int(version) for version in self.versions if version.isdigit()), default=0) + 1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of asset: the properties that no later PUT may change, and those that Azure fills in."""

    name: str
    fixed: tuple[str, ...] = ()
    filled: Mapping[str, Any] = field(default_factory=dict)


class Assets:
    """One collection of assets; `created` hears of every new version: name, version, properties."""

    def __init__(
        self,
        workspace: Workspace,
        kind: Kind,
        created: Callable[[str, str, dict[str, Any]], None] = lambda *_: None,
    ) -> None:
        self.kind = kind.name
        self._workspace = workspace
        self._fixed = kind.fixed
        self._filled = kind.filled
        self._created = created
        self._assets: dict[str, Asset] = {}

    def register(self, routes: Routes) -> None:
        """Serve the names, each name, its versions and each version."""
        path = f"{WORKSPACE_PATH}/{self.kind}"
        routes.add("GET", path, self._names)
        routes.add("GET", f"{path}/{{name}}", self._container)
        routes.add("PUT", f"{path}/{{name}}", self._put_container)
        routes.add("GET", f"{path}/{{name}}/versions", self._versions)
        routes.add("GET", f"{path}/{{name}}/versions/{{version}}", self._get)
        routes.add("PUT", f"{path}/{{name}}/versions/{{version}}", self._put)
        routes.add("DELETE", f"{path}/{{name}}/versions/{{version}}", self._delete)

    def find(self, reference: str) -> dict[str, Any] | None:
        """The version that a resource id of this workspace names, or None."""
        pattern = rf"(azureml:)?{re.escape(self._workspace.id)}/{self.kind}/([^/]+)/versions/([^/]+)"
        match = re.fullmatch(pattern, reference, re.IGNORECASE)
        asset = self._assets.get(match[2]) if match else None
        return asset.versions.get(match[3]) if match and asset else None

    def find_next_version(self, name: str) -> str:
        """The version that the next registration of this name gets."""
        return self._assets.get(name, Asset(name)).next_version()

    def is_missing(self, reference: str | None) -> bool:
        """Whether the reference is an id in a workspace and nothing is there."""
        text = (reference or "").removeprefix("azureml:")
        return text.lower().startswith("/subscriptions/") and self.find(text) is None

    def put(self, name: str, version: str, body: dict[str, Any], **origin: Any) -> bool:
        """Create or change a version; True when it is new. Raises ArmError.

        `origin` is `who` and `made`, as for `Workspace.system_data`. `made` is the time of a published event
        that announced the version: then it raises no other.
        """
        check_body(self.kind, body)
        if not NAME.fullmatch(name):
            raise user_error(f"The name '{name}' is invalid: letters, digits, dashes, dots and underscores.")
        asset = self._assets.setdefault(name, Asset(name))
        known = asset.versions.get(version)
        asked = {key: value for key, value in body["properties"].items() if value is not None}
        properties = {"tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False}
        properties |= {**self._filled, **asked}
        if known:
            self._check_fixed(known["properties"], properties)
        asset.versions[version] = {
            "id": f"{self._workspace.id}/{self.kind}/{name}/versions/{version}",
            "name": version,
            "type": f"{ML}/workspaces/{self.kind}/versions",
            "properties": {**properties, "provisioningState": "Succeeded"},
            "systemData": self._workspace.system_data(known, **origin),
        }
        if known is None and "made" not in origin:
            self._created(name, version, properties)
        return known is None

    def _check_fixed(self, known: dict[str, Any], wanted: dict[str, Any]) -> None:
        if any(known.get(name) != wanted.get(name) for name in self._fixed):
            kind = "Asset paths are" if "modelUri" in self._fixed else f"The contents of {self.kind} are"
            raise user_error(f"{kind} immutable.")

    def _asset(self, call: Call) -> Asset:
        asset = self._assets.get(call.names["name"])
        if asset is None or not asset.versions:
            raise not_found(call.request.path, "UserError")
        return asset

    async def _names(self, call: Call) -> web.Response:
        shown = [self._shown(asset) for asset in self._assets.values() if asset.versions]
        return page(call, [asset for asset in shown if _wanted(call, asset)])

    async def _container(self, call: Call) -> web.Response:
        return web.json_response(self._shown(self._asset(call)))

    async def _put_container(self, call: Call) -> web.Response:
        asset = self._asset(call)
        properties = ((await call.body()) or {}).get("properties") or {}
        asset.archived = bool(properties.get("isArchived"))
        asset.tags = dict(properties.get("tags") or {})
        return web.json_response(self._shown(asset))

    def _shown(self, asset: Asset) -> dict[str, Any]:
        return {
            "id": f"{self._workspace.id}/{self.kind}/{asset.name}",
            "name": asset.name,
            "type": f"{ML}/workspaces/{self.kind}",
            "properties": {
                "tags": asset.tags,
                "properties": {},
                "isArchived": asset.archived,
                "latestVersion": list(asset.versions)[-1],
                "nextVersion": asset.next_version(),
                "provisioningState": "Succeeded",
            },
            "systemData": next(iter(asset.versions.values()))["systemData"],
        }

    async def _versions(self, call: Call) -> web.Response:
        asset = self._assets.get(call.names["name"])
        versions = list(asset.versions.values()) if asset else []
        order = call.request.query.get("$orderBy", "createdtime desc").lower()
        if order.endswith("desc"):
            versions.reverse()
        return page(call, [version for version in versions if _wanted(call, version)])

    async def _get(self, call: Call) -> web.Response:
        version = self._asset(call).versions.get(call.names["version"])
        if version is None:
            raise not_found(call.request.path, "UserError")
        return web.json_response(version)

    async def _put(self, call: Call) -> web.Response:
        name, version = call.names["name"], call.names["version"]
        created = self.put(name, version, await call.body(), who=call.who)
        return web.json_response(self._assets[name].versions[version], status=201 if created else 200)

    async def _delete(self, call: Call) -> web.Response:
        asset = self._assets.get(call.names["name"])
        known = asset.versions.pop(call.names["version"], None) if asset else None
        return web.Response(status=200 if known else 204)


def page(call: Call, items: list[dict[str, Any]]) -> web.Response:
    """One page of a list, with the link to the next."""
    query = call.request.query
    top, skip = query.get("$top", str(PAGE)), query.get("$skip", "0")
    if not (top.isdigit() and skip.isdigit()):
        raise user_error(f"$top is '{top}' and $skip is '{skip}': give whole numbers.")
    first, last = int(skip), int(skip) + min(int(top), PAGE)
    more = last < len(items) and "$top" not in query
    link = str(call.request.url.update_query({"$skip": str(last)})) if more else None
    return web.json_response({"value": items[first:last], "nextLink": link})


def _wanted(call: Call, resource: dict[str, Any]) -> bool:
    view = call.request.query.get("listViewType", "ActiveOnly").lower()
    archived = bool(resource["properties"].get("isArchived"))
    return view == "all" or archived == (view == "archivedonly")
