"""What people would receive: mail by SMTP, mail by Communication Services, messages by webhook.

`GET` lists everything that arrived, oldest first, as `{"via": "smtp" | "email" | "webhook" | "event_grid" |
"storage_queue" | "github" | "azure_devops", "from", "to", "subject", "text", "body", "headers", "received"}`;
`DELETE` forgets it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.listener import HOST

BODY_LIMIT = 16 * 1024 * 1024
SUBJECT_NAMES = ("subject", "title", "summary")
TEXT_NAMES = ("text", "message", "body", "content")
SLACK = "hooks.slack.com"
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
"""What Markdown shows without its backslash."""


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
        """A message by webhook: JSON of any shape, or text; a Teams workflow answers 202, others 200."""
        body = (await request.read()).decode(errors="replace")
        here = (request.url.host or HOST) in (HOST, "localhost")
        document = _document(body)
        subject, text = _read(document)
        self.put(
            "webhook",
            to=[request.path if here else f"{request.host}{request.path}"],
            subject=subject,
            text=text,
            body=document,
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        return web.Response(status=202) if here else _answer_for(request.url.host)


def _answer_for(host: str | None) -> web.Response:
    """What a chat answers when it has accepted a message; most services look at the status alone."""
    return web.Response(text="ok") if host == SLACK else web.json_response({"ok": True})


def _document(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _read(document: object) -> tuple[str, str]:
    """Subject and text of a message, as far as its shape is known."""
    if not isinstance(document, dict):
        return "", document if isinstance(document, str) else json.dumps(document)
    blocks = list(_card_blocks(document))
    if blocks:
        titles = [text for name, text in blocks if name == "title"]
        return "\n".join(titles), "\n".join(text for name, text in blocks if name != "title")
    return _first(document, SUBJECT_NAMES), _first(document, TEXT_NAMES)


def _shown(text: str) -> str:
    """What a reader sees: no backslash that escapes, no space of no width."""
    return ESCAPED.sub(r"\1", text).replace("\u200b", "")


def _first(document: Mapping[str, Any], names: Iterable[str]) -> str:
    found = (document[name] for name in names if isinstance(document.get(name), str))
    return next(found, "")


def _card_blocks(document: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The ids and texts of a Teams message's Adaptive Cards."""
    attachments = document.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        card = attachment.get("content") if isinstance(attachment, dict) else None
        blocks = card.get("body") if isinstance(card, dict) else None
        for block in blocks if isinstance(blocks, list) else []:
            if isinstance(block, dict) and block.get("type") == "TextBlock":
                yield str(block.get("id", "")), _shown(str(block.get("text", "")))
