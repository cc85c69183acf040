"""HTTP functions under `/api`: aiohttp's requests and responses, as the host's and the worker's.

Headers come in lower case and an empty query
value is left out, as the host sends them to a Python worker (GrpcMessageConversionExtensions.cs).
"""

import logging
from http.cookies import SimpleCookie

from aiohttp import web
from aiohttp.typedefs import LooseHeaders
from multidict import CIMultiDict

from sandbox.host.function_keys import has_key
from sandbox.host.http_routes import HttpRoute, sort_routes
from sandbox.worker.function import FunctionError
from sandbox.worker.worker_messages import Message, RpcHttp, TypedData
from sandbox.worker.worker_process import WorkerProcess

SAME_SITE = {1: "Lax", 2: "Strict", 3: "None"}
FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})
log = logging.getLogger(__name__)


class HttpBridge:
    """Answers requests with the HTTP functions of one worker; paths begin with `/` and the prefix.

    `key` is the function key that a function asks for which is not anonymous; empty asks for none.
    """

    def __init__(self, worker: WorkerProcess, prefix: str, key: str = "") -> None:
        self._worker = worker
        self._key = key
        self._prefix = f"/{prefix.strip('/')}".rstrip("/").casefold()
        self._routes = sort_routes(worker.triggered_by("httpTrigger").values())

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The function's answer; 404 when none answers here, 401 without its key, 500 when it raises."""
        path = request.path.rstrip("/")
        if path.casefold().startswith(self._prefix):
            for route in self._routes:
                parameters = route.match(request.method, path[len(self._prefix) :])
                if parameters is not None:
                    if not (route.anonymous or has_key(request, self._key)):
                        return web.Response(status=401)
                    return await self._run(route, parameters, request)
        return web.Response(status=404)

    def is_anonymous(self, method: str, path: str) -> bool:
        """Whether nobody is asked for a key here; a path that no function has is not found without one."""
        tail = path.rstrip("/")[len(self._prefix) :]
        found = (route for route in self._routes if route.match(method, tail) is not None)
        return path.casefold().startswith(self._prefix) and next((one.anonymous for one in found), True)

    async def _run(self, route: HttpRoute, parameters: dict[str, str], request: web.Request) -> web.Response:
        trigger = TypedData(http=await _received(request, parameters))
        try:
            returned = await self._worker.invoke(route.function, trigger)
        except FunctionError as error:
            log.warning("the HTTP function %s failed: %s\n%s", route.function, error, error.stack)
            return web.Response(status=500)
        if returned is None or returned.value is None:
            return web.Response(status=204)
        return _sent(returned.http) if returned.http else web.Response(text=str(returned.value))


async def _received(request: web.Request, parameters: dict[str, str]) -> RpcHttp:
    body = await request.read()
    query = {name: ",".join(request.query.getall(name)) for name in request.query}
    return RpcHttp(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): ",".join(request.headers.getall(name)) for name in request.headers},
        query={name: value for name, value in query.items() if value},
        params=parameters,
        body=TypedData(bytes=body),
    )


def _sent(answer: Message) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict(
        {name: value for name, value in answer.headers.items() if name.lower() not in FRAMING}
    )
    for cookie in answer.cookies or []:
        headers.add("Set-Cookie", _cookie(cookie))
    loose: LooseHeaders = headers
    body = answer.body.value if answer.body else b""
    return web.Response(status=int(answer.status_code), headers=loose, body=body)


def _cookie(cookie: Message) -> str:
    jar: SimpleCookie = SimpleCookie()
    jar[cookie.name] = cookie.value
    morsel = jar[cookie.name]
    for field in ("domain", "path"):
        given = getattr(cookie, field)
        morsel[field] = given.value if given else ""
    if cookie.max_age:
        morsel["max-age"] = str(int(cookie.max_age.value))
    if cookie.expires:
        morsel["expires"] = cookie.expires.value.ToDatetime().strftime("%a, %d %b %Y %H:%M:%S GMT")
    morsel["secure"] = bool(cookie.secure and cookie.secure.value)
    morsel["httponly"] = bool(cookie.http_only and cookie.http_only.value)
    morsel["samesite"] = SAME_SITE.get(cookie.same_site, "")
    return morsel.OutputString()
