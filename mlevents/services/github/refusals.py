"""What GitHub's refusals mean: a limit that passes, or a fault with its remedy.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlevents.errors import ActionError
from mlevents.services.http.answers import read_answer_time, read_wait
from mlevents.services.http.http_client import HttpAnswer
from mlevents.services.http.rest_client import translate_status
from mlevents.services.sdk_errors import clean_text

LIMIT_STATUSES = (403, 429)
SECONDARY_WAIT = 60.0
"""Seconds, where GitHub names no time: "wait for at least one minute"."""
_QUOTED = 300
_REMEDIES = {
    401: "renew the app setting that the connection names in `token`, or correct `app_id` and `private_key`",
    403: "give the GitHub App or the token the permission in docs/actions.md, for this repository",
    404: "correct the name, or let the GitHub App or the token see the repository",
}


def translate_refusal(answer: HttpAnswer, place: str) -> ActionError:
    """The error for an answer that is not the expected one."""
    text = f"{place} answered {answer.status}: {read_message(answer) or 'nothing'}"
    return translate_status(answer, text, _REMEDIES, find_limit(answer))


def read_message(answer: HttpAnswer) -> str:
    """What GitHub says, as one line: its message and those of its `errors`."""
    try:
        document: Any = answer.read_json()
    except (ValueError, RecursionError):
        return clean_text(answer.text[:2048])[:_QUOTED]
    if not isinstance(document, Mapping):
        return ""
    errors = document.get("errors")
    parts = [document.get("message"), *(errors if isinstance(errors, list) else [errors])]
    texts = [one.get("message") or one.get("code") if isinstance(one, Mapping) else one for one in parts]
    return clean_text("; ".join(str(one) for one in texts if one))[:_QUOTED]


def find_limit(answer: HttpAnswer) -> float | None:
    """Seconds until a rate limit allows another request; None for an answer that says nothing of a limit."""
    if answer.status not in LIMIT_STATUSES:
        return None
    if (asked := read_wait(answer)) is not None:
        return asked
    if answer.headers.get("x-ratelimit-remaining") == "0" and "x-ratelimit-reset" in answer.headers:
        return _find_seconds_until(answer.headers["x-ratelimit-reset"], answer)
    limited = answer.status == 429 or "rate limit" in read_message(answer).lower()
    return SECONDARY_WAIT if limited else None


def _find_seconds_until(moment: str, answer: HttpAnswer) -> float:
    """Seconds from GitHub's own time to a moment in seconds since 1970."""
    try:
        return max(float(moment) - read_answer_time(answer).timestamp(), 1.0)
    except ValueError:
        return SECONDARY_WAIT
