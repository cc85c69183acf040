"""Who we are in Azure: one credential for the whole process, and the clouds that it may speak to."""

from __future__ import annotations

import logging
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from mlevents.services.lazy_import import import_lock

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CONNECTION_TIMEOUT, READ_TIMEOUT = 10, 60
"""Seconds; an activity never hangs on a service that does not answer."""

CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 0,
    "connection_timeout": CONNECTION_TIMEOUT,
    "read_timeout": READ_TIMEOUT,
}
"""What every SDK client is made with: the durable orchestration retries, the SDK does not."""

_lock = threading.Lock()

# More steps at once than connections kept open is no fault: urllib3 would warn of each.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
# What azure-identity tried, and why not, stands in the error that it raises: once is enough.
logging.getLogger("azure.identity").setLevel(logging.CRITICAL)


def credential() -> TokenCredential:
    """The app's own identity, made once: its token cache serves every client and thread.

    A managed identity in Azure (AZURE_CLIENT_ID chooses a user-assigned one), the developer's own
    sign-in elsewhere; AZURE_AUTHORITY_HOST and AZURE_TOKEN_CREDENTIALS are the SDK's settings.
    """
    with _lock:
        return _credential()


@cache
def _credential() -> TokenCredential:
    with import_lock():
        from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(**CLIENT_OPTIONS)
