"""The parts of a message: channels that can show more than plain text build their own form from them.

A text has paragraphs; lines `Label: value` are facts, with further lines of a value below it in the same
column; a line `Label: https://…` with a known address is a link; lines that begin with four spaces are code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlevents.services.connection import Message

_FACT = re.compile(r"([^\W\d_][\w .()/-]{0,29}): +(\S.*)")
_CODE_INDENT = " " * 4
MOST_LINKS, _LONGEST_ADDRESS = 6, 1_500
"""Further links are facts, and a longer address is text, so that every channel can show the message."""
_LONGEST_END = 300
"""The most characters of a last paragraph that a shortened message keeps: it names the response."""
_PART_SIZE = 100
"""Characters that a part counts besides its text when a message is shortened: a channel's form needs them."""
_UNFIT = re.compile(r"[^A-Za-z0-9/?#&=%._~:+,;-]")
"""Characters that an address in a message does not have; they could be markup."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text, or a link if it has an address."""

    text: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of prose."""

    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A label with its value, which may have several lines."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of a log, without their indent."""

    text: str


Part = Paragraph | Fact | Code


@dataclass(frozen=True, slots=True)
class MessageDocument:
    """A message in parts. `known` are beginnings of addresses that stay links, as in `Message`."""

    subject: str
    parts: tuple[Part, ...]
    links: tuple[Span, ...]
    known: tuple[str, ...] = ()

    def split(self, text: str) -> list[Span]:
        """The text of a part, with its links as pieces of their own."""
        return list(split_links(text, self.known))

    def shorten(self, length: int) -> MessageDocument:
        """With at most about this many characters in its parts; keeps the links and the end."""
        if sum(len(part.text) + _PART_SIZE for part in self.parts) <= length:
            return self
        last = self.parts[-1:]
        end = [part for part in last if isinstance(part, Paragraph) and len(part.text) <= _LONGEST_END]
        kept = [*_take(self.parts[: len(self.parts) - len(end)], length), Paragraph("… (shortened)"), *end]
        return replace(self, parts=tuple(kept))


def parse_message(message: Message) -> MessageDocument:
    """The parts of a message, in their order; the links are apart from them."""
    parts: list[Part] = []
    links: list[Span] = []
    column, is_new = 0, True
    for line in message.text.split("\n"):
        last = parts[-1] if parts else None
        indent = len(line) - len(line.lstrip(" "))
        if fact := _FACT.fullmatch(line):
            address = _find_address(fact[2], message.links) if len(links) < MOST_LINKS else ""
            if address:
                links.append(Span(fact[1], address))
            else:
                column = fact.start(2)
                parts.append(Fact(fact[1], fact[2]))
        elif isinstance(last, Fact) and not is_new and indent == column:
            parts[-1] = replace(last, text=f"{last.text}\n{line.strip()}")
        elif line:
            _append_line(parts, line, is_new)
        is_new = not line
    return MessageDocument(message.subject, tuple(parts), tuple(links), message.links)


def split_links(text: str, known: Iterable[str]) -> Iterator[Span]:
    """The text in pieces: an address that begins with one of `known` is a link.

    Each of `known` holds a complete host and a slash, so that nothing can be appended to the host.
    """
    beginnings = "|".join(re.escape(link) for link in sorted(known, key=len, reverse=True))
    pieces = re.split(rf"(?<!\S)((?:{beginnings})\S*)", text) if beginnings else [text]
    for index, piece in enumerate(pieces):
        address = _UNFIT.sub(_quote, piece) if index % 2 else ""
        if address and len(address) <= _LONGEST_ADDRESS:
            yield Span(address, address)
        elif piece:
            yield Span(piece)


def _quote(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _find_address(text: str, known: Iterable[str]) -> str:
    """The address if the text is one complete link; otherwise empty."""
    [first, *others] = split_links(text, known)
    return "" if others else first.address


def _append_line(parts: list[Part], line: str, is_new: bool) -> None:
    """Add a line of code or prose: to the last part if it is of that kind, prose only in its paragraph."""
    kind = Code if line.startswith(_CODE_INDENT) else Paragraph
    text = line.removeprefix(_CODE_INDENT) if kind is Code else line
    last = parts[-1] if parts else None
    if isinstance(last, kind) and (kind is Code or not is_new):
        parts[-1] = replace(last, text="\n".join([last.text, *[""] * is_new, text]))
    else:
        parts.append(kind(text))


def _take(parts: Iterable[Part], length: int) -> Iterator[Part]:
    for part in parts:
        if (length := length - _PART_SIZE) <= 0:
            return
        yield replace(part, text=part.text[:length])
        length -= len(part.text)
