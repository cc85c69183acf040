"""The states of the online endpoints, one entry for each change, for tests to check."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.machine_learning.online_state import Endpoint


@dataclass(frozen=True, slots=True)
class EndpointSnapshot:
    """`traffic` and `mirror` as the resource says; `live` and `copied` as requests are routed."""

    state: str
    traffic: dict[str, int]
    mirror: dict[str, int]
    live: dict[str, int]
    copied: dict[str, int]
    deployments: dict[str, str]

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """The state of an endpoint now."""
        properties = endpoint.resource["properties"]
        return cls(
            endpoint.state,
            dict(properties["traffic"]),
            dict(properties["mirrorTraffic"]),
            dict(endpoint.traffic),
            dict(endpoint.mirror),
            {one.name: one.state for one in endpoint.deployments.values()},
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """All endpoints by name, after a request."""

    after: str
    endpoints: dict[str, EndpointSnapshot]


class TrafficHistory:
    """The states of all endpoints after every request that changed one; the oldest first."""

    def __init__(self, list_endpoints: Callable[[], Mapping[str, Endpoint]]) -> None:
        self.entries: list[Entry] = []
        self._list_endpoints = list_endpoints

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
        found = {name: EndpointSnapshot.of(endpoint) for name, endpoint in self._list_endpoints().items()}
        if not self.entries or self.entries[-1].endpoints != found:
            self.entries.append(Entry(after, found))

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(entry) for entry in self.entries])
