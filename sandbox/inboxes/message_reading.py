"""The subject and the text of a message to a chat, as its readers see them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SUBJECT_NAMES = ("subject", "title", "summary")
TEXT_NAMES = ("text", "message", "body", "content")
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
"""What Markdown shows without its backslash."""
LINE_BREAKS = re.compile(r"\n{3,}")


def read_message(document: object) -> tuple[str, str]:
    """Subject and text of a message, as far as its shape is known."""
    if not isinstance(document, dict):
        return "", document if isinstance(document, str) else json.dumps(document)
    lines = [line for card in _list_cards(document) for line in _read_elements(card)]
    lines = lines or list(_read_blocks(document.get("blocks")))
    if lines:
        return lines[0], "\n".join(lines[1:])
    if isinstance(document.get("event_action"), str):
        return _read_incident(document)
    if isinstance(document.get("description"), str):
        return _find_first(document, ("message",)), document["description"].replace("\u200b", "")
    return _find_first(document, SUBJECT_NAMES), _find_first(document, TEXT_NAMES)


def _find_first(document: Mapping[str, Any], names: Iterable[str]) -> str:
    found = (document[name] for name in names if isinstance(document.get(name), str))
    return next(found, "")


def _list_cards(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    attachments = document.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        card = attachment.get("content") if isinstance(attachment, dict) else None
        if isinstance(card, dict):
            yield card


def _read_elements(element: Mapping[str, Any]) -> Iterator[str]:
    """The lines of an element of a card; a label and its value are one line."""
    if element.get("type") == "TextBlock":
        yield ESCAPED.sub(r"\1", str(element.get("text", ""))).replace("\u200b", "")
    elif element.get("type") == "ColumnSet":
        columns = [list(_read_elements(one)) for one in _list_objects(element, "columns")]
        yield ": ".join("\n".join(lines) for lines in columns)
    for name in ("body", "items"):
        for one in _list_objects(element, name):
            yield from _read_elements(one)
    for action in _list_objects(element, "actions"):
        yield f"{action.get('title')}: {action.get('url')}"


def _list_objects(element: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = element.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _read_blocks(blocks: object) -> Iterator[str]:
    """The text of each block of Slack; the first is the header."""
    for block in blocks if isinstance(blocks, list) else []:
        yield LINE_BREAKS.sub("\n\n", "".join(_read_pieces(block))).strip().replace("\u200b", "")


def _read_pieces(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _read_pieces(one)
    elif isinstance(value, dict):
        if value.get("type") in ("rich_text_section", "rich_text_preformatted"):
            yield "\n"
        if isinstance(value.get("text"), str):
            yield f"{value['text']}: {value['url']}" if value.get("type") == "link" else value["text"]
        for name in ("text", "elements", "fields"):
            yield from _read_pieces(value.get(name))


def _read_incident(event: Mapping[str, Any]) -> tuple[str, str]:
    """An event of PagerDuty: its summary with its details, or what happens to the incident."""
    payload = event.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    details = payload.get("custom_details")
    lines = [f"{name}: {value}" for name, value in details.items()] if isinstance(details, dict) else []
    links = [str(link.get("href")) for link in _list_objects(event, "links")]
    key = f"{event['event_action']} {event.get('dedup_key', '')}".strip()
    return str(payload.get("summary") or key), "\n".join([*lines, *links, key]).replace("\u200b", "")
