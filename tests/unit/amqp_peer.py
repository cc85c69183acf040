"""A loopback AMQP 1.0 broker for tests of the real SDKs: it takes tokens at `$cbs`, messages elsewhere.

https://docs.oasis-open.org/amqp/core/v1.0/os/
"""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from azure.eventhub._pyamqp._decode import decode_frame, decode_payload

SASL, PLAIN = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"
OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
MECHANISMS, OUTCOME = 0x40, 0x44
ERROR, ACCEPTED, REJECTED, SOURCE, TARGET = 0x1D, 0x24, 0x25, 0x28, 0x29
CBS = b"$cbs"
LENGTHS = {
    OPEN: 10,
    BEGIN: 8,
    ATTACH: 14,
    FLOW: 11,
    TRANSFER: 11,
    DISPOSITION: 6,
    DETACH: 3,
    END: 1,
    CLOSE: 1,
}
"""The fields of each frame: the SDK reads those at the end too."""


class Symbol(str):
    """A symbol of AMQP."""


@dataclass(frozen=True)
class Typed:
    """A number with its constructor and format, or a value with a descriptor."""

    constructor: int
    format: str
    value: int


@dataclass(frozen=True)
class Described:
    code: int
    value: Any


def encode(value: Any) -> bytes:  # noqa: PLR0911 - one for each type
    match value:
        case None:
            return b"\x40"
        case bool():
            return b"\x41" if value else b"\x42"
        case Typed():
            return bytes([value.constructor]) + struct.pack(value.format, value.value)
        case Described():
            return b"\x00\x53" + bytes([value.code]) + encode(value.value)
        case int():
            return b"\x70" + struct.pack(">I", value)
        case str() | bytes():
            kind = 0xB0 if isinstance(value, bytes) else 0xB3 if isinstance(value, Symbol) else 0xB1
            raw = value if isinstance(value, bytes) else value.encode()
            return bytes([kind]) + struct.pack(">I", len(raw)) + raw
        case dict():
            return compound(0xD1, [part for pair in value.items() for part in pair])
        case _:
            return compound(0xD0, list(value))


def compound(kind: int, items: list[Any]) -> bytes:
    body = b"".join(map(encode, items))
    return bytes([kind]) + struct.pack(">II", len(body) + 4, len(items)) + body


def ushort(value: int) -> Typed:
    return Typed(0x60, ">H", value)


@dataclass
class Broker:
    """`refusal` is the condition with which messages are rejected, `token_status` the answer to tokens."""

    context: ssl.SSLContext
    refusal: str | None = None
    token_status: int = 202
    largest: int = 1_048_576
    messages: list[tuple[str, Any]] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def serving(self) -> Iterator[int]:
        """The port, until the block ends."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()
            yield server.getsockname()[1]

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, EOFError), self.context.wrap_socket(connection, server_side=True) as secure:
            Conversation(self, secure).run()


class Conversation:
    """One connection of a client."""

    def __init__(self, broker: Broker, connection: ssl.SSLSocket) -> None:
        self.broker, self.connection = broker, connection
        self.targets: dict[int, bytes] = {}
        self.cbs_receiver = 0
        self.parts = bytearray()

    def run(self) -> None:
        self.read(8)
        self.connection.sendall(SASL)
        self.send(0, MECHANISMS, [Symbol("ANONYMOUS")], kind=1)
        self.read_frame()
        self.send(0, OUTCOME, [Typed(0x50, ">B", 0)], kind=1)
        self.read(8)
        self.connection.sendall(PLAIN)
        while True:
            channel, data = self.read_frame()
            if data:
                code, fields = decode_frame(memoryview(data))
                if self.answer(channel, code, fields) == CLOSE:
                    return

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.connection.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def read_frame(self) -> tuple[int, bytes]:
        size, _, _, channel = struct.unpack(">IBBH", self.read(8))
        return channel, self.read(size - 8)

    def send(self, channel: int, code: int, fields: list[Any], payload: bytes = b"", kind: int = 0) -> None:
        padded = fields + [None] * (LENGTHS.get(code, len(fields)) - len(fields))
        body = encode(Described(code, padded)) + payload
        self.connection.sendall(struct.pack(">IBBH", len(body) + 8, 2, kind, channel) + body)

    def answer(self, channel: int, code: int, fields: list[Any]) -> int:
        match code:
            case 0x10:
                self.send(channel, OPEN, ["broker", None, 65_536, ushort(100)])
            case 0x11:
                self.send(channel, BEGIN, [ushort(channel), 0, 65_536, 65_536, 255])
            case 0x12:
                self.attach(channel, fields)
            case 0x14:
                self.take(channel, fields)
            case 0x16:
                self.send(channel, DETACH, [fields[0], True])
            case 0x17:
                self.send(channel, END, [])
            case 0x18:
                self.send(channel, CLOSE, [])
        return code

    def attach(self, channel: int, fields: list[Any]) -> None:
        name, handle, client_receives = fields[0].decode(), fields[1], fields[2]
        source, target = (address[0].decode() if address and address[0] else None for address in fields[5:7])
        sizes = [None, None, 0 if client_receives else None, Typed(0x80, ">Q", self.broker.largest)]
        ends = [Described(SOURCE, [source] + [None] * 10), Described(TARGET, [target] + [None] * 6)]
        self.send(channel, ATTACH, [name, handle, not client_receives, None, None, *ends, *sizes])
        if client_receives:
            self.cbs_receiver = handle
        else:
            self.targets[handle] = (target or "").encode()
            self.send(channel, FLOW, [0, 65_536, 0, 65_536, handle, 0, 1000])

    def take(self, channel: int, fields: list[Any]) -> None:
        handle, delivery, more, payload = fields[0], fields[1], fields[5], fields[-1]
        self.parts += payload
        if more:
            return
        message, address = decode_payload(memoryview(bytes(self.parts))), self.targets[handle]
        self.parts.clear()
        state = Described(ACCEPTED, [])
        if address != CBS and self.broker.refusal:
            error = Described(ERROR, [Symbol(self.broker.refusal), f"refused: {self.broker.refusal}", None])
            state = Described(REJECTED, [error])
        self.send(channel, DISPOSITION, [True, delivery, delivery, True, state])
        if address == CBS:
            self.grant(channel, message)
        elif not self.broker.refusal:
            self.broker.messages.append((address.decode(), message))

    def grant(self, channel: int, message: Any) -> None:
        named = {key.decode(): value for key, value in message.application_properties.items()}
        token = message.value
        self.broker.tokens.append(
            (named["name"].decode(), token.decode() if isinstance(token, bytes) else token)
        )
        correlation = message.properties.message_id
        correlation = Typed(0x98, ">16s", correlation.bytes) if hasattr(correlation, "bytes") else correlation
        properties = Described(0x73, [None, None, None, None, None, correlation])
        said = {"status-code": Typed(0x71, ">i", self.broker.token_status), "status-description": "said"}
        payload = encode(properties) + encode(Described(0x74, said)) + encode(Described(0x77, None))
        self.send(channel, TRANSFER, [self.cbs_receiver, 0, b"t", 0, True, False], payload)
