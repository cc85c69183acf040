"""Bytes that were valid JSON, damaged as a fuzzer does."""

import random

TOKENS = (
    *(b"null", b"true", b"{}", b"[]", b'""', b"-1", b"1e999", b"NaN", b"\x00", b"\xff", b'"\\ud800"'),
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"9" * 40, b"[" * 2000, "\u202e".encode()),
)


def damage_bytes(sample: bytes, chance: random.Random) -> bytes:
    """The sample after one to four changes: cut, repeated, overwritten, or with a token put in."""
    found = bytearray(sample)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(found) + 1)
        end = min(len(found), start + chance.randint(0, 12))
        found[start:end] = chance.choice(
            (b"", bytes(found[start:end]) * 2, chance.randbytes(2), chance.choice(TOKENS))
        )
    return bytes(found)
