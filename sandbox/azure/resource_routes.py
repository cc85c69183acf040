"""The routes of the workspaces and factories that the rules add to those that are always there."""

from contextlib import suppress
from typing import Protocol

from aiohttp import web

from sandbox.azure.routes import Route, Routes
from sandbox.azure.scopes import Key, Scopes

NO_KEY = ("", "", "", "")


class ServedResource(Protocol):
    """A resource that says on which routes it answers."""

    def register(self, routes: Routes) -> None:
        """Serve it."""
        ...


class ResourceRoutes:
    """Finds the resource that a path names; `prefix` begins the paths of a workspace's data plane."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._routes: dict[Key, tuple[Routes, str]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._routes

    def add(self, key: Key, resource: ServedResource, prefix: str = "") -> None:
        """Serve one more resource."""
        routes = Routes()
        resource.register(routes)
        self._routes[key] = routes, prefix

    def find(self, request: web.Request, shared: Routes) -> tuple[Route, dict[str, str], str]:
        """The route, the names in the path, and the prefix of the workspace; raises LookupError."""
        path = request.rel_url.raw_path.rstrip("/")
        for routes, prefix in self._routes.values():
            if prefix and path.startswith(f"{prefix}/"):
                return *routes.find(request.method, path.removeprefix(prefix)), prefix
        route, names = shared.find(request.method, path)
        own, prefix = self._routes.get(self._scopes.find_key(names) or NO_KEY, (None, ""))
        if own is not None:
            with suppress(LookupError):  # what every resource has, such as its permissions, is shared
                return *own.find(request.method, path), prefix
        return route, names, prefix
