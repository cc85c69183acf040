"""One connection of a sender: SASL, tokens at `$cbs`, links, messages. It does no I/O itself.

https://docs.oasis-open.org/amqp/core/v1.0/os/,
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
"""

import struct
from collections.abc import Generator
from typing import Any, Protocol

from azure.eventhub._pyamqp._decode import decode_frame, decode_payload

from sandbox.amqp.encoding import Described, Symbol, Typed, encode, ulong, ushort
from sandbox.amqp.refusal import Refusal

SASL_HEADER, HEADER = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"
OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
MECHANISMS, OUTCOME = 0x40, 0x44
ACCEPTED, REJECTED, SOURCE, TARGET = 0x24, 0x25, 0x28, 0x29
PROPERTIES, APPLICATION_PROPERTIES, VALUE = 0x73, 0x74, 0x77
CBS, MANAGEMENT = "$cbs", "$management"
TOO_LARGE = "amqp:link:message-size-exceeded"
FIELDS = {OPEN: 10, BEGIN: 8, ATTACH: 14, FLOW: 11, TRANSFER: 11, DISPOSITION: 6, DETACH: 3, END: 1, CLOSE: 1}
"""How many fields each frame has: the SDKs read those at the end too."""
CREDIT, WINDOW = 1000, 65_536
BATCH = 0x80013700
"""The message format of many messages in one."""


class Namespace(Protocol):
    """What a sender finds behind the connection."""

    def find_limit(self, address: str) -> int:
        """The most bytes of a message to this address."""

    def take_token(self, audience: str, token: str) -> tuple[int, str]:
        """The status with which the token is answered, and its description."""

    def find_refusal(self, address: str, tokens: dict[str, str]) -> Refusal | None:
        """Why nobody can send to the address with these tokens, by audience; None if it is allowed."""

    def take_message(self, address: str, messages: list[Any]) -> Refusal | None:
        """Keep the messages of a transfer, as the SDK decodes them; or why they are refused.

        Raises OSError to break the connection.
        """


