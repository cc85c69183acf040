"""Text that no chat reads as markup, a mention or a link.

Chats differ in how they escape markup, and some cannot. So each character that a chat may read as markup is
replaced by one that looks alike, or followed by a zero-width space. The text looks the same; only copied text
differs. Names with dots are unchanged unless they look like a host: `model.registered` is copied as it is,
`evil.com` is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mlevents.services.message_document import split_links

BREAK = "\u200b"
"""A zero-width space: it ends a mention, an address or a heading."""
LOOKALIKES = str.maketrans(
    {
        "<": "‹",
        ">": "›",
        "[": "(",
        "]": ")",
        "*": "∗",
        "`": "ˋ",
        "~": "∼",
        "|": "¦",
        "\\": "⧵",
        "$": f"${BREAK}",
    }
)
HOST_DOT = re.compile(r"(?i)(?<=(?<!\w)www)\.|(?<=\w)[.。．｡](?=(xn--|[^\W\d_]{2,24}(?!\w)))")
"""A dot before a possible top-level domain, or after `www`."""
TOP_LEVEL_DOMAINS = Path(__file__).parent / "top_level_domains.txt"
"""The ASCII ones of https://data.iana.org/TLD/tlds-alpha-by-domain.txt; chats link no other name."""
RESERVED = frozenset(
    ("example", "test", "invalid", "localhost", "local", "internal", "lan", "corp", "home", "onion")
)
"""Names that are in no public list, but may be hosts in a company's network."""
EDGE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
"""Underscores without a letter or digit on both sides: only these mean emphasis."""
ADDRESS = re.compile(
    r"(?i)(?<=[a-z])(:)(?=//|[^\s/]*@)|(?<![a-z])((?:mailto|tel|sms|javascript|data|skype|msteams|slack):(?=\S))"
)
ENTITY = re.compile(r"&(?=#?\w{1,31};)")
"""An HTML entity, which Markdown shows as its character."""
MENTION = re.compile(r"([@#＠＃])")
RULER = re.compile(r"^(?=\s*(?:[-=+]\s*){2,}$|\s{0,3}(?:[-+]|\d{1,9}[.)])\s|\s{4})", re.MULTILINE)
"""Lines that Markdown reads as a rule, a list or code."""


def neutralize_text(text: str, links: Iterable[str] = ()) -> str:
    """The text without markup; only addresses that begin with one of `links` stay links."""
    return "".join(span.address or _inert(span.text) for span in split_links(text, links))


def break_addresses(text: str) -> str:
    """The text in which no program finds an address, and which otherwise looks the same."""
    return _break(text.replace(BREAK, ""))


def _inert(text: str) -> str:
    text = _break(text.replace(BREAK, "").translate(LOOKALIKES))
    text = EDGE.sub(lambda found: "ˍ" * len(found[0]), text)
    text = ENTITY.sub(f"&{BREAK}", text)
    text = MENTION.sub(rf"\1{BREAK}", text)
    return RULER.sub(BREAK, text)


def _break(text: str) -> str:
    text = ADDRESS.sub(lambda found: f"{found[0]}{BREAK}", text)
    return HOST_DOT.sub(_broken_host, text)


def _broken_host(found: re.Match[str]) -> str:
    name = (found[1] or "").lower()
    linked = not name.isascii() or name in ("", "xn--") or name in _top_level_domains()
    return f"{found[0]}{BREAK}" if linked else found[0]


@cache
def _top_level_domains() -> frozenset[str]:
    return RESERVED | frozenset(TOP_LEVEL_DOMAINS.read_text("ascii").split())
