"""The app's identity in Azure: one credential for the process, and the options of every SDK client."""

from __future__ import annotations

import logging
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from mlevents.services.lazy_import import import_lock

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CONNECTION_TIMEOUT, READ_TIMEOUT = 10, 60
"""Seconds; so an activity does not hang when a service does not answer."""

CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 0,
    "connection_timeout": CONNECTION_TIMEOUT,
    "read_timeout": READ_TIMEOUT,
}
"""The options of every SDK client: the durable orchestration retries, not the SDK."""

_lock = threading.Lock()

# More parallel steps than pooled connections are normal: urllib3 would warn about each.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
# azure-identity puts what it tried into the error that it raises: logging it too says it twice.
logging.getLogger("azure.identity").setLevel(logging.CRITICAL)


def credential() -> TokenCredential:
    """The app's identity, created once, so that every client and thread shares its token cache.

    In Azure it is a managed identity (AZURE_CLIENT_ID selects a user-assigned one), elsewhere the developer's
    sign-in. AZURE_AUTHORITY_HOST and AZURE_TOKEN_CREDENTIALS are settings of the SDK.
    """
    with _lock:
        return _credential()


@cache
def _credential() -> TokenCredential:
    with import_lock():
        from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(**CLIENT_OPTIONS)
