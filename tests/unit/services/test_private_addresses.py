"""No message reaches a private address: by its URL, by a redirect, or by a name that changes meanwhile."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from mlevents.errors import PermanentError, TransientError
from mlevents.services.chat.apprise import Apprise
from mlevents.services.connection import Message
from mlevents.services.private_addresses import is_private_address, refuse_private_addresses
from mlevents.services.services import Services
from mlevents.settings import Settings
from tests.unit.stand_ins import Answer, Server

MESSAGE = Message("Run r1 failed", "It failed.", "key")
PUBLIC = "93.184.215.14"


@pytest.fixture
def inside() -> Iterator[Server]:
    """A server of the app's own network, such as the identity endpoint."""
    with Server(lambda _: Answer(body={"access_token": "t0ken"}), None).serving() as server:
        yield server


def settings(hosts: str = "") -> Services:
    return Services(Settings.read({"MLEVENTS_PRIVATE_HOSTS": hosts}))


def send(url: str, hosts: str = "") -> None:
    Apprise(url=url.replace("http://", "json://")).send(MESSAGE, settings(hosts))


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.130.1",
            "0.0.0.0",
        ),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "168.63.129.16", "::1", "::", "fe80::1%eth0"),
        *("fc00::1", "ff02::1", "::ffff:169.254.169.254", "2002:a9fe:a9fe::1", "metadata", ""),
    ],
)
def test_an_address_of_no_public_server_is_private(address: str) -> None:
    assert is_private_address(address)


@pytest.mark.parametrize("address", [PUBLIC, "20.50.2.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_an_address_of_a_public_server_is_not(address: str) -> None:
    assert not is_private_address(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f.1"])
def test_a_private_host_gets_no_message_however_it_is_written(inside: Server, host: str) -> None:
    with pytest.raises((PermanentError, TransientError)):
        send(inside.url.replace("127.0.0.1", host))
    assert inside.requests == []


def test_the_message_names_the_remedy_and_not_the_url(inside: Server) -> None:
    with pytest.raises(PermanentError, match="'MLEVENTS_PRIVATE_HOSTS'") as raised:
        send(f"{inside.url}/s3cr3t")
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize("hosts", ["127.0.0.1", "chat.internal, 127.0.0.1", "*"])
def test_a_host_that_is_named_gets_its_messages(inside: Server, hosts: str) -> None:
    send(inside.url, hosts)
    assert len(inside.requests) == 1


def test_a_redirect_is_not_followed(inside: Server) -> None:
    moved = Answer(307, headers={"Location": f"{inside.url}/token"})
    with Server(lambda _: moved, None).serving() as receiver, pytest.raises(TransientError):
        send(receiver.url, "127.0.0.1")
    assert len(receiver.requests) == 1
    assert inside.requests == []


def test_a_name_that_changes_between_two_look_ups_gains_nothing(
    inside: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look-up answers with a public address, and each later one with a private one."""
    port, answers = int(inside.url.rpartition(":")[2]), [PUBLIC]

    def look_up(*_: Any, **__: Any) -> list[Any]:
        address = answers.pop() if answers else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert socket.getaddrinfo("rebinding.example", port)[0][4][0] == PUBLIC
    with pytest.raises(PermanentError, match=r"private address 127\.0\.0\.1"):
        send(f"http://rebinding.example:{port}")
    assert inside.requests == []


def test_only_what_sends_messages_is_guarded(inside: Server) -> None:
    port = int(inside.url.rpartition(":")[2])
    with refuse_private_addresses(allowed=False) as guard, pytest.raises(OSError, match="private"):
        socket.create_connection(("127.0.0.1", port))
    assert guard.refused == "127.0.0.1"
    with socket.create_connection(("127.0.0.1", port)):
        pass
