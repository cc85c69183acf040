"""The requests to this server, for tests and people to read."""

import time
from collections import deque
from dataclasses import asdict, dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.identity import Identity
from sandbox.pace import Pace

KEPT = 10_000


@dataclass(slots=True)
class RequestRecord:
    """One request: `status` is 0 and `seconds` None until it has an answer."""

    time: str
    method: str
    path: str
    query: dict[str, str]
    who: str
    status: int = 0
    seconds: float | None = None


class Journal:
    """The last requests with their answers, oldest first; requests about the sandbox itself are left out.

    `who` is `app` or `owner` by the token, and empty for a request with a key or without a token of ours.
    """

    def __init__(self, pace: Pace, identity: Identity) -> None:
        self._pace = pace
        self._identity = identity
        self.entries: deque[RequestRecord] = deque(maxlen=KEPT)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record one request with its status; 0 means that there was no answer."""
        started = time.perf_counter()
        entry = RequestRecord(
            self._pace.now().isoformat(),
            request.method,
            request.path,
            dict(request.query),
            self._identity.who(request.headers.get("Authorization")),
        )
        if not request.path.startswith("/_sandbox/"):
            self.entries.append(entry)
        try:
            response = await handler(request)
            broken = request.transport is None or request.transport.is_closing()
            entry.status = 0 if broken else response.status
            return response
        finally:
            entry.seconds = round(time.perf_counter() - started, 6)

    def routes(self) -> list[web.RouteDef]:
        """`GET` lists the requests, `DELETE` forgets them."""
        path = "/_sandbox/requests"
        return [web.get(path, self._list), web.delete(path, self._clear)]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(entry) for entry in self.entries])

    async def _clear(self, _: web.Request) -> web.Response:
        self.entries.clear()
        return web.Response(status=204)
