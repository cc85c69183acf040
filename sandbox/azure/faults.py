"""Failures on demand: how Azure behaves on a bad day, once or as often as requested.

`POST {"match": "PUT .*/deployments/.*", "status": 429, "times": 2, "headers": {"Retry-After": "1"}}`

`match` is a regular expression that the beginning of "METHOD /path" must match, without regard to case.
One of these says what happens: `status` (with `headers` and `body`), `drop` (the connection breaks
without an answer), `delay` (real seconds; alone or with another), `fail_operation`
(the operation is accepted and later ends Failed with that code and message). `ENTITY <name>` as `match`
needs none of them: the dispatch of an operation on that entity fails; nor does `START <orchestrator>`: the
task hub refuses to start an instance of it. `times` is 1 when left out;
`skip` is the number of matching requests that pass first. With `after` the work is done, and `status`,
`body` or `drop` replaces its answer. A `body` that is a text is sent unchanged; alone, with status 200.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.fault_request import FaultRequest
from sandbox.azure.routes import Failure
from sandbox.azure.validation import parse_json

FAILURE = web.RequestKey("failure", Failure)
CODES = {
    400: "BadRequest",
    401: "AuthenticationFailed",
    403: "AuthorizationFailed",
    404: "ResourceNotFound",
    408: "RequestTimeout",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}


@dataclass(slots=True)
class Fault:
    """One requested failure, and how often it still happens."""

    id: int
    request: FaultRequest
    left: int
    skip: int
    hits: int = 0

    def to_json(self) -> dict[str, object]:
        """As `GET` lists it."""
        return {"id": self.id, **self.request.source, "left": self.left, "hits": self.hits}

    def take(self, call: str) -> bool:
        """Whether it happens to this request; counts the request as skipped or failed."""
        if self.left <= 0 or not self.request.pattern.match(call):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.left -= 1
        self.hits += 1
        return True


class Faults:
    """The requested failures: `middleware` goes before what can fail, `routes` to where people ask."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._count = 0

    def add(self, source: Any) -> Fault:
        """Add a fault; raises ValueError that says what is wrong with it."""
        request = FaultRequest.from_json(source)
        self._count += 1
        fault = Fault(self._count, request, request.times, request.skip)
        self._faults.append(fault)
        return fault

    def list_faults(self) -> list[Fault]:
        """The requested failures, also those that will happen no more; the oldest first."""
        return list(self._faults)

    def remove(self, id: int) -> None:
        """Remove the fault with this id, if there is one."""
        self._faults = [fault for fault in self._faults if fault.id != id]

    def take(self, call: str) -> FaultRequest | None:
        """The next fault for "METHOD /path", which counts as having happened."""
        return next((fault.request for fault in self._faults if fault.take(call)), None)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the request fail if a fault matches it."""
        own = request.path.startswith("/_sandbox/")
        fault = None if own else self.take(f"{request.method} {request.path}")
        if fault is None:
            return await handler(request)
        await asyncio.sleep(fault.delay)
        if fault.after:
            await handler(request)
        if fault.drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault.status is not None or fault.body is not None:
            return _answer(fault)
        if fault.failure:
            request[FAILURE] = fault.failure
        return await handler(request)

    def routes(self, path: str = "/_sandbox/faults") -> list[web.RouteDef]:
        """`POST` adds a fault, `GET` lists them, `DELETE` removes all or, with an id, one."""
        return [
            web.post(path, self._post),
            web.get(path, self._get),
            web.delete(path, self._delete),
            web.delete(path + "/{id:[0-9]+}", self._delete),
        ]

    async def _post(self, request: web.Request) -> web.Response:
        try:
            fault = self.add(parse_json(await request.read()))
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(fault.to_json(), status=201)

    async def _get(self, _: web.Request) -> web.Response:
        return web.json_response([fault.to_json() for fault in self._faults])

    async def _delete(self, request: web.Request) -> web.Response:
        id = request.match_info.get("id")
        self._faults = [fault for fault in self._faults if id and fault.id != int(id)]
        return web.Response(status=204)


def _answer(fault: FaultRequest) -> web.Response:
    status = fault.status or 200
    code = CODES.get(status, "InternalServerError" if status >= 500 else "BadRequest")
    error = {"error": {"code": code, "message": f"A fault was requested: {fault.pattern.pattern}"}}
    body = error if fault.body is None else fault.body
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) and body.lstrip().startswith("<") else "application/json"
    headers = {"Content-Type": f"{kind}; charset=utf-8", **fault.headers}
    return web.Response(body=text.encode(), status=status, headers=headers)
