"""Text that no chat takes for markup, a mention or a link, whatever its dialect.

Backslashes and entities differ from chat to chat, and some chats know none. So the characters that any
dialect reads are replaced by ones that look alike and mean nothing, or followed by a zero-width space.
What is read is the same; only what is copied out of such a place differs. Names with dots stay whole unless
they read as a host: `model.registered` is copied as it is, `evil.com` is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

BREAK = "\u200b"
"""A zero-width space: no mention, address or heading goes on over it."""
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
"""A dot before what may be a top-level domain, or behind `www`."""
TOP_LEVEL_DOMAINS = Path(__file__).parent / "top_level_domains.txt"
"""Those in ASCII, by https://data.iana.org/TLD/tlds-alpha-by-domain.txt; no chat links any other name."""
RESERVED = frozenset(
    ("example", "test", "invalid", "localhost", "local", "internal", "lan", "corp", "home", "onion")
)
"""Names that are in nobody's list, but may lead somewhere in a company's own network."""
EDGE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
"""Underscores that no letter or digit encloses: only those are read as emphasis."""
ADDRESS = re.compile(
    r"(?i)(?<=[a-z])(:)(?=//|[^\s/]*@)|(?<![a-z])((?:mailto|tel|sms|javascript|data|skype|msteams|slack):(?=\S))"
)
ENTITY = re.compile(r"&(?=#?\w{1,31};)")
"""An entity of HTML, which Markdown reads as its character."""
MENTION = re.compile(r"([@#＠＃])")
RULER = re.compile(r"^(?=\s*(?:[-=+]\s*){2,}$|\s{0,3}[-+]\s|\s{4})", re.MULTILINE)
"""Lines that Markdown reads as a rule, a list or code."""
UNFIT = re.compile(r"[^A-Za-z0-9/?#&=%._~:+,;-]")
"""What an address of ours holds, once quoted; anything else in it could be markup."""


def neutralize_text(text: str, links: Iterable[str] = ()) -> str:
    """The text, of which only addresses that begin with one of `links` remain addresses.

    Such a beginning holds a whole host and a slash, so that nothing can be appended to the host.
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