class Conversation:
    """What is answered to the bytes of one client; `closed` once it has said goodbye."""

    def __init__(self, namespace: Namespace) -> None:
        self.closed = False
        self._namespace = namespace
        self._received, self._output = bytearray(), bytearray()
        self._targets: dict[tuple[int, int], str] = {}
        self._tokens: dict[str, str] = {}
        self._receivers: dict[tuple[int, str], int] = {}
        self._parts = bytearray()
        self._run = self._converse()
        self._wanted = next(self._run)

    def receive(self, data: bytes) -> bytes:
        """The answer to what has arrived."""
        self._received += data
        while not self.closed and len(self._received) >= self._wanted:
            piece = bytes(self._received[: self._wanted])
            del self._received[: self._wanted]
            try:
                self._wanted = self._run.send(piece)
            except StopIteration:
                self.closed = True
        answer = bytes(self._output)
        self._output.clear()
        return answer

    def _converse(self) -> Generator[int, bytes]:
        """Yield how many bytes come next."""
        yield len(SASL_HEADER)
        self._output += SASL_HEADER
        self._send(0, MECHANISMS, [Symbol("ANONYMOUS")], kind=1)
        yield from self._read_frame()
        self._send(0, OUTCOME, [Typed(0x50, ">B", 0)], kind=1)
        yield len(HEADER)
        self._output += HEADER
        while True:
            channel, frame = yield from self._read_frame()
            if frame and self._take_frame(channel, *decode_frame(memoryview(frame))) == CLOSE:
                return

    def _read_frame(self) -> Generator[int, bytes, tuple[int, bytes]]:
        size, _, _, channel = struct.unpack(">IBBH", (yield 8))
        return channel, ((yield size - 8) if size > 8 else b"")

    def _send(self, channel: int, code: int, fields: list[Any], payload: bytes = b"", kind: int = 0) -> None:
        padded = fields + [None] * (FIELDS.get(code, len(fields)) - len(fields))
        body = encode(Described(code, padded)) + payload
        self._output += struct.pack(">IBBH", len(body) + 8, 2, kind, channel) + body

    def _take_frame(self, channel: int, code: int, fields: list[Any]) -> int:
        answers = {OPEN: ["sandbox", None, WINDOW, ushort(100)], END: [], CLOSE: []}
        if code in answers:
            self._send(channel, code, answers[code])
        elif code == BEGIN:
            self._send(channel, BEGIN, [ushort(channel), 0, WINDOW, WINDOW, 255])
        elif code == ATTACH:
            self._attach(channel, fields)
        elif code == TRANSFER:
            self._take_part(channel, fields)
        elif code == DETACH:
            self._targets.pop((channel, fields[0]), None)
            self._send(channel, DETACH, [fields[0], True])
        return code

    def _attach(self, channel: int, fields: list[Any]) -> None:
        name, handle, client_receives = fields[0].decode(), fields[1], fields[2]
        source, target = (_read_address(end) for end in fields[5:7])
        place = source if client_receives else target
        refusal = None if place == CBS else self._namespace.find_refusal(place, self._tokens)
        sizes = [None, None, 0 if client_receives else None, ulong(self._namespace.find_limit(place))]
        ends: list[Described | None] = [
            Described(SOURCE, [source] + [None] * 10),
            Described(TARGET, [target] + [None] * 6),
        ]
        ends = [ends[0], None] if refusal else ends
        self._send(channel, ATTACH, [name, handle, not client_receives, None, None, *ends, *sizes])
        if refusal:
            self._send(channel, DETACH, [handle, True, refusal.describe()])
        elif client_receives:
            self._receivers[channel, source] = handle
        else:
            self._targets[channel, handle] = target
            self._send(channel, FLOW, [0, WINDOW, 0, WINDOW, handle, 0, CREDIT])

    def _take_part(self, channel: int, fields: list[Any]) -> None:
        """Take a frame of a message; the last one completes it."""
        handle, delivery, more = fields[0], fields[1], fields[5]
        self._parts += fields[-1]
        if more:
            return
        payload, address = bytes(self._parts), self._targets[channel, handle]
        self._parts.clear()
        if len(payload) > (limit := self._namespace.find_limit(address)):
            sizes = f"(delivery-id:{delivery}, size:{len(payload)} bytes) exceeds the limit ({limit} bytes)"
            error = Refusal(TOO_LARGE, f"The received message {sizes} currently allowed on the link.")
            del self._targets[channel, handle]
            self._send(channel, DETACH, [handle, True, error.describe()])
            return
        message = decode_payload(memoryview(payload))
        asks = address.rpartition("/")[2] in (CBS, MANAGEMENT)
        refusal = None if asks else self._namespace.take_message(address, _open_batch(message, fields[3]))
        state = Described(REJECTED, [refusal.describe()]) if refusal else Described(ACCEPTED, [])
        self._send(channel, DISPOSITION, [True, delivery, delivery, True, state])
        if address == CBS:
            self._reply(channel, address, message, self._take_token(message))
        elif asks:
            hub = {"name": address, "created_at": Typed(0x83, ">q", 0), "partition_count": 1}
            self._reply(channel, address, message, (200, "OK"), {**hub, "partition_ids": ["0"]})

    def _take_token(self, message: Any) -> tuple[int, str]:
        audience, token = _text(message.application_properties[b"name"]), _text(message.value)
        status, description = self._namespace.take_token(audience, token)
        if status < 300:
            self._tokens[audience] = token
        return status, description

    def _reply(
        self, channel: int, address: str, message: Any, status: tuple[int, str], value: Any = None
    ) -> None:
        correlation = message.properties.message_id
        correlation = Typed(0x98, ">16s", correlation.bytes) if hasattr(correlation, "bytes") else correlation
        answer = {"status-code": Typed(0x71, ">i", status[0]), "status-description": status[1]}
        payload = encode(Described(PROPERTIES, [None] * 5 + [correlation]))
        payload += encode(Described(APPLICATION_PROPERTIES, answer)) + encode(Described(VALUE, value))
        self._send(channel, TRANSFER, [self._receivers[channel, address], 0, b"t", 0, True, False], payload)


def _open_batch(message: Any, message_format: int | None) -> list[Any]:
    """The messages of a batch, each with the annotations of the batch too; or the message."""
    if message_format != BATCH:
        return [message]
    known, inner = (
        message.message_annotations or {},
        [decode_payload(memoryview(one)) for one in message.data],
    )
    return [one._replace(message_annotations=known | (one.message_annotations or {})) for one in inner]


def _read_address(end: Any) -> str:
    return _text(end[0]) if end and end[0] else ""


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
