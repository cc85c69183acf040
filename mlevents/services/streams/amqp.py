"""What Event Hubs and Service Bus have in common: the namespace, the options of a client, and errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlevents.errors import ActionError, PermanentError, TransientError
from mlevents.services.azure_credential import CONNECTION_TIMEOUT, READ_TIMEOUT
from mlevents.services.connection import SettingName, SettingSource, Text, describe_value
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import clean_text

NAMESPACE = re.compile(r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9](\.[a-z0-9-]+)+")
_ENTITY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9_])?")
_REFUSED = re.compile(
    r"unauthorized|not-found|not-allowed|not-implemented|disabled|size-exceeded|argument-error|out-of-range"
    r"|auth-failed|decode-error|invalid-field|precondition-failed|^40[0134]$"
)
"""Conditions that a retry cannot change: https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-troubleshoot"""
_BUSY = re.compile(r"server-busy|50002|50004|throttl|^429$", re.IGNORECASE)
_STATUS = re.compile(r"CBS Token.*?Status code: (\d{3})", re.DOTALL)
BUSY_SECONDS = 10.0
"""The wait that Microsoft recommends after server-busy; AMQP has no Retry-After."""
_REMEDIES = (
    (r"unauthorized|auth-failed|^40[13]$", "give the app's identity the role of a sender there"),
    (r"not-found|^404$", "create it, or correct its name in the connection"),
    (r"not-allowed.*SessionId", "the entity requires sessions: set `session`"),
    (r"size-exceeded", "send less with `data`"),
    (r"disabled", "enable it"),
)


def check_namespace(value: str | SettingName) -> str | SettingName:
    """The host of a namespace; raises ValueError for anything else."""
    if isinstance(value, SettingName) or NAMESPACE.fullmatch(value):
        return value
    raise ValueError(
        f"'{value}' is not the host of a namespace: write one such as NAME.servicebus.windows.net"
    )


def check_entity(value: str | SettingName) -> str | SettingName:
    """The name of a hub, queue or topic; raises ValueError for anything else."""
    if isinstance(value, SettingName) or _ENTITY.fullmatch(value):
        return value
    raise ValueError(f"'{value}' is not a valid name for a hub, queue or topic: write that of one")


def read_place(namespace: Text, entity: Text, services: SettingSource) -> tuple[str, str]:
    """The namespace and the entity; raises PermanentError for a setting that is not one."""
    found = services.text(namespace), services.text(entity)
    for written, text, pattern in zip((namespace, entity), found, (NAMESPACE, _ENTITY), strict=True):
        if not pattern.fullmatch(text):
            named = describe_value(written, text)
            raise PermanentError(f"{named} is not a namespace or a name in one: correct the connection")
    return found


def client_options(services: SettingSource) -> dict[str, Any]:
    """The options of a client: the durable orchestration retries, not the SDK."""
    certificates = services.settings.environment.get("REQUESTS_CA_BUNDLE")
    options = {"retry_total": 0, "socket_timeout": CONNECTION_TIMEOUT, "auth_timeout": READ_TIMEOUT}
    return {**options, "connection_verify": certificates}


def too_large(size: int, limit: int, place: str) -> PermanentError:
    """The error for a message that the place cannot take; both numbers are bytes."""
    sizes = f"{size:,} bytes, and {place} takes at most {limit:,}"
    return PermanentError(f"the message has {sizes}: send less with `data`")


@contextmanager
def translate_amqp_errors(what: str, *errors: type[Exception]) -> Iterator[None]:
    """Put this around an SDK's calls: it raises PermanentError or TransientError instead of these errors."""
    with import_lock():
        from azure.core.exceptions import AzureError

    known: tuple[type[Exception], ...] = (AzureError, OSError, *errors)
    try:
        yield
    except ActionError:
        raise
    except known as error:
        raise _translate(what, error) from error


def _translate(what: str, error: Exception) -> ActionError:
    cause = getattr(error, "inner_exception", None) or error
    reason = _read_reason(cause)
    text = f"{what}: {type(error).__name__}: {error}"
    text = text if str(cause) in text else f"{text} {cause}"
    if _BUSY.search(reason):
        return TransientError(clean_text(text), retry_after=BUSY_SECONDS)
    if not _REFUSED.search(reason):
        return TransientError(clean_text(text))
    answer, flags = f"{reason}\n{cause}", re.DOTALL | re.MULTILINE
    found = (remedy for pattern, remedy in _REMEDIES if re.search(pattern, answer, flags))
    return PermanentError(clean_text(": ".join((text, *list(found)[:1]))))


def _read_reason(error: BaseException) -> str:
    """The condition of AMQP or the status of the token; the names in a message must not decide."""
    status = getattr(error, "status_code", None) or _STATUS.search(str(error))
    if status:
        return str(status if isinstance(status, int) else status[1])
    condition = getattr(error, "condition", None) or getattr(error, "error", None) or b""
    condition = getattr(condition, "value", condition)
    return condition.decode() if isinstance(condition, bytes) else str(condition)
