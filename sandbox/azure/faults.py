"""Failures on demand: how Azure behaves on a bad day, once or as often as asked.

`POST {"match": "PUT .*/deployments/.*", "status": 429, "times": 2, "headers": {"Retry-After": "1"}}`

`match` is a regular expression that the beginning of "METHOD /path" must match, without regard to case.
One of these says what happens: `status` (with `headers` and `body`), `drop` (the connection breaks
without an answer), `delay` (seconds, which no speed divides; alone or with another), `fail_operation`
(the operation is accepted and later ends Failed with that code and message). `ENTITY <name>` as `match`
needs none of them: the dispatch of an operation on such an entity fails. `times` is 1 when left out;
`skip` lets so many requests pass first. With `after` the work is done, and its answer is lost to `status`,
`body` or `drop`. A `body` that is a text is sent as it stands; alone, with status 200.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.routes import Failure
from sandbox.azure.validation import anything, flag, map_of, object_of, problems, text, whole

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
KNOWN = frozenset(
    {"match", "status", "times", "skip", "headers", "body", "drop", "delay", "after", "fail_operation"}
)
ENDS = ("status", "drop", "fail_operation")
SHAPE = object_of(
    {"match": text()},
    status=whole,
    times=whole,
    skip=whole,
    after=flag,
    headers=map_of(text()),
    body=anything,
    drop=flag,
    delay=anything,
    fail_operation=object_of({"code": text()}, message=text()),
)


@dataclass(slots=True)
class Fault:
    """One failure asked for, and how often it still comes."""

    id: int
    wanted: dict[str, Any]
    left: int
    skip: int
    pattern: re.Pattern[str]
    hits: int = field(default=0)

    def shown(self) -> dict[str, Any]:
        """As `GET` lists it."""
        return {"id": self.id, **self.wanted, "left": self.left, "hits": self.hits}

    def strikes(self, call: str) -> bool:
        """Whether it happens to this request, which counts as let through if not yet."""
        if self.left <= 0 or not self.pattern.match(call):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.left -= 1
        self.hits += 1
        return True


class Faults:
    """The failures asked for; put `middleware` before what shall fail, `routes` where people ask."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._count = 0

    def ask(self, wanted: Any) -> Fault:
        """Take a fault; raises ValueError that says what is wrong with it."""
        found = problems(SHAPE, wanted) + _nonsense(wanted)
        if found:
            raise ValueError("; ".join(found))
        self._count += 1
        pattern = re.compile(wanted["match"], re.IGNORECASE)
        left, skip = wanted.get("times", 1), wanted.get("skip", 0)
        fault = Fault(self._count, dict(wanted), left, skip, pattern)
        self._faults.append(fault)
        return fault

    def strike(self, call: str) -> Fault | None:
        """The next fault for "METHOD /path", counted as having happened."""
        return next((fault for fault in self._faults if fault.strikes(call)), None)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the request fail if somebody asked for that."""
        own = request.path.startswith("/_sandbox/")
        fault = None if own else self.strike(f"{request.method} {request.path}")
        if fault is None:
            return await handler(request)
        wanted = fault.wanted
        await asyncio.sleep(wanted.get("delay", 0))
        if wanted.get("after"):
            await handler(request)
        if wanted.get("drop"):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if "status" in wanted or "body" in wanted:
            return _answer(wanted)
        if "fail_operation" in wanted:
            code = wanted["fail_operation"]["code"]
            message = wanted["fail_operation"].get("message", f"The operation failed: {code}.")
            request[FAILURE] = Failure(code, message)
        return await handler(request)

    def routes(self, path: str = "/_sandbox/faults") -> list[web.RouteDef]:
        """`POST` asks, `GET` lists, `DELETE` takes back all or, with an id, one."""
        return [
            web.post(path, self._post),
            web.get(path, self._get),
            web.delete(path, self._delete),
            web.delete(path + "/{id:[0-9]+}", self._delete),
        ]

    async def _post(self, request: web.Request) -> web.Response:
        try:
            fault = self.ask(json.loads(await request.read()))
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(fault.shown(), status=201)

    async def _get(self, _: web.Request) -> web.Response:
        return web.json_response([fault.shown() for fault in self._faults])

    async def _delete(self, request: web.Request) -> web.Response:
        wanted = request.match_info.get("id")
        self._faults = [fault for fault in self._faults if wanted and fault.id != int(wanted)]
        return web.Response(status=204)


def _answer(wanted: dict[str, Any]) -> web.Response:
    status = wanted.get("status", 200)
    code = CODES.get(status, "InternalServerError" if status >= 500 else "BadRequest")
    error = {"error": {"code": code, "message": f"A fault was asked for: {wanted['match']}"}}
    body = wanted.get("body", error)
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) and body.lstrip().startswith("<") else "application/json"
    headers = {"Content-Type": f"{kind}; charset=utf-8", **(wanted.get("headers") or {})}
    return web.Response(body=text.encode(), status=status, headers=headers)


def _nonsense(wanted: Any) -> list[str]:
    if not isinstance(wanted, dict):
        return []
    found = [f"unknown property '{name}'" for name in sorted(set(wanted) - KNOWN)]
    if isinstance(wanted.get("match"), str):
        found += _bad_pattern(wanted["match"])
    inside = str(wanted.get("match", "")).upper().startswith("ENTITY ")
    if not inside and not any(wanted.get(name) is not None for name in (*ENDS, "delay", "body")):
        found.append("one of 'status', 'body', 'drop', 'delay' and 'fail_operation' is required")
    ends = [name for name in ENDS if wanted.get(name)]
    ends += ["body"] if "body" in wanted and "status" not in wanted else []
    if len(ends) > 1:
        found.append(f"'{ends[0]}' and '{ends[1]}' exclude each other")
    if wanted.get("after") and (not ends or "fail_operation" in ends):
        found.append("'after' loses an answer: give 'status', 'body' or 'drop' with it")
    return found + _out_of_range(wanted)


def _out_of_range(wanted: dict[str, Any]) -> list[str]:
    found = []
    limits = {"status": (200, 599), "times": (1, None), "skip": (0, None)}
    for name, (least, most) in limits.items():
        value = wanted.get(name, least)
        if isinstance(value, int) and not (least <= value and (most is None or value <= most)):
            upper = f"to {most}" if most else "or more"
            found.append(f"'{name}' is {value}: give {least} {upper}")
    delay = wanted.get("delay", 0)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay < float("inf"):
        found.append(f"'delay' is {delay!r}: give a number of seconds from 0")
    return found


def _bad_pattern(pattern: str) -> list[str]:
    try:
        re.compile(pattern)
    except re.error as error:
        return [f"'match' is '{pattern}', which is not a valid regular expression: {error}"]
    return []
