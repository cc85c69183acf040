"""A message as HTML, for mail programs that show it: every value is escaped, and nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlevents.services.chat.chat_text import break_addresses
from mlevents.services.message_document import Fact, Paragraph, parse_message

if TYPE_CHECKING:
    from jinja2 import Template

    from mlevents.services.connection import Message

PREVIEW_LENGTH = 120
"""Characters that mail programs show in a list, after the subject."""


def build_html(message: Message) -> str:
    """A complete document; only links that the message may have are links."""
    document = parse_message(message)
    facts = [f"{part.label}: {part.text}" for part in document.parts if isinstance(part, Fact)]
    prose = [part.text for part in document.parts if isinstance(part, Paragraph)]
    preview = " · ".join(facts or prose).replace("\n", " ")[:PREVIEW_LENGTH]
    return _template().render(document=document, preview=preview)


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unlink"] = break_addresses
    environment.filters["groupby_kind"] = _group_by_kind
    return environment.get_template("message.html")


def _group_by_kind(parts: Iterable[Any]) -> list[tuple[str, list[Any]]]:
    return [(kind, list(group)) for kind, group in groupby(parts, lambda part: type(part).__name__)]
