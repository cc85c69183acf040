"""A message as an Adaptive Card, for the workflows of Teams.

https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format
"""

from __future__ import annotations

import json
import re
from typing import Any

from mlevents.services.chat.chat_text import BREAK, neutralize_text
from mlevents.services.connection import Message
from mlevents.services.message_document import Code, MessageDocument, Paragraph, Part, Span, parse_message

LARGEST_CARD = 25_000
"""Bytes of JSON. Teams shows no message of more than 28 KB, and the workflow accepts it all the same."""
_LENGTHS = (20_000, 12_000, 6_000, 3_000, 1_500, 0)
"""Characters of the parts: the first with which the message is small enough."""
_BUTTON_LENGTH = 60
_HARD_SPACE = "\u00a0"
"""Keeps the indent of a line of code."""
_LABEL_WIDTH = "100px"
"""Of the column of labels. A FactSet would cut off a long id in a narrow window, and rich text too."""


def prepare_card(place: Any, message: Message) -> tuple[str, str]:
    """Make apprise's plug-in send the card, unless its URL names one of its own; return title and text."""
    subject = neutralize_text(message.subject)
    if place.template:
        return subject, neutralize_text(message.text, message.links)
    payload = build_card_message(parse_message(message))
    place.gen_payload = lambda **_: payload
    return "", subject


def build_card_message(document: MessageDocument) -> dict[str, Any]:
    """What the webhook of a workflow takes: a message with one card."""
    built = (_build_message(document.shorten(length)) for length in _LENGTHS)
    return next(one for one in built if len(json.dumps(one)) <= LARGEST_CARD)


def _build_message(document: MessageDocument) -> dict[str, Any]:
    elements = [element for part in document.parts for element in _build_part(part, document)]
    if elements:
        elements[0]["spacing"] = "Medium"
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": _escape(document.subject),
        "body": [
            _build_line(_escape(document.subject), weight="Bolder", size="Large"),
            *elements,
        ],
        "actions": [
            {"type": "Action.OpenUrl", "title": _escape(link.text)[:_BUTTON_LENGTH], "url": link.address}
            for link in document.links
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _build_part(part: Part, document: MessageDocument) -> list[dict[str, Any]]:
    if isinstance(part, Code):
        lines = (
            _escape(line.replace("  ", 2 * _HARD_SPACE)) or _HARD_SPACE for line in part.text.split("\n")
        )
        items = [_build_line(line, fontType="Monospace", size="Small", spacing="None") for line in lines]
        return [{"type": "Container", "style": "emphasis", "items": items}]
    lines = ("".join(map(_write_span, document.split(line))) for line in part.text.split("\n"))
    first, *others = map(_build_line, lines)
    blocks = [first, *(one | {"spacing": "None"} for one in others)]
    if isinstance(part, Paragraph):
        return blocks
    label = _build_line(_escape(part.label), isSubtle=True)
    columns = [
        {"type": "Column", "width": _LABEL_WIDTH, "items": [label]},
        {"type": "Column", "width": "stretch", "items": blocks},
    ]
    return [{"type": "ColumnSet", "spacing": "Small", "columns": columns}]


def _build_line(text: str, **look: str | bool) -> dict[str, Any]:
    """A block of its own: Teams joins the lines of one block."""
    return {"type": "TextBlock", "text": text, "wrap": True, **look}


def _write_span(span: Span) -> str:
    """A text block reads Markdown: this is the only place that writes some."""
    if not span.address:
        return _escape(span.text)
    words = re.sub(r"([_~])", r"\\\1", span.text)
    return f"[{words}]({span.address})"


def _escape(text: str) -> str:
    """Text without markup, mentions, and the functions for dates: `{{DATE(…)}}`."""
    return neutralize_text(text).replace("{{", f"{{{BREAK}{{")
