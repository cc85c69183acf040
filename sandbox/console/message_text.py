"""The text of a message as people read it: HTML as its text, addresses as links; never as markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

BLOCKS = frozenset(
    "address article blockquote br div h1 h2 h3 h4 hr li p pre section table tr ul".split()  # noqa: SIM905
)
"""Elements that begin a line."""
SILENT = frozenset(["head", "script", "style", "title"])
HTML_DOCUMENT = re.compile(r"\s*<(!doctype html|html|body|div|p|table)\b[\s\S]*>", re.IGNORECASE)
LINK = re.compile(r"\[([^\]\n]{1,200})\]\((https?://[^\s()<>]+)\)|(https?://[^\s<>\"'\])}]+)")
SPACES = re.compile(r"\s+")
LINE_BREAKS = re.compile(r" *\n\s*")
END = ".,;:!?"
LONGEST_ADDRESS = 60


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a message; a link if it has an address."""

    text: str
    address: str = ""


def split_message(text: str) -> list[TextPart]:
    """The message in pieces; an address in it, also one in Markdown, is a piece of its own."""
    return list(_split_links(extract_text(text) if HTML_DOCUMENT.match(text) else text))


def extract_text(html: str) -> str:
    """The text of an HTML document; the address of a link is behind its words."""
    reader = _HtmlReader()
    reader.feed(html)
    reader.close()
    return LINE_BREAKS.sub("\n", "".join(reader.pieces)).strip()


class _HtmlReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._silent = 0
        self._address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        if tag in BLOCKS:
            self.pieces.append("\n")
        if tag == "a":
            self._address = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT and self._silent > 0
        if tag == "a" and self._address:
            self.pieces.append(f" ({self._address})")
            self._address = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(SPACES.sub(" ", data))


def _split_links(text: str) -> Iterator[TextPart]:
    at = 0
    for found in LINK.finditer(text):
        words, named, bare = found.groups()
        address = named or bare.rstrip(END)
        if found.start() > at:
            yield TextPart(text[at : found.start()])
        yield TextPart(words or _shorten(address), address)
        at = found.end() if named else found.start() + len(address)
    if at < len(text):
        yield TextPart(text[at:])


def _shorten(address: str) -> str:
    return address if len(address) <= LONGEST_ADDRESS else f"{address[: LONGEST_ADDRESS - 1]}…"
