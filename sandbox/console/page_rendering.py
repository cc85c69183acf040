"""Makes the HTML of the sandbox's page. Everything that an event, a message or a test says is escaped."""

import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
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
    "Cache-Control": "no-store",
}
"""Of every answer of the page, as of the console's: it runs and loads only what its own address serves."""


def render_template(template: str, status: int = 200, **names: Any) -> web.Response:
    """The answer that a template of `templates/` makes."""
    html = _environment().get_template(template).render(**names)
    return web.Response(text=html, status=status, content_type="text/html", headers=SECURITY_HEADERS)


def answer_static(name: str) -> web.Response:
    """A file of `static/`; 404 if there is none of this name."""
    if name not in {file.name for file in (FOLDER / "static").iterdir()}:
        return web.Response(status=404, headers=SECURITY_HEADERS)
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    body = (FOLDER / "static" / name).read_bytes()
    return web.Response(body=body, content_type=kind, headers=SECURITY_HEADERS)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["slug"] = lambda text: hashlib.sha256(str(text).encode()).hexdigest()[:8]
    return environment
