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
    r"unauthorized|not-found|messagingentitynotfound|not be found|size-exceeded|not-allowed|disabled"
    r"|\bCBS\b.*\b40[134]\b|status.code: 40[134]",
    re.IGNORECASE,
)
"""Conditions that a retry cannot change: https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-troubleshoot"""
_BUSY = re.compile(r"server-busy|server busy|50002|50004|throttl", re.IGNORECASE)
BUSY_SECONDS = 10.0
"""The wait that Microsoft recommends after server-busy; AMQP has no Retry-After."""


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


@contextmanager
def translate_amqp_errors(what: str) -> Iterator[None]:
    """Put this around the SDKs' calls: it raises PermanentError or TransientError instead of their errors."""
    with import_lock():
        from azure.core.exceptions import AzureError
        from azure.eventhub.exceptions import EventHubError

    try:
        yield
    except ActionError:
        raise
    except (AzureError, EventHubError, OSError, TimeoutError) as error:
        text = clean_text(f"{what}: {type(error).__name__}: {error}")
        if _BUSY.search(str(error)):
            raise TransientError(text, retry_after=BUSY_SECONDS) from error
        if _REFUSED.search(str(error)):
            raise PermanentError(text) from error
        raise TransientError(text) from error
