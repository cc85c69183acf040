"""The requests to this server, for tests and people to read."""

import time
from collections import deque
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.identity import Identity
from sandbox.pace import Pace

KEPT = 10_000


class Journal:
    """The last requests with their answers, oldest first; requests about the sandbox itself are left out.

    `who` is `app` or `owner` by the token, and empty for a request with a key or without a token of ours.
    """

    def __init__(self, pace: Pace, identity: Identity) -> None:
        self._pace = pace
        self._identity = identity
        self.entries: deque[dict[str, Any]] = deque(maxlen=KEPT)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record one request with its status; 0 means that there was no answer."""
        started = time.perf_counter()
        entry: dict[str, Any] = {
            "time": self._pace.now().isoformat(),
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "who": self._identity.who(request.headers.get("Authorization")),
            "status": 0,
        }
        if not request.path.startswith("/_sandbox/"):
            self.entries.append(entry)
        try:
            response = await handler(request)
            broken = request.transport is None or request.transport.is_closing()
            entry["status"] = 0 if broken else response.status
            return response
        finally:
            entry["seconds"] = round(time.perf_counter() - started, 6)

    def routes(self) -> list[web.RouteDef]:
        """`GET` lists the requests, `DELETE` forgets them."""
        path = "/_sandbox/requests"
        return [web.get(path, self._list), web.delete(path, self._clear)]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(list(self.entries))

    async def _clear(self, _: web.Request) -> web.Response:
        self.entries.clear()
        return web.Response(status=204)
