"""What makes two things the same: canonical parts, joined so that no two lists of parts give one text."""

import re

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_RESOURCE_ID = re.compile(
    r"/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers(?:/[^/\s]+){3}(?:/[^/\s]+/[^/\s]+)*/?",
    re.IGNORECASE | re.ASCII,
)


def fold(text: str) -> str:
    """The text with ASCII letters in lower case and all others as they are: the Kelvin sign is not a `k`."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


def canonical_resource_id(text: str) -> str:
    """An ARM id as Azure compares it: in lower case, without a slash at its end; any other text as it is."""
    return fold(text).removesuffix("/") if _RESOURCE_ID.fullmatch(text) else text


def canonical_event_id(text: str) -> str:
    """An event's id: a GUID is the same in upper and lower case, any other text is itself."""
    return text.lower() if _GUID.fullmatch(text) else text


def join_parts(*parts: str | None) -> str:
    """One text for these parts in this order, each with its length before it; `-` means None.

    Two different lists of parts never give the same text.
    """
    return "".join("-" if part is None else f"{len(part)}:{part}" for part in parts)
