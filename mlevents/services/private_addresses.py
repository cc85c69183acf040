"""Keeps messages away from private addresses: the URL of a receiver must not lead into the app's own network.

The check is made when a socket connects, with the address that it connects to, so that a host name which
resolves to another address after an earlier check gains nothing.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlevents.services.http.address_check import find_address_fault


class PrivateAddressError(OSError):
    """A connection that was refused before it was made."""


@dataclass
class ConnectionGuard:
    """What happens while it is in force: `refused` is the private address of a refused connection."""

    refused: str = ""


_guard: ContextVar[ConnectionGuard | None] = ContextVar("connection_guard", default=None)


def is_private_address(text: str) -> bool:
    """Whether an IP address belongs to no public server; a text that is not an address counts as private."""
    try:
        return find_address_fault(text, allow_private=False) is not None
    except ValueError:
        return True


@contextmanager
def refuse_private_addresses(allowed: bool) -> Iterator[ConnectionGuard]:
    """Refuse this thread's connections to private addresses within the block, unless they are allowed."""
    _install_hook()
    guard = ConnectionGuard()
    token = _guard.set(None if allowed else guard)
    try:
        yield guard
    finally:
        _guard.reset(token)


@cache
def _install_hook() -> None:
    """An audit hook sees each connection of any library; it cannot be removed, and does nothing elsewhere."""
    sys.addaudithook(_check_connection)


def _check_connection(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or (guard := _guard.get()) is None:
        return
    address = arguments[1]
    host = str(address[0]) if isinstance(address, tuple) else "a local socket"
    if is_private_address(host):
        guard.refused = host
        raise PrivateAddressError(f"{host} is a private address")
