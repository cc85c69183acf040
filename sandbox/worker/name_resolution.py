"""Name resolution of the app's process: every host leads to this machine, so nothing leaves it.

A connection with its address in the rule file, and any code of an extension, reach the sandbox's inbox
instead of the service. Mail ports lead to the mail server, the port of AMQP to the message broker, every
other port to the web server. A host has a public address here, as it has on the internet. Connections to any
other machine are made to the sandbox, or refused where that is not possible.
"""

import ipaddress
import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

VARIABLE = "SANDBOX_SERVERS"
"""Holds the ports of the servers as JSON, in the environment of the app's process: `https`, `amqps` …"""
PLAIN_MAIL, ENCRYPTED_MAIL, PLAIN_WEB, AMQP = (25, 587, 2525), (465,), (80, 8080), (5671,)
LOOPBACK = "127.0.0.1"
PUBLIC_ADDRESS = "20.0.0.1"
"""The address of every other host: a public one, because calls to private addresses are refused."""
UNKNOWN = ".invalid"
"""Names that never exist: https://www.rfc-editor.org/rfc/rfc6761#section-6.4"""


def keep_on_this_machine() -> None:
    """Replace name resolution in this process, if the sandbox asked for it in the environment."""
    ports = json.loads(os.environ.pop(VARIABLE, "{}"))
    if ports:
        socket.getaddrinfo = _redirect_hosts(socket.getaddrinfo)
        socket.socket.connect = _redirect_connections(socket.socket.connect, ports)  # type: ignore[method-assign]
        socket.socket.connect_ex = _redirect_connections(socket.socket.connect_ex, ports)  # type: ignore[method-assign]
        sys.addaudithook(_refuse_others)


def _redirect_connections(connect: Callable[..., Any], ports: dict[str, int]) -> Callable[..., Any]:
    def redirected(connection: socket.socket, address: Any) -> Any:
        is_ipv4 = connection.family == socket.AF_INET and isinstance(address, tuple)
        if is_ipv4 and not is_this_machine(str(address[0])):
            address = (LOOPBACK, ports[_choose_server(address[1])])
        return connect(connection, address)

    return redirected


def _redirect_hosts(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(  # noqa: PLR0913, PLR0917 - the parameters of socket.getaddrinfo
        host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        name = (host.decode() if isinstance(host, bytes) else host) or LOOPBACK
        if name.lower().rstrip(".").endswith(UNKNOWN):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not is_address(name) and not is_this_machine(name):
            host, family, flags = PUBLIC_ADDRESS, socket.AF_INET, 0
        return resolve(host, port, family, type, proto, flags)

    return getaddrinfo


def _choose_server(port: Any) -> str:
    number = int(port) if str(port or "").isdigit() else 0
    if number in PLAIN_MAIL:
        return "smtp"
    if number in ENCRYPTED_MAIL:
        return "smtps"
    if number in AMQP:
        return "amqps"
    return "http" if number in PLAIN_WEB else "https"


def is_address(name: str) -> bool:
    """Whether this is an address, which needs no name resolution."""
    try:
        ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def is_this_machine(name: str) -> bool:
    """Whether a host name or address means the machine itself."""
    try:
        address = ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return name.lower().rstrip(".") == "localhost"
    return address.is_loopback or address.is_unspecified


def _refuse_others(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto") or not isinstance(arguments[1], tuple):
        return
    host = str(arguments[1][0])
    if not is_this_machine(host):
        raise ConnectionRefusedError(f"the sandbox lets nothing leave this machine, not even to {host}")
