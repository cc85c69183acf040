"""Values of AMQP 1.0 as bytes: https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-types-v1.0-os.html."""

import struct
from dataclasses import dataclass
from typing import Any


class Symbol(str):
    """A symbol of AMQP."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """A number with its constructor and the format of its bytes."""

    constructor: int
    format: str
    value: Any


@dataclass(frozen=True, slots=True)
class Described:
    """A value with its descriptor."""

    code: int
    value: Any


def encode(value: Any) -> bytes:  # noqa: PLR0911 - one for each type
    """The bytes of a value; an `int` is an AMQP uint."""
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
            kind = 0xB0 if isinstance(value, bytes) else 0xA3 if isinstance(value, Symbol) else 0xB1
            raw = value if isinstance(value, bytes) else value.encode()
            size = struct.pack(">B" if kind == 0xA3 else ">I", len(raw))
            return bytes([kind]) + size + raw
        case dict():
            return _encode_compound(0xD1, [part for pair in value.items() for part in pair])
        case _:
            return _encode_compound(0xD0, list(value))


def _encode_compound(kind: int, items: list[Any]) -> bytes:
    body = b"".join(map(encode, items))
    return bytes([kind]) + struct.pack(">II", len(body) + 4, len(items)) + body


def ushort(value: int) -> Typed:
    """A number of 16 bits."""
    return Typed(0x60, ">H", value)


def ulong(value: int) -> Typed:
    """A number of 64 bits."""
    return Typed(0x80, ">Q", value)
