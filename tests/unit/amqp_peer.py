"""A namespace on this machine for the SDKs of Event Hubs and Service Bus, in threads of its own."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from sandbox.amqp.conversation import Conversation
from sandbox.amqp.refusal import Refusal

POLL = 0.002
"""The longest sleep of an SDK here, in seconds."""


@dataclass
class Broker:
    """`refusal` is why messages are rejected, `detached` why links are, `token_status` the answer to tokens.

    With `forgetful` the connection breaks when a message has arrived, before it is accepted.
    """

    context: ssl.SSLContext
    refusal: Refusal | None = None
    detached: Refusal | None = None
    token_status: int = 202
    largest: int = 1_048_576
    forgetful: bool = False
    messages: list[tuple[str, Any]] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)

    def take_token(self, audience: str, token: str) -> tuple[int, str]:
        self.tokens.append((audience, token))
        return self.token_status, "said"

    def find_refusal(self, _: str, __: dict[str, str]) -> Refusal | None:
        return self.detached

    def find_limit(self, _: str) -> int:
        return self.largest

    def take_message(self, address: str, messages: list[Any]) -> Refusal | None:
        if self.refusal is None:
            self.messages += [(address, message) for message in messages]
        if self.forgetful:
            raise ConnectionAbortedError
        return self.refusal

    @contextmanager
    def serving(self) -> Iterator[int]:
        """The port, until the block ends."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()
            yield server.getsockname()[1]
            server.shutdown(socket.SHUT_RDWR)

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), self.context.wrap_socket(connection, server_side=True) as secure:
            conversation = Conversation(self)
            while not conversation.closed and (data := secure.recv(65_536)):
                secure.sendall(conversation.receive(data))


@contextmanager
def serve_host(host: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker to which this host leads; `ca.pem` in the folder is what clients trust."""
    issuer, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(host).configure_cert(context)
    issuer.cert_pem.write_to_path(str(folder / "ca.pem"))
    broker = Broker(context)
    with broker.serving() as port:
        lead_host(host, port, monkeypatch)
        yield broker


def lead_host(host: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this host lead to a port of this machine, in the test; the SDKs poll more often than they would."""
    resolve, sleep = socket.getaddrinfo, time.sleep

    def lead_here(name: Any, service: Any, *words: Any, **options: Any) -> Any:
        place = ("127.0.0.1", port) if name == host else (name, service)
        return resolve(*place, *words, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lead_here)
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, POLL)))
