"""A message as blocks of Slack.

Links are text, not buttons: Slack shows a warning at the button of an app that takes no clicks.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from mlevents.services.chat.apprise_internals import replace_slack_payload
from mlevents.services.chat.chat_text import neutralize_text
from mlevents.services.connection import Message
from mlevents.services.message_document import Code, Fact, MessageDocument, Span, parse_message

_LONGEST_TEXT = 12_000
"""Characters of the parts: Slack refuses long messages (`msg_blocks_too_long`), and publishes no number."""
_HEADER_LENGTH, _BLOCK_LENGTH = 150, 3_000
_MODES = ("hook", "gov-hook", "bot")
"""apprise's modes of addresses that take blocks."""
_KEPT = ("channel", "thread_ts", "username")
"""What the plug-in says of where the message goes."""
_PROSE, _PREFORMATTED = "rich_text_section", "rich_text_preformatted"


def prepare_blocks(place: Any, message: Message) -> tuple[str, str]:
    """Make apprise's plug-in send the blocks, and return title and text.

    A URL of Workflow Builder takes the text alone, and one with blocks of its own keeps them.
    """
    subject = neutralize_text(message.subject)
    if place.template or place.mode not in _MODES:
        return subject, neutralize_text(message.text, message.links)
    fields = build_blocks(parse_message(message))
    replace_slack_payload(place, lambda own: {name: own[name] for name in _KEPT if name in own} | fields)
    return "", subject


def build_blocks(document: MessageDocument) -> dict[str, Any]:
    """The fields of a message: blocks, and the text that a notification shows."""
    subject = neutralize_text(document.subject)
    header = {"type": "plain_text", "text": subject[:_HEADER_LENGTH], "emoji": False}
    return {
        "text": escape(subject, quote=False),
        "blocks": [{"type": "header", "text": header}, *_list_blocks(document.shorten(_LONGEST_TEXT))],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _list_blocks(document: MessageDocument) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    size = _BLOCK_LENGTH
    for kind, element in _list_elements(document):
        size += len(element["text"])
        if size > _BLOCK_LENGTH:
            blocks.append({"type": "rich_text", "elements": []})
            size = len(element["text"])
        sections = blocks[-1]["elements"]
        if not sections or sections[-1]["type"] != kind:
            sections.append({"type": kind, "elements": []})
        sections[-1]["elements"].append(element)
    return blocks


def _list_elements(document: MessageDocument) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each piece of text with the kind of its section; in none of them Slack reads any markup."""
    for part in document.parts:
        if isinstance(part, Code):
            yield from _cut(_PREFORMATTED, neutralize_text(part.text))
            continue
        if isinstance(part, Fact):
            yield from _cut(_PROSE, f"{neutralize_text(part.label)}: ", style={"bold": True})
        for span in document.split(part.text):
            yield from _write_span(span)
        yield from _cut(_PROSE, "\n" if isinstance(part, Fact) else "\n\n")
    for link in document.links:
        yield from _write_span(Span(neutralize_text(link.text), link.address))
        yield from _cut(_PROSE, "   ")


def _write_span(span: Span) -> Iterator[tuple[str, dict[str, Any]]]:
    if span.address:
        yield _PROSE, {"type": "link", "url": span.address, "text": span.text}
    else:
        yield from _cut(_PROSE, neutralize_text(span.text))


def _cut(kind: str, text: str, **look: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for start in range(0, len(text), _BLOCK_LENGTH):
        yield kind, {"type": "text", "text": text[start : start + _BLOCK_LENGTH], **look}
