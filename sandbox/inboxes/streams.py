"""Event Grid topics and storage queues, by their hosts: what arrives is listed in the inbox.

A token is checked first, then the role of its owner, and then whether the topic or queue exists, as in Azure:
https://learn.microsoft.com/rest/api/storageservices/put-message,
https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

import base64
import binascii
import json
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.identity import Identity, TokenError
from sandbox.azure.rights.assignments import Rights
from sandbox.azure.stream_targets import SEND, StreamTargets
from sandbox.azure.workspace import SUBSCRIPTION_ID
from sandbox.inboxes.inbox import Inbox

TOPIC_HOST, QUEUE_HOST = ".eventgrid.azure.net", ".queue.core.windows.net"
TOPIC_AUDIENCES, QUEUE_AUDIENCES = ("https://eventgrid.azure.net",), ("https://storage.azure.com",)
LARGEST_EVENT, LARGEST_MESSAGE = 1_048_576, 65_536
MESSAGES = "/messages"
ADDED = """<?xml version="1.0" encoding="utf-8"?><QueueMessagesList><QueueMessage><MessageId>{id}</MessageId>\
<InsertionTime>Fri, 02 Jan 2026 03:04:05 GMT</InsertionTime>\
<ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime><PopReceipt>sandbox</PopReceipt>\
<TimeNextVisible>Fri, 02 Jan 2026 03:04:05 GMT</TimeNextVisible></QueueMessage></QueueMessagesList>"""
NO_ROLE = "This request is not authorized to perform this operation using this permission."
NO_TOPIC_ROLE = (
    "The principal associated with access token presented with the incoming request does not have permission "
    "to send data to {}."
)


class Streams:
    """Takes what is sent to topics and queues."""

    def __init__(self, inbox: Inbox, identity: Identity, rights: Rights, targets: StreamTargets) -> None:
        self._inbox, self._identity = inbox, identity
        self._rights, self._targets = rights, targets

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request to a host of one of the services; leave any other to the inbox."""
        host = request.url.host or ""
        kind = self._targets.find_kind(host)
        if kind == "event_grid" or host.endswith(TOPIC_HOST):
            return await self._publish(request)
        if kind == "storage_queue" or host.endswith(QUEUE_HOST):
            return await self._add(request)
        return await handler(request)

    async def _publish(self, request: web.Request) -> web.Response:
        path = request.path.strip("/")
        match self._find_refusal(request, "event_grid", path, TOPIC_AUDIENCES):
            case TokenError() as error:
                return _topic_error(401, "Unauthorized", str(error))
            case "forbidden":
                return _topic_error(403, "Forbidden", NO_TOPIC_ROLE.format(request.url.host))
            case "missing":
                return _topic_error(404, "NotFound", "The specified path does not exist.")
        if not request.content_type.startswith("application/cloudevents"):
            return _topic_error(400, "BadRequest", "the topic takes CloudEvents 1.0")
        events: list[Any] = json.loads(await request.read())
        if any(len(json.dumps(event)) > LARGEST_EVENT for event in events):
            return _topic_error(413, "PayloadTooLarge", "an event has more than 1 MB")
        for event in events:
            self._put("event_grid", request, path, event)
        return web.Response()

    async def _add(self, request: web.Request) -> web.Response:
        path = request.path.removesuffix(MESSAGES).strip("/")
        match self._find_refusal(request, "storage_queue", path, QUEUE_AUDIENCES):
            case TokenError() as error:
                return _storage_error(401, "InvalidAuthenticationInfo", str(error))
            case "forbidden":
                return _storage_error(403, "AuthorizationPermissionMismatch", NO_ROLE)
            case "missing":
                return _storage_error(404, "QueueNotFound", "The specified queue does not exist.")
        text = ElementTree.fromstring(await request.read()).findtext("MessageText") or ""
        if len(text) > LARGEST_MESSAGE:
            return _storage_error(413, "RequestBodyTooLarge", "The request body is too large.")
        self._put("storage_queue", request, path, _read_message(text))
        added = ADDED.format(id=len(self._inbox.messages))
        return web.Response(status=201, text=added, content_type="application/xml")

    def _find_refusal(
        self, request: web.Request, kind: str, path: str, audiences: tuple[str, ...]
    ) -> TokenError | str | None:
        authorization = request.headers.get("Authorization")
        try:
            self._identity.check(authorization, audiences)
        except TokenError as error:
            return error
        target = self._targets.find(request.url.host or "", path)
        scope = target.id if target else SUBSCRIPTION_ID
        if not self._rights.allowed(self._identity.who(authorization), SEND[kind], scope):
            return "forbidden"
        sends = request.method == "POST" and (kind == "event_grid" or request.path.endswith(MESSAGES))
        return None if target and sends else "missing"

    def _put(self, via: str, request: web.Request, path: str, body: Any) -> None:
        subject = body.get("subject") if isinstance(body, dict) else None
        self._inbox.put(via, to=[f"{request.url.host}/{path}"], subject=str(subject or ""), body=body)


def _read_message(text: str) -> Any:
    """The content of a message: JSON in base64, or the text itself."""
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        return text


def _topic_error(status: int, code: str, text: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": text}}, status=status)


def _storage_error(status: int, code: str, text: str) -> web.Response:
    body = f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
    return web.Response(
        status=status,
        text=f'<?xml version="1.0" encoding="utf-8"?>{body}',
        headers={"x-ms-error-code": code},
        content_type="application/xml",
    )
