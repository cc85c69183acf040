"""Requests to the API of an mlevents app, with its function key or a token, and nowhere else.

A credential is sent to the named host alone: over https, in a header, and never after a redirect.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from mlevents.errors import ConfigError, MleventsError
from mlevents.services.sdk_errors import clean_text

KEY_HEADER = "x-functions-key"
APP_SECONDS = 60.0
"""How long an answer may take: the app may have to start."""
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_LONGEST_ERROR = 20_000


@dataclass(frozen=True, slots=True)
class AppAccess:
    """Where an app is, and what proves that its caller may ask: a function key, an Entra token, or both.

    `is_sandbox` sends the key of a sandbox on this machine, which speaks http. Raises ConfigError for an
    address that would send one of them readable.
    """

    url: str
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    is_sandbox: bool = False

    def __post_init__(self) -> None:
        if (self.key or self.token) and not (self.is_secure or self.is_local):
            raise ConfigError(f"'{clean_text(self.url)}' is not https: a key is sent over https only")
        if not (self.key.isascii() and self.key.isprintable()):  # an error of the connection would quote it
            raise ConfigError("the app's key has characters that no key has: copy it once more")

    @property
    def is_secure(self) -> bool:
        """Whether nobody on the way can read a request."""
        return urlsplit(self.url).scheme == "https"

    @property
    def is_local(self) -> bool:
        """Whether the app is on this machine, where `func start` and the sandbox ask for no key."""
        return urlsplit(self.url).hostname in THIS_MACHINE

    def headers(self) -> dict[str, str]:
        """The headers that prove it; none over http, but to the sandbox."""
        if not (self.is_secure or (self.is_sandbox and self.is_local)):
            return {}
        key = {KEY_HEADER: self.key} if self.key else {}
        return {**key, "Authorization": f"Bearer {self.token}"} if self.token else key


class AppRefusedError(MleventsError):
    """The app answered with another status than success; `document` is its JSON, empty if it has none."""

    def __init__(self, status: int, text: str, document: Mapping[str, Any]) -> None:
        self.status, self.document = status, document
        super().__init__(text)


class NoAnswerError(MleventsError):
    """The app did not answer as an app does; the cause says why."""


class AppClient:
    """One app. Its methods raise AppRefusedError or NoAnswerError."""

    def __init__(self, access: AppAccess) -> None:
        self.access = access
        # What is on this machine is reached without a proxy.
        proxies = [ProxyHandler({})] if access.is_local else []
        self._opener = build_opener(_NoRedirect(), HTTPSHandler(context=trust_authorities()), *proxies)

    def read(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to GET; parameters without a value are left out."""
        wanted = {name: value for name, value in (query or {}).items() if value not in (None, "")}
        return self.request("GET", f"{path}?{urlencode(wanted)}" if wanted else path)

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The JSON object that answers a request; `path` is below `/api/v1/`."""
        url = f"{self.access.url.rstrip('/')}/api/v1/{path}"
        content = None if body is None else json.dumps(body).encode()
        request = Request(url, content, {"Content-Type": "application/json"}, method=method)
        for name, value in self.access.headers().items():
            request.add_unredirected_header(name, value)
        try:
            with self._opener.open(request, timeout=APP_SECONDS) as answer:
                return _read_object(answer.read())
        except HTTPError as error:
            raise _read_refusal(error) from None
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswerError(clean_text(self.access.url)) from error


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: it may lead to a host that must not get the key."""

    def redirect_request(self, *_: Any) -> None:
        return None


def trust_authorities() -> ssl.SSLContext:
    """The authorities of this machine, and those that the Azure SDKs trust too."""
    context = ssl.create_default_context()
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
        context.load_verify_locations(bundle)
    return context


def _read_object(text: bytes) -> dict[str, Any]:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("the answer is not a JSON object")  # noqa: TRY004 - as all that is unreadable
    return document


def _read_refusal(error: HTTPError) -> AppRefusedError:
    with error:
        text = error.read(_LONGEST_ERROR)
    try:
        document = _read_object(text)
    except ValueError:
        document = {}
    said = document.get("error")
    reason = said if isinstance(said, str) else _REASONS.get(error.code, f"the app answered {error.code}")
    if error.code in range(300, 400):
        reason = f"the app answered {error.code}, a redirect, which is not followed: {_SIGN_IN}"
    return AppRefusedError(error.code, clean_text(reason), document)


_SIGN_IN = "name the app with --app, so that mlevents signs in, or name the address that it leads to"
_REASONS = {
    401: "the app refuses the request (401): set its function key in MLEVENTS_APP_KEY, or name it with --app",
    403: "the app refuses the request (403): you or this key have no access to it",
    404: "this address has no such operation (404): is it an mlevents app, and as new as this command?",
    503: "the app is not running (503): look at its log",
}
"""What the Functions host answers without a body of ours."""
