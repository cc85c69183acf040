"""Connections of `requests` to an address that was checked, not to what a name resolves to later."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partialmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection

type Resolve = Callable[[str, int], list[tuple[int, str]]]
"""The families and addresses of a host that may be called; raises an ActionError for one that may not."""


def make_checked_adapter(resolve: Resolve) -> HTTPAdapter:
    """An adapter that opens each connection to an address that `resolve` gives; TLS still checks the name."""
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    opened = {"_new_conn": partialmethod(_connect, resolve)}
    plain = type("CheckedHttp", (HTTPConnection,), opened)
    encrypted = type("CheckedHttps", (HTTPSConnection,), opened)
    adapter = HTTPAdapter(max_retries=0)
    adapter.poolmanager.pool_classes_by_scheme = {
        "http": type("HttpPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("HttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": encrypted}),
    }
    return adapter


def _connect(connection: HTTPConnection, resolve: Resolve, /) -> socket.socket:
    """A socket to the first address that answers."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    failure: OSError | None = None
    for family, address in resolve(connection.host.strip("[]"), connection.port):
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(connection.timeout if isinstance(connection.timeout, int | float) else None)
            opened.connect((address, connection.port))
        except OSError as error:
            opened.close()
            failure = error
        else:
            return opened
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"connecting to {connection.host} timed out") from failure
    raise NewConnectionError(connection, f"connecting to {connection.host} failed: {failure}") from failure
