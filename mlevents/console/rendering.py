"""Makes HTML of templates. What an event says is escaped everywhere, as everything else is."""

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlevents.console.drawings import draw_spark, draw_traffic, list_serving
from mlevents.duration import format_duration
from mlevents.explanations.value_format import format_found, format_value, shorten_subject

if TYPE_CHECKING:
    from jinja2 import Environment

CONSOLE_FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every answer of the console. The policy lets a page run and load only what the app itself serves."""
_DAY = 86400
_UNITS = ((_DAY, "days"), (3600, "h"), (60, "min"), (1, "s"))
"""The seconds of each unit of an age, and its word."""
_BIDI_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Embeddings, overrides and isolates of the Unicode Bidirectional Algorithm."""
JUST_NOW = 10
"""Seconds."""


def render_page(template: str, **names: Any) -> str:
    """The HTML of a template in `templates/`."""
    return _environment().get_template(template).render(**names)


@cache
def _environment() -> "Environment":
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader, pass_context  # not at a cold start

    loader = FileSystemLoader(CONSOLE_FOLDER / "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=show_controls,
    )
    environment.filters["age"] = pass_context(lambda context, text: format_age(text, context["now"]))
    environment.filters |= _FILTERS
    environment.globals |= _FUNCTIONS
    return environment


def show_controls(value: Any) -> Any:
    """A text in which characters that reorder the text around them are visible, as `\\u202e`."""
    return value.translate(_BIDI_CONTROLS) if isinstance(value, str) else value


def format_age(text: str, now: datetime) -> str:
    """How long ago a time in ISO 8601 was, as `3m ago`; the text itself when it is no such time."""
    try:
        seconds = (now - datetime.fromisoformat(text)).total_seconds()
    except (TypeError, ValueError):
        return text
    if abs(seconds) < JUST_NOW:
        return "just now"
    unit, word = next((unit, word) for unit, word in _UNITS if abs(seconds) >= unit)
    number = int(abs(seconds) // unit)
    words = f"{number} {word[:-1] if number == 1 and unit == _DAY else word}"
    return f"{words} ago" if seconds > 0 else f"in {words}"


def find_detail(steps: Sequence[Mapping[str, Any]]) -> str:
    """The detail of the last step that has one."""
    return next((str(step["detail"]) for step in reversed(steps) if step["detail"]), "")


_FILTERS = {
    "duration": format_duration,
    "subject": shorten_subject,
    "current_detail": find_detail,
    "value": format_value,
    "found": format_found,
}
_FUNCTIONS = {"draw_traffic": draw_traffic, "draw_spark": draw_spark, "list_serving": list_serving}


@cache
def read_static(name: str) -> tuple[bytes, str, str] | None:
    """A file of `static/`: its bytes, media type and ETag; None when there is none of this name."""
    if name not in {file.name for file in (CONSOLE_FOLDER / "static").iterdir()}:
        return None
    content = (CONSOLE_FOLDER / "static" / name).read_bytes()
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    return content, kind, hashlib.sha256(content).hexdigest()[:16]


def static_path(name: str) -> str:
    """Where a page finds a file of `static/`, below the console's address; changes when the file does."""
    found = read_static(name)
    return f"static/{name}?v={found[2] if found else ''}"
