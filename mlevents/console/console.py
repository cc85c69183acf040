"""Answers what browsers ask of the console: finds the page, guards it, and shows errors as pages too."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, unquote, urlsplit

from mlevents.api.operation import AppState
from mlevents.console.access import has_sign_in, is_open, is_same_origin
from mlevents.console.page import PageAnswer, PageError, PageRequest, pages
from mlevents.console.rendering import SECURITY_HEADERS, read_static

SHELL, CONTENT = "console", "console-content"
"""The two addresses: of pages, and of their content where the host asks for a key."""
SANDBOX = "MLEVENTS_SANDBOX_PAGE"
"""The variable with which the sandbox names the address of its own page; nothing else sets it."""
YEAR = "public, max-age=31536000, immutable"
LONGEST_FORM = 256 * 1024

log = logging.getLogger("mlevents")


@dataclass(frozen=True, slots=True)
class BrowserRequest:
    """A request as the host hands it over: `place` is the address below the console's."""

    method: str
    url: str
    place: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    guarded: bool = False
    """Whether the host has asked for a key already."""


async def answer_browser(
    request: BrowserRequest, app: AppState, environment: Mapping[str, str] = os.environ
) -> PageAnswer:
    """The answer to a browser, with the headers that guard it."""
    answer = await _answer(request, app, environment)
    return replace(answer, headers={**SECURITY_HEADERS, **answer.headers})


async def _answer(request: BrowserRequest, app: AppState, environment: Mapping[str, str]) -> PageAnswer:
    if request.place.startswith("static/"):
        return _answer_static(request)
    opened = is_open(request.headers, environment)
    seen = replace(_read_request(request, app, keyed=not opened), sandbox=environment.get(SANDBOX, ""))
    if has_sign_in(environment) and not opened:
        return seen.show_error(401, "Sign in first: this app asks for it.")
    if not (opened or request.guarded):
        return seen.show("key.html", "")
    if not request.place:
        return seen.lead("responses")
    if request.method != "GET" and not is_same_origin(request.headers, urlsplit(request.url).netloc):
        return seen.show_error(403, "This form came from another site.")
    return await _show_page(request, seen)


def _answer_static(request: BrowserRequest) -> PageAnswer:
    found = read_static(request.place.removeprefix("static/"))
    if found is None or request.method != "GET":
        return PageAnswer("", 404)
    content, kind, tag = found
    if request.headers.get("if-none-match") == f'"{tag}"':
        return PageAnswer("", 304, {"ETag": f'"{tag}"', "Cache-Control": YEAR})
    return PageAnswer(content, 200, {"Content-Type": kind, "ETag": f'"{tag}"', "Cache-Control": YEAR})


def _read_request(request: BrowserRequest, app: AppState, *, keyed: bool) -> PageRequest:
    path = urlsplit(request.url).path
    root = path.partition(f"/{SHELL}")[0]
    name = CONTENT if request.guarded else SHELL
    form = parse_qs(request.body[:LONGEST_FORM].decode("utf-8", "replace"), keep_blank_values=True)
    address = f"{root}/{SHELL}" + path[len(f"{root}/{name}") :]
    return PageRequest(app, root, f"{root}/{name}", {}, request.query, form, request.headers, address, keyed)


async def _show_page(request: BrowserRequest, seen: PageRequest) -> PageAnswer:
    """The page of this address, or the error that stands for it."""
    for _, one in pages.items():
        found = one.pattern.fullmatch(request.place)
        if found and one.method == request.method:
            path = {name: unquote(text) for name, text in found.groupdict().items()}
            try:
                return await one.show(replace(seen, path=path))
            except PageError as error:
                return seen.show_error(error.status, str(error))
            except Exception:
                log.exception("the page %s failed", request.place)
                text = "A fault in mlevents: the app's log has the reason."
                return seen.show_error(500, text)
    return seen.show_error(404, f"There is no page '{request.place:.200}'.")
