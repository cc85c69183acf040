"""Why a chat service did not accept a message, as far as apprise's log says it without the URL."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

HTTP_STATUS = re.compile(r"\berror=([1-5]\d\d)\b")  # as apprise's plug-ins log it
REMEDIES = {
    400: "it does not accept this message, or the URL belongs to another service: check {}",
    401: "the token or signature in {} is wrong or expired: create a new one",
    403: "the token in {} has no permission to post there: allow it, or create a new one",
    404: "the webhook, channel or workflow does not exist: correct {}, or create it",
    410: "the webhook was deleted: create a new one, and put its URL into {}",
}
"""The remedy for a refusal. It is retried all the same, because apprise does not distinguish the reasons."""
PRIVATE = (
    "its host has the private address {}: correct the URL, or add the host to the app setting "
    "'MLEVENTS_PRIVATE_HOSTS'"
)


def describe_rejection(result: Iterable[Any], where: str) -> str:
    """The status and its remedy, as the end of a message; `where` says where the URL is."""
    status = _read_status(result)
    remedy = REMEDIES.get(status or 0, "").format(where)
    return (f" (HTTP {status})" if status else "") + (f": {remedy}" if remedy else "")


def _read_status(result: Iterable[Any]) -> int | None:
    """The HTTP status only: the rest of apprise's log may hold the URL."""
    logs = (entry.message for place in result for sent in place for entry in sent)
    found = [int(status[1]) for status in map(HTTP_STATUS.search, logs) if status]
    return found[-1] if found else None


def keep_only_status(record: logging.LogRecord) -> bool:
    """A filter of apprise's log, which has the complete URL in some of its messages."""
    found = HTTP_STATUS.search(record.getMessage())
    record.msg, record.args = found[0] if found else "apprise logged a text that is not shown", ()
    return True
