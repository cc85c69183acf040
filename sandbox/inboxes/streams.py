"""Event Grid topics and storage queues, by the hosts of Azure: what arrives is listed in the inbox.

https://learn.microsoft.com/rest/api/storageservices/put-message,
https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

import base64
import json
from typing import Any
from xml.etree import ElementTree

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.identity import Identity, TokenError
from sandbox.inboxes.inbox import Inbox

TOPIC_HOST, QUEUE_HOST = ".eventgrid.azure.net", ".queue.core.windows.net"
TOPIC_AUDIENCES, QUEUE_AUDIENCES = ("https://eventgrid.azure.net",), ("https://storage.azure.com",)
LARGEST_EVENT, LARGEST_MESSAGE = 1_048_576, 65_536
MESSAGES = "/messages"
ADDED = """<?xml version="1.0" encoding="utf-8"?><QueueMessagesList><QueueMessage><MessageId>{id}</MessageId>\
<InsertionTime>Fri, 02 Jan 2026 03:04:05 GMT</InsertionTime>\
<ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime><PopReceipt>sandbox</PopReceipt>\
<TimeNextVisible>Fri, 02 Jan 2026 03:04:05 GMT</TimeNextVisible></QueueMessage></QueueMessagesList>"""


class Streams:
    """Takes what is sent to topics and queues; every topic and queue exists."""

    def __init__(self, inbox: Inbox, identity: Identity) -> None:
        self._inbox = inbox
        self._identity = identity

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request to a host of one of the services; leave any other to the inbox."""
        host = request.url.host or ""
        if host.endswith(TOPIC_HOST):
            return self._find_stranger(request, TOPIC_AUDIENCES) or await self._publish(request)
        if host.endswith(QUEUE_HOST):
            return self._find_stranger(request, QUEUE_AUDIENCES) or await self._add(request)
        return await handler(request)

    def _find_stranger(self, request: web.Request, audiences: tuple[str, ...]) -> web.Response | None:
        try:
            self._identity.check(request.headers.get("Authorization"), audiences)
        except TokenError as error:
            return _error(401, "Unauthorized", str(error))
        return None

    async def _publish(self, request: web.Request) -> web.Response:
        if (request.method, request.path) != ("POST", "/api/events"):
            return _error(404, "NotFound", "a topic takes POST /api/events")
        if not request.content_type.startswith("application/cloudevents"):
            return _error(400, "BadRequest", "the topic takes CloudEvents 1.0")
        events: list[Any] = json.loads(await request.read())
        if any(len(json.dumps(event)) > LARGEST_EVENT for event in events):
            return _error(413, "PayloadTooLarge", "an event has more than 1 MB")
        for event in events:
            self._put("event_grid", request, event)
        return web.Response()

    async def _add(self, request: web.Request) -> web.Response:
        if request.method != "POST" or not request.path.endswith(MESSAGES):
            return _error(404, "ResourceNotFound", "a queue takes POST /NAME/messages")
        text = ElementTree.fromstring(await request.read()).findtext("MessageText") or ""
        if len(text) > LARGEST_MESSAGE:
            return _error(413, "RequestBodyTooLarge", "a message has more than 64 KB")
        self._put("storage_queue", request, json.loads(base64.b64decode(text)))
        added = ADDED.format(id=len(self._inbox.messages))
        return web.Response(status=201, text=added, content_type="application/xml")

    def _put(self, via: str, request: web.Request, body: Any) -> None:
        subject = body.get("subject") if isinstance(body, dict) else None
        path = request.path.removesuffix(MESSAGES)
        self._inbox.put(via, to=[f"{request.url.host}{path}"], subject=str(subject or ""), body=body)


def _error(status: int, code: str, text: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": text}}, status=status)
