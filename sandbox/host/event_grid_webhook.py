"""The Functions host's Event Grid webhook, `/runtime/webhooks/eventgrid?functionName=…`.

As observed in the Functions host 4.1037 with the Event Grid extension 3.3, and after its source
(HttpRequestProcessor.cs, EventGridExtensionConfigProvider.cs): a body that is not JSON, or neither an
array nor an object, and an element that is not an object are unhandled exceptions (500, empty body); an
empty array is 202; one failure fails the whole batch. No key is required, as in Core Tools.
"""

import asyncio
import json
import logging
from typing import Any

from aiohttp import web

from sandbox.worker.function import FunctionError
from sandbox.worker.worker_messages import TypedData
from sandbox.worker.worker_process import WorkerProcess

TRIGGER = "eventGridTrigger"
ORIGIN = "eventgrid.azure.net"
"""Allowed whoever asks, and also when nobody does."""
log = logging.getLogger(__name__)


class EventGridWebhook:
    """Hands what Event Grid delivers to the functions of one worker."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._functions = worker.triggered_by(TRIGGER)

    async def answer(self, request: web.Request) -> web.Response:
        """Validate, deliver or unsubscribe, as the header `aeg-event-type` says."""
        name = _query(request).get("functionname", "")
        if name not in self._functions:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return web.Response(headers={"WebHook-Allowed-Origin": ORIGIN})
        match request.headers.get("aeg-event-type", "").lower():
            case "subscriptionvalidation":
                return await _validate(name, request)
            case "notification":
                return await self._deliver(name, request)
            case "unsubscribe":
                return web.Response(status=202)
        return web.Response(status=400)

    async def _deliver(self, name: str, request: web.Request) -> web.Response:
        try:
            events = json.loads(await request.read())
        except (ValueError, RecursionError) as error:
            return _unhandled(name, f"the request's body is not JSON: {error}")
        batch = events if isinstance(events, list) else [events]
        strange = [one for one in batch if not isinstance(one, dict)]
        if strange:
            return _unhandled(name, f"{json.dumps(strange[0])[:200]} is not a JSON object")
        results = await asyncio.gather(*(self._invoke(name, event) for event in batch))
        failed = f"Exception while executing function: Functions.{name}"
        return web.Response(status=202) if all(results) else web.Response(status=500, text=failed)

    async def _invoke(self, name: str, event: dict[str, Any]) -> bool:
        """Run the function with one event; whether it succeeded."""
        metadata = {"data": TypedData(json=_wire(event.get("data")))}
        try:
            await self._worker.invoke(name, TypedData(json=_wire(event)), metadata)
        except FunctionError as error:
            log.warning("the function %s failed: %s", name, error)
            log.info("%s", error.stack)
            return False
        return True


def _query(request: web.Request) -> dict[str, str]:
    """The query without regard to the case of names, as the host reads it."""
    return {name.lower(): value for name, value in request.query.items()}


async def _validate(name: str, request: web.Request) -> web.Response:
    """The handshake of the Event Grid schema; text as `data` is an unhandled exception."""
    try:
        body = json.loads(await request.read())
        code = (body[0] if isinstance(body, list) else body)["data"]["validationCode"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        return _unhandled(name, f"the validation event holds no data.validationCode: {error!r}")
    return web.Response(text=json.dumps({"validationResponse": str(code)}))


def _unhandled(name: str, reason: str) -> web.Response:
    log.warning("the webhook of %s failed: %s", name, reason)
    return web.Response(status=500)


def _wire(value: object) -> str:
    """JSON in ASCII, so that even a lone surrogate reaches the function as it was sent."""
    return json.dumps(value, separators=(",", ":"))
