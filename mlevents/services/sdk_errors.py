"""Errors of the Azure SDKs, translated: can a retry help, and what did Azure answer?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from mlevents.errors import ActionError, PermanentError, RefusedError, TransientError
from mlevents.services.lazy_import import import_lock
from mlevents.services.remedies import find_remedy
from mlevents.services.sign_in_error import describe_sign_in

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError

CONFLICT = 409
TRANSIENT_STATUSES = frozenset({408, CONFLICT, 425, 429})
TRANSIENT_CODES = frozenset({"ExpiredAuthenticationToken"})
"""A 401 for an expired token passes with the next token; any other 401 is permanent."""
PERMANENT_CODES = frozenset({"ScopeLocked", "MissingSubscriptionRegistration"})
"""409s that a retry cannot fix: a lock on the resource, a provider that is not registered."""
BUSY = re.compile(r"\bis in (?:Creating|Updating|Deleting|Scaling) provisioning state", re.IGNORECASE)
"""Azure ML's text of a 400 while another operation on the endpoint is running."""

PARSE_ERRORS = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What parsing an answer of an unexpected shape raises, in an SDK or here."""

SYSTEM_ERROR = "SystemError"
"""azure-ai-ml's category for errors of the service, such as a job of an unknown type."""

LONGEST_MESSAGE = 1000
LONGEST_READ = 8 * LONGEST_MESSAGE
"""The most characters that are read of a text from outside, before redaction shortens it."""


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Put this around SDK calls: it raises PermanentError or TransientError instead of their errors.

    `what` names the attempt and the resource, such as `reading endpoint 'fraud'`.
    """
    with import_lock():
        from azure.core.exceptions import AzureError, SerializationError

    try:
        yield
    except ActionError:
        raise
    except SerializationError as error:
        raise PermanentError(clean_text(f"{what}: the request cannot be written: {error}")) from error
    except AzureError as error:
        raise translate_error(what, error) from error
    except PARSE_ERRORS as error:
        raise unreadable_answer(what, error) from error


def unreadable_answer(what: str, error: BaseException) -> TransientError:
    """The error for an answer that is not as documented: a proxy's page, half a body.

    It is unknown whether the request was executed. The text of the answer is not quoted.
    """
    return TransientError(
        f"{what}: the answer cannot be read ({type(error).__name__}): "
        "a proxy, a gateway or a cut connection may have answered for the service"
    )


def translate_error(
    what: str, error: AzureError, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> ActionError:
    """The corresponding error of mlevents; `now` is used when Azure gives a date for the retry."""
    error = _inner(error)
    if _is_unreadable(error):
        return unreadable_answer(what, error)
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    if not isinstance(status, int):
        return _without_answer(what, error)
    code, message = _answer(error, response)
    text = clean_text(f"{what}: Azure answered {status} {code}: {message}")
    if _passes(status, code, message):
        wait = read_retry_after(getattr(response, "headers", {}), now)
        return TransientError(text, retry_after=wait, busy=status == CONFLICT or bool(BUSY.search(message)))
    helps = find_remedy(status, code, message)
    if helps:
        text = f"{text[: LONGEST_MESSAGE - len(helps) - 2]}; {helps}"
    return RefusedError(text, status=status, answer=clean_text(f"{code}: {message}"))


def read_retry_after(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """The wait that the service asks for, in seconds; it may send seconds, milliseconds or an HTTP date."""
    named = {name.lower(): value.strip() for name, value in headers.items()}
    seconds = named.get("retry-after")
    if seconds is not None:
        return _seconds(seconds, now)
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        milliseconds = _number(named.get(name))
        if milliseconds is not None:
            return milliseconds / 1000
    return None


def clean_text(text: str) -> str:
    """The text as one line of at most a thousand characters, without tokens, keys and signatures."""
    from mlevents.services.redaction import redact  # its expressions take long to compile

    if len(text) > LONGEST_READ:
        text = text[:LONGEST_READ].rpartition(" ")[0] or text[:LONGEST_MESSAGE]
    line = " ".join(redact(text).split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"


def _passes(status: int, code: str, message: str) -> bool:
    if code in PERMANENT_CODES:
        return False
    return (
        status in TRANSIENT_STATUSES or status >= 500 or code in TRANSIENT_CODES or bool(BUSY.search(message))
    )


def _without_answer(what: str, error: AzureError) -> ActionError:
    """azure-ai-ml's own refusals are permanent; a connection or a token endpoint may work later."""
    text = clean_text(f"{what}: {describe_sign_in(str(error)) or f'{type(error).__name__}: {error}'}")
    if _is_refusal_of_azure_ai_ml(error):
        return PermanentError(text)
    return TransientError(text)


def _is_unreadable(error: BaseException) -> bool:
    """Whether an SDK could not parse a body, whatever its status was."""
    with import_lock():
        from azure.core.exceptions import DecodeError

    if isinstance(error, DecodeError):
        return True
    if not _is_refusal_of_azure_ai_ml(error):
        return False
    return isinstance(error.__cause__, PARSE_ERRORS) or getattr(error, "error_category", "") == SYSTEM_ERROR


def _is_refusal_of_azure_ai_ml(error: BaseException) -> bool:
    return any(kind.__module__ == "azure.ai.ml.exceptions" for kind in type(error).__mro__)


def _inner(error: AzureError) -> AzureError:
    """The error inside an azure-ai-ml error that only wraps an answer or a broken connection."""
    with import_lock():
        from azure.core.exceptions import AzureError

    cause = error.__cause__
    if _is_refusal_of_azure_ai_ml(error) and isinstance(cause, AzureError):
        return _inner(cause)
    return error


def _answer(error: AzureError, response: Any) -> tuple[str, str]:
    """The error code and message of an answer; Azure ML puts the real reason into the details."""
    told = _body(response).get("error")
    if not isinstance(told, Mapping):
        return getattr(response, "reason", None) or type(error).__name__, error.message
    parts = [f"{told.get('message') or ''}"]
    for detail in told.get("details") or ():
        if isinstance(detail, Mapping):
            parts.append(f"{detail.get('code')}: {detail.get('message')}")
    return f"{told.get('code') or type(error).__name__}", "; ".join(filter(None, parts))


def _body(response: Any) -> Mapping[str, Any]:
    with import_lock():
        from azure.core.exceptions import AzureError

    try:
        body = json.loads(response.text())
    except (AttributeError, ValueError, AzureError):
        return {}
    return body if isinstance(body, Mapping) else {}


def _seconds(text: str, now: Callable[[], datetime]) -> float | None:
    number = _number(text)
    if number is not None:
        return number
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now()).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if number < float("inf") else None
