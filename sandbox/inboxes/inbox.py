"""What people would receive: mail by SMTP, mail by Communication Services, messages by webhook.

`GET` lists everything that arrived, oldest first, as `{"via", "from", "to", "subject", "text", "body",
"headers", "received"}`; `DELETE` forgets it. `via` is `smtp`, `email`, `webhook`, or the
type of the connection.
"""

import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.inboxes.chat_answers import accept_message, refuse_message
from sandbox.inboxes.chat_limits import find_refusals
from sandbox.inboxes.message_reading import read_message
from sandbox.listener import HOST

BODY_LIMIT = 16 * 1024 * 1024


class Inbox:
    """Everything that arrived by any way."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def put(self, via: str, **message: Any) -> None:
        """Keep a message; what it has none of is empty."""
        empty: dict[str, Any] = {"from": "", "to": [], "subject": "", "text": "", "body": None, "headers": {}}
        received = datetime.now(UTC).isoformat()
        self.messages.append({"via": via, **empty, **message, "received": received})

    def application(self, *more: web.RouteDef) -> web.Application:
        """The inbox over HTTP: webhooks post to any path, `/` is for looking."""
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_get("/", self._list)
        application.router.add_delete("/", self._forget)
        application.router.add_routes(more)
        application.router.add_post("/{path:.*}", self._take)
        return application

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(self.messages)

    async def _forget(self, _: web.Request) -> web.Response:
        self.messages.clear()
        return web.Response(status=204)

    async def _take(self, request: web.Request) -> web.Response:
        """A message by webhook: JSON of any shape, or text; a service's own limits hold."""
        body = (await request.read()).decode(errors="replace")
        host = request.url.host or HOST
        here = host in (HOST, "localhost")
        document = _document(body)
        if refusals := find_refusals(host, request.path, document):
            return refuse_message(host, refusals)
        subject, text = read_message(document)
        self.put(
            "webhook",
            to=[request.path if here else f"{request.host}{request.path}"],
            subject=subject,
            text=text,
            body=document,
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        return web.Response(status=202) if here else accept_message(host)


def _document(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body
