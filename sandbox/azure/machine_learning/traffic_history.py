"""The states of the online endpoints, one entry for each change, for tests to check."""

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.machine_learning.online_state import Endpoint, Endpoints


class TrafficHistory:
    """The states of all endpoints after every request that changed one; the oldest first."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.entries: list[dict[str, Any]] = []
        self._endpoints = endpoints

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record the states after the request, also after one that failed."""
        try:
            return await handler(request)
        finally:
            self._record(f"{request.method} {request.path}")

    def routes(self) -> list[web.RouteDef]:
        """`GET` lists the entries."""
        return [web.get("/_sandbox/traffic", self._list)]

    def _record(self, after: str) -> None:
        found = {endpoint.name: _shown(endpoint) for endpoint in self._endpoints.all()}
        if not self.entries or self.entries[-1]["endpoints"] != found:
            self.entries.append({"after": after, "endpoints": found})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(self.entries)


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    """`traffic` and `mirror` as the resource says; `live` and `copied` as requests are routed."""
    properties = endpoint.resource["properties"]
    return {
        "state": endpoint.state,
        "traffic": dict(properties["traffic"]),
        "mirror": dict(properties["mirrorTraffic"]),
        "live": dict(endpoint.traffic),
        "copied": dict(endpoint.mirror),
        "deployments": {one.name: one.state for one in endpoint.deployments.values()},
    }
