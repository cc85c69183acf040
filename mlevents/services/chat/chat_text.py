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
RULER = re.compile(r"^(?=\s*(?:[-=+]\s*){2,}$|\s{0,3}[-+]\s|\s{4})", re.MULTILINE)
"""Lines that Markdown reads as a rule, a list or code."""
UNFIT = re.compile(r"[^A-Za-z0-9/?#&=%._~:+,;-]")
"""Characters that a quoted address of mlevents does not have; they could be markup."""


def neutralize_text(text: str, links: Iterable[str] = ()) -> str:
    """The text without markup; only addresses that begin with one of `links` stay links.

    Each of `links` holds a complete host and a slash, so that nothing can be appended to the host.
    """
    known = "|".join(re.escape(link) for link in sorted(links, key=len, reverse=True))
    if not known:
        return _inert(text)
    parts = re.split(rf"(?<!\S)((?:{known})\S*)", text)
    return "".join(_address(part) if index % 2 else _inert(part) for index, part in enumerate(parts))


def _inert(text: str) -> str:
    text = text.replace(BREAK, "").translate(LOOKALIKES)
    text = ADDRESS.sub(lambda found: f"{found[0]}{BREAK}", text)
    text = EDGE.sub(lambda found: "ˍ" * len(found[0]), text)
    text = HOST_DOT.sub(_broken_host, text)
    text = ENTITY.sub(f"&{BREAK}", text)
    text = MENTION.sub(rf"\1{BREAK}", text)
    return RULER.sub(BREAK, text)


def _broken_host(found: re.Match[str]) -> str:
    name = (found[1] or "").lower()
    linked = not name.isascii() or name in ("", "xn--") or name in _top_level_domains()
    return f"{found[0]}{BREAK}" if linked else found[0]


@cache
def _top_level_domains() -> frozenset[str]:
    return RESERVED | frozenset(TOP_LEVEL_DOMAINS.read_text("ascii").split())


def _address(text: str) -> str:
    return UNFIT.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")), text
    )
