"""Messages to PagerDuty and Opsgenie: one incident for each key, which a later message resolves."""

from __future__ import annotations

import re
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from mlevents.services.chat.apprise_internals import post_to_opsgenie
from mlevents.services.chat.chat_text import neutralize_text
from mlevents.services.connection import Message
from mlevents.services.message_document import Fact, MessageDocument, parse_message

_PAGERDUTY_KEY = re.compile(r"[A-Za-z0-9._:/-]{1,255}")
"""At most 255 characters are taken; others than these could be markup where a key is shown."""
_OPSGENIE_KEY = re.compile(r"[A-Za-z0-9._:-]{1,255}")
"""A key is a part of an address here, so it has no slash."""
_START_LENGTH = 100
_SUMMARY_LENGTH = 1_024
"""Of PagerDuty: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/."""
_DESCRIPTION_LENGTH = 15_000
"""Of Opsgenie, whose plug-in shortens the title: https://docs.opsgenie.com/docs/alert-api#create-alert."""


def prepare_pagerduty(place: Any, message: Message) -> tuple[str, str]:
    """Set the fields of apprise's plug-in, and return the title and the text, which is the summary."""
    document = parse_message(message)
    place.dedup = _find_key(message, _PAGERDUTY_KEY) if message.incident else place.dedup or message.key
    if message.incident:
        place.action = "resolve" if message.resolve else "trigger"
        place.severity = place.severity or "error"
    if place.source == place.template_tokens["source"]["default"]:
        place.source = "mlevents"
    place.include_image = False
    place.click = place.click or next((link.address for link in document.links), None)
    place.details = {**_list_details(document), **place.details}
    return "", neutralize_text(message.subject)[:_SUMMARY_LENGTH]


def prepare_opsgenie(place: Any, message: Message) -> tuple[str, str]:
    """Set the fields of apprise's plug-in, and return the title and the text of the alert."""
    place.alias = _find_key(message, _OPSGENIE_KEY) if message.incident else place.alias or message.key
    if message.incident:
        place.action = "new"
    elif place.mapping.get("info") == "note" and place.action == "map":
        place.action = "new"  # a note belongs to an existing alert: without one, nothing is sent
    if message.resolve:
        place.send = partial(_close_alert, place)
    text = neutralize_text(message.text, message.links)
    return neutralize_text(message.subject), text[:_DESCRIPTION_LENGTH]


def _find_key(message: Message, fitting: re.Pattern[str]) -> str:
    """The key of the incident, the same in each message about it; one that does not fit gets a hash."""
    if fitting.fullmatch(message.incident):
        return message.incident
    start = re.sub(r"[^A-Za-z0-9.:_-]+", "-", message.incident)[:_START_LENGTH]
    return f"{start}-{sha256(message.incident.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _list_details(document: MessageDocument) -> dict[str, str]:
    """The table below the summary: the facts, the other links, and the rest of the text."""
    details: dict[str, str] = {}
    for part in document.parts:
        label, joint = (part.label, "\n") if isinstance(part, Fact) else ("Text", "\n\n")
        text = neutralize_text(part.text, document.known)
        label = neutralize_text(label)
        details[label] = f"{details[label]}{joint}{text}" if label in details else text
    return details | {neutralize_text(link.text): link.address for link in document.links[1:]}


def _close_alert(place: Any, body: str, **_: Any) -> bool:
    """Close the alert with the alias, which the plug-in cannot: it only knows alerts of its own process."""
    note = {"source": place.app_desc, "note": body}
    return post_to_opsgenie(place, f"{quote(place.alias, safe='')}/close", note, {"identifierType": "alias"})
