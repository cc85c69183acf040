"""Which addresses a call may reach: a public one, or a private one where the connection allows it.

The addresses are checked after name resolution, and the connection is made to a checked one: a name that
resolves to another address a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from mlevents.errors import PermanentError, TransientError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

PLATFORM_ADDRESSES = frozenset(
    map(ipaddress.ip_address, ("168.63.129.16", "169.254.169.254", "169.254.170.2", "fd00:ec2::254"))
)
"""Azure's virtual platform address and the clouds' metadata services: never the receiver of a call.
Source: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that is reached."""


def resolve_allowed(host: str, port: int, *, allow_private: bool) -> list[tuple[int, str]]:
    """The address families and addresses of a host, in the order in which they are tried.

    Raises PermanentError when one of them must not be called, TransientError for a name without an address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise TransientError(f"the host '{host}' cannot be resolved: {error}") from error
    addresses = [(int(family), str(place[0])) for family, _, _, _, place in found]
    for _, text in addresses:
        if fault := find_address_fault(text, allow_private=allow_private):
            raise PermanentError(f"the host '{host}' is {'' if text == host else f'{text}, '}{fault}")
    return addresses


def find_address_fault(text: str, *, allow_private: bool) -> str | None:
    """Why an address must not be called, with the remedy; None for one that may be."""
    for address in _meanings(ipaddress.ip_address(text.partition("%")[0])):
        if address in PLATFORM_ADDRESSES:
            return "an address of the cloud platform, which is never called"
        if address.is_multicast or address.is_unspecified:
            return "which is not the address of one receiver"
        if not address.is_global and not allow_private:
            remedy = "call a public one, or write `allow_private: true` in the connection"
            return f"{_kind(address)} address: {remedy}"
    return None


def _meanings(address: IpAddress) -> Iterator[IpAddress]:
    """The address, and the IPv4 address that is in it."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            yield inner


def _kind(address: IpAddress) -> str:
    if address.is_loopback:
        return "a loopback"
    return "a link-local" if address.is_link_local else "a private"
