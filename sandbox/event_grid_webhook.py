"""The Functions host's Event Grid webhook, `/runtime/webhooks/eventgrid?functionName=…`.

After HttpRequestProcessor.cs and EventGridExtensionConfigProvider.cs of the extension
Microsoft.Azure.WebJobs.Extensions.EventGrid: a body that is not JSON, or neither an array nor an
object, is an unhandled exception (500); an empty array is 202; an element that is not an object fails
before its function runs (500); one failure fails the whole batch.
"""

import asyncio
import json
import logging
from typing import Any

from aiohttp import web

from sandbox.function import FunctionError
from sandbox.messages import TypedData
from sandbox.worker import Worker

TRIGGER = "eventGridTrigger"
log = logging.getLogger(__name__)


class EventGridWebhook:
    """Hands what Event Grid delivers to the functions of one worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._functions = worker.triggered_by(TRIGGER)

    async def answer(self, request: web.Request) -> web.Response:
        """Validate, deliver or unsubscribe, as the header `aeg-event-type` says."""
        name = _query(request).get("functionname", "")
        if name not in self._functions:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return _permit(request)
        match request.headers.get("aeg-event-type", "").lower():
            case "subscriptionvalidation":
                return await _validate(request)
            case "notification":
                return await self._deliver(name, request)
            case "unsubscribe":
                return web.Response(status=202)
        return web.Response(status=400)

    async def _deliver(self, name: str, request: web.Request) -> web.Response:
        try:
            events = json.loads(await request.read())
        except (ValueError, RecursionError) as error:
            return _fails(f"the request's body is not JSON: {error}")
        if not isinstance(events, list | dict):
            return _fails(_shape(events))
        batch = events if isinstance(events, list) else [events]
        results = await asyncio.gather(*(self._invoke(name, event) for event in batch))
        failures = [result for result in results if result is not None]
        return _fails(failures[0]) if failures else web.Response(status=202)

    async def _invoke(self, name: str, event: object) -> str | None:
        """Run the function with one event; gives what went wrong."""
        failed = f"Exception while executing function: Functions.{name}"
        if not isinstance(event, dict):
            return f"{failed} -> Unable to bind {json.dumps(event)[:200]} to type JObject"
        metadata = {"data": TypedData(json=_wire(event.get("data")))}
        try:
            await self._worker.invoke(name, TypedData(json=_wire(event)), metadata)
        except FunctionError as error:
            log.warning("the function %s failed: %s", name, error)
            log.info("%s", error.stack)
            return f"{failed} -> {error}"
        return None


def _query(request: web.Request) -> dict[str, str]:
    """The query without regard to the case of names, as the host reads it."""
    return {name.lower(): value for name, value in request.query.items()}


def _permit(request: web.Request) -> web.Response:
    """The handshake of CloudEvents."""
    origin = request.headers.get("WebHook-Request-Origin")
    if not origin:
        return web.Response(status=400)
    return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})


async def _validate(request: web.Request) -> web.Response:
    """The handshake of the Event Grid schema; a CloudEvents body carries its data twice encoded."""
    try:
        body = json.loads(await request.read())
        data: Any = body[0]["data"] if isinstance(body, list) else body["data"]
        code = (json.loads(data) if isinstance(data, str) else data)["validationCode"]
    except (ValueError, LookupError, TypeError) as error:
        return _fails(f"the validation event holds no data.validationCode: {error!r}")
    return web.Response(text=json.dumps({"validationResponse": str(code)}))


def _shape(body: object) -> str:
    return (
        "The request content should be parseable into a JSON object or array, "
        f"but was {type(body).__name__}: {json.dumps(body)[:200]}"
    )


def _fails(text: str) -> web.Response:
    return web.Response(status=500, text=_sendable(text))


def _wire(value: object) -> str:
    """JSON in ASCII, so that even a lone surrogate reaches the function as it was sent."""
    return json.dumps(value, separators=(",", ":"))


def _sendable(text: str) -> str:
    """The text as it goes from host to worker: Json.NET's reader makes a lone surrogate U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
