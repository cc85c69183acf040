"""A page of the console: a function with its address, in a module of `mlevents.console.pages`."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from mlevents.api.operation import AppState, find_operation
from mlevents.api.request_reading import HttpRequest, perform_operation
from mlevents.console.rendering import render_page, static_path
from mlevents.registry import Registry

MENU = (
    ("responses", "Responses"),
    ("events", "Events"),
    ("rules", "Rules"),
    ("try", "Try it"),
    ("health", "Health"),
)
"""The pages in the head of every page: address and words."""
ERROR = 400
HTML: Mapping[str, str] = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}


class PageError(Exception):
    """A page that cannot be shown, with its HTTP status and the reason."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """An answer of the console."""

    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request of a browser.

    `root` is the address of the app's functions, as `/api`; `base` that of what answers here, where a form
    leads back to. `keyed` says that content needs a function key. `form` has the fields of a POST.
    `sandbox` is the address of the sandbox's own page, where the app runs in one.
    """

    app: AppState
    root: str
    base: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    keyed: bool = False
    sandbox: str = ""

    @property
    def now(self) -> datetime:
        """The time of the request."""
        return self.app.now

    def read_field(self, name: str) -> str:
        """A field of the form, stripped; empty when there is none."""
        return (self.form.get(name) or [""])[0].strip()

    async def call(
        self,
        operation: str,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Any:
        """What an operation of the API answers; raises PageError for an error that is not to `accept`."""
        sent = b"" if body is None else json.dumps(body).encode()
        http = HttpRequest(path or {}, query or {}, sent, self.headers)
        answer = await perform_operation(find_operation(operation), http, self.app)
        if answer.status >= ERROR and answer.status not in accept:
            raise PageError(answer.status, str(answer.document["error"]))
        return answer.document

    def url(self, *place: str, **query: str | None) -> str:
        """The address of a page."""
        path = "/".join([f"{self.root}/console", *(quote(part, safe="") for part in place)])
        words = urlencode({name: text for name, text in query.items() if text})
        return f"{path}?{words}" if words else path

    def show(self, template: str, page: str, status: int = 200, **names: Any) -> PageAnswer:
        """The answer that a template makes; `page` is the one of the menu that it belongs to."""
        html = render_page(
            template,
            page=page,
            pages=MENU,
            now=self.now,
            root=self.root,
            keyed=self.keyed,
            url=self.url,
            base=self.base,
            here=self.address,
            sandbox=self.sandbox,
            static=lambda name: f"{self.root}/console/{static_path(name)}",
            **{"operator": self.headers.get("x-ms-client-principal-name"), "notices": ()} | names,
        )
        return PageAnswer(html, status, HTML)

    def show_error(self, status: int, text: str) -> PageAnswer:
        """A page that says why there is no other."""
        return self.show("error.html", "", status, text=text, code=status)

    def lead(self, *place: str, **query: str | None) -> PageAnswer:
        """The answer that leads a browser to another page, after a form was sent."""
        location = self.url(*place, **query).replace(f"{self.root}/console", self.base, 1)
        return PageAnswer(status=303, headers={"Location": location})


Show = Callable[[PageRequest], Awaitable[PageAnswer]]


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """One page: the method and the address that it answers, below that of the console."""

    method: str
    pattern: re.Pattern[str]
    show: Show


pages = Registry[ConsolePage]("page", "mlevents.console.pages")


def page(route: str) -> Callable[[Show], Show]:
    """Register a function as the page of a route such as `GET responses/{id}`."""
    method, _, path = route.partition(" ")
    pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))

    def declare(show: Show) -> Show:
        pages(show.__name__)(ConsolePage(method, pattern, show))
        return show

    return declare
