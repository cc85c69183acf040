"""What Teams, Slack, PagerDuty and Opsgenie refuse in a message, after their published limits.

Teams accepts a card that it then does not show; here such a card is refused.
https://docs.slack.dev/reference/block-kit, https://developer.pagerduty.com/docs/events-api-v2/trigger-events/,
https://docs.opsgenie.com/docs/alert-api, https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

CARD = "application/vnd.microsoft.card.adaptive"
CARD_BYTES, CARD_ACTIONS = 28 * 1024, 6
CARD_ELEMENTS = {
    "TextBlock": "text",
    "RichTextBlock": "inlines",
    "FactSet": "facts",
    "Container": "items",
    "ColumnSet": "columns",
    "Column": "items",
    "Image": "url",
    "ActionSet": "actions",
}
"""The elements of a card, and what each must have."""
SLACK_BLOCKS, SLACK_TEXT, SLACK_URL = 50, 40_000, 3_000
SLACK_FIELDS, SLACK_FIELD = 10, 2_000
SLACK_TEXTS = {"header": 150, "section": 3_000, "context": 3_000, "rich_text": 3_000}
"""The kinds of blocks with text, and how much each may have; of rich text Slack publishes no limit."""
SLACK_OTHERS = ("actions", "divider", "file", "image", "markdown", "table", "video")
"""The other kinds, which are not checked."""
PAGERDUTY_BYTES, PAGERDUTY_SUMMARY, PAGERDUTY_KEY = 512 * 1024, 1_024, 255
PAGERDUTY_FIELDS = {
    *("routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"),
}
OPSGENIE_LENGTHS = {"message": 130, "alias": 512, "description": 15_000, "source": 100, "note": 25_000}
LINK = re.compile(r"https?://[^\s<>\"]+")

Fault = Iterator[str]


def find_card_faults(document: Any) -> Fault:
    """What keeps a Teams channel from showing the message of a workflow."""
    if len(json.dumps(document)) > CARD_BYTES:
        yield f"RequestEntityTooLarge: the message has more than {CARD_BYTES} bytes"
    attachments = document.get("attachments") if isinstance(document, dict) else None
    if not isinstance(attachments, list) or not attachments or document.get("type") != "message":
        yield "TriggerInputSchemaMismatch: a message has the type 'message' and attachments"
        return
    for one in attachments:
        card = one.get("content") if isinstance(one, dict) and one.get("contentType") == CARD else None
        if not isinstance(card, dict) or card.get("type") != "AdaptiveCard" or not card.get("version"):
            yield f"an attachment is an AdaptiveCard with a version, as {CARD}"
            continue
        yield from _find_element_faults(card.get("body") or [])
        actions = card.get("actions") or []
        if len(actions) > CARD_ACTIONS:
            yield f"a card shows at most {CARD_ACTIONS} actions"
        yield from (f"no address: {one}" for one in actions if not LINK.fullmatch(str(one.get("url"))))


def _find_element_faults(elements: Any) -> Fault:
    for one in elements:
        needed = CARD_ELEMENTS.get(str(one.get("type")))
        if needed is None or needed not in one:
            yield f"this is not an element of a card: {json.dumps(one)[:200]}"
        elif needed in ("items", "columns"):
            yield from _find_element_faults(one[needed])


def find_slack_faults(document: Any) -> Fault:
    """What makes Slack answer `invalid_blocks` or `no_text`."""
    if not isinstance(document, dict) or not (
        document.get("text") or document.get("blocks") or document.get("attachments")
    ):
        yield "no_text"
        return
    if len(str(document.get("text") or "")) > SLACK_TEXT:
        yield "msg_too_long"
    blocks = document.get("blocks") or []
    if len(blocks) > SLACK_BLOCKS:
        yield f"invalid_blocks: more than {SLACK_BLOCKS}"
    for block in blocks:
        if fault := _find_block_fault(block):
            yield f"invalid_blocks: {fault}"


def _find_block_fault(block: Any) -> str | None:
    kind, texts = str(block.get("type")), _list_texts(block)
    if kind not in SLACK_TEXTS:
        return None if kind in SLACK_OTHERS else f"unknown kind: {json.dumps(block)[:200]}"
    if kind == "header" and block["text"]["type"] != "plain_text":
        return "a header is plain_text"
    fields = block.get("fields", [])
    own = _list_texts({**block, "fields": []})
    if not texts or not all(texts) or sum(map(len, own)) > SLACK_TEXTS[kind]:
        return f"a {kind} has 1 to {SLACK_TEXTS[kind]} characters"
    if len(fields) > SLACK_FIELDS or any(len(one["text"]) > SLACK_FIELD for one in fields):
        return f"at most {SLACK_FIELDS} fields of {SLACK_FIELD} characters"
    if any(not LINK.fullmatch(one) or len(one) > SLACK_URL for one in _list_texts(block, "url")):
        return "an address is wrong, or too long"
    return None


def _list_texts(value: Any, name: str = "text") -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _list_texts(one, name)]
    if not isinstance(value, dict):
        return []
    own = [value[name]] if isinstance(value.get(name), str) else []
    return own + [text for one in value.values() for text in _list_texts(one, name)]


def find_pagerduty_faults(document: Any) -> Fault:
    """What makes PagerDuty answer 400: `Event object is invalid`."""
    if len(json.dumps(document)) > PAGERDUTY_BYTES:
        yield f"the event has more than {PAGERDUTY_BYTES} bytes"
    if not isinstance(document, dict):
        yield "JSON parse error"
        return
    yield from (f"'{name}' is not a field of an event" for name in document.keys() - PAGERDUTY_FIELDS)
    if len(str(document.get("routing_key") or "")) != 32:
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    if len(str(document.get("dedup_key") or "")) > PAGERDUTY_KEY:
        yield f"'dedup_key' has more than {PAGERDUTY_KEY} characters"
    if document.get("event_action") == "trigger":
        yield from _find_payload_faults(document.get("payload"))
        links = document.get("links") or []
        yield from ("a link has an 'href'" for one in links if not LINK.fullmatch(str(one.get("href"))))
    elif document.get("event_action") not in ("acknowledge", "resolve"):
        yield "'event_action' is one of trigger, acknowledge, resolve"
    elif not document.get("dedup_key"):
        yield "'dedup_key' is missing or blank"


def _find_payload_faults(payload: Any) -> Fault:
    known: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    yield from (
        f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not known.get(name)
    )
    if len(str(known.get("summary") or "")) > PAGERDUTY_SUMMARY:
        yield f"'payload.summary' has more than {PAGERDUTY_SUMMARY} characters"
    if known.get("severity") not in ("critical", "error", "warning", "info"):
        yield "'payload.severity' is one of critical, error, warning, info"
    if not isinstance(known.get("custom_details", {}), dict):
        yield "'payload.custom_details' is no object"


def find_opsgenie_faults(document: Any, *, creates: bool) -> Fault:
    """What makes Opsgenie answer 422: `Request body is not processable`."""
    if not isinstance(document, dict):
        yield "Request body is not valid JSON"
        return
    if creates and not document.get("message"):
        yield "message: Message can not be empty."
    for name, longest in OPSGENIE_LENGTHS.items():
        if len(str(document.get(name) or "")) > longest:
            yield f"{name}: has more than {longest} characters"


FAULTS: Mapping[str, Callable[[str, Any], Fault]] = {
    "hooks.slack.com": lambda _, document: find_slack_faults(document),
    "hooks.slack-gov.com": lambda _, document: find_slack_faults(document),
    "slack.com": lambda _, document: find_slack_faults(document),
    "events.pagerduty.com": lambda _, document: find_pagerduty_faults(document),
    "events.eu.pagerduty.com": lambda _, document: find_pagerduty_faults(document),
    "api.opsgenie.com": lambda path, document: find_opsgenie_faults(document, creates=path == "/v2/alerts"),
    "api.eu.opsgenie.com": lambda path, document: find_opsgenie_faults(
        document, creates=path == "/v2/alerts"
    ),
}
"""What a host refuses, by the path and the document; a Teams workflow is known by its path."""
WORKFLOW = re.compile(r"/workflows/[^/]+/triggers/manual/paths/invoke$")


def find_refusals(host: str, path: str, document: Any) -> list[str]:
    """Why the real service would refuse a message; empty for a service without a published limit."""
    find = (lambda _, message: find_card_faults(message)) if WORKFLOW.search(path) else FAULTS.get(host)
    try:
        return list(find(path, document)) if find else []
    except (AttributeError, KeyError, TypeError) as error:
        return [f"the message has another shape: {error}"]
