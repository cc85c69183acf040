"""One HTTP request with its answer: bounded in time and size, to an address that is allowed.

`requests` is used with connections of our own, which connect to the address that was checked. Proxies and
`.netrc` of the environment are not used: with a proxy, nothing could be checked.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from mlevents.errors import PermanentError, TransientError
from mlevents.services.http.address_check import resolve_allowed
from mlevents.services.lazy_import import import_lock

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS, READ_SECONDS, LONGEST_CALL = 10.0, 60.0, 100.0
"""Seconds: to connect, between two pieces of the answer, and in all."""
LONGEST_ANSWER = 1_000_000
"""The most bytes of an answer that are read."""
PIECE = 16_384
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
REPEATED = (307, 308)
"""Redirects that repeat the method and the body."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request: `address` is absolute, `body` is what is sent, `headers` may hold secrets."""

    method: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a service answered; the names of `headers` are in lower case, `address` is who answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    address: str

    @property
    def text(self) -> str:
        """The content as text, whatever its bytes are."""
        return self.content.decode("utf-8-sig", "replace")

    def read_json(self) -> Any:
        """The content as JSON; raises ValueError for anything else."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Sends requests. `allow_private` lets them reach private addresses, and by plain `http://`.

    `certificates` is a file with the certificates to trust, beside the public ones when left out.
    """

    allow_private: bool = False
    certificates: str | None = None
    clock: Callable[[], float] = time.monotonic

    def send(self, call: HttpCall) -> HttpAnswer:
        """The answer to one request, of whatever status; redirects are followed where that is safe.

        Raises PermanentError for an address that must not be called, TransientError when there is no answer.
        """
        self.check_scheme(call.address)
        answer = self._send_once(call)
        for _ in range(MOST_REDIRECTS):
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                return answer
            call = self._follow(call, answer)
            answer = self._send_once(call)
        text = f"{call.address} redirects more than {MOST_REDIRECTS} times: write its last address"
        raise PermanentError(text)

    def check_scheme(self, address: str) -> None:
        """Raise PermanentError for an address that is not https, unless private addresses are allowed."""
        scheme = urlsplit(address).scheme
        if scheme != "https" and not (scheme == "http" and self.allow_private):
            raise PermanentError(f"{address} is not https: write an address that begins with https://")

    def _follow(self, call: HttpCall, answer: HttpAnswer) -> HttpCall:
        """The request to which an answer redirects; one with a body or a secret stays at its origin."""
        target = urljoin(call.address, answer.headers["location"])
        self.check_scheme(target)
        if answer.status not in REPEATED and call.method not in ("GET", "HEAD"):
            text = f"{call.address} redirects a {call.method} to {target}: write that address"
            raise PermanentError(text)
        if _origin(target) != _origin(call.address):
            text = f"{call.address} redirects to another host, {target}: write that address in the connection"
            raise PermanentError(text)
        return HttpCall(call.method, target, call.headers, call.body)

    def _send_once(self, call: HttpCall) -> HttpAnswer:
        place, began = _place(call.address), self.clock()
        with translate_http_errors(place), self._session() as session:
            options: dict[str, Any] = {"allow_redirects": False, "stream": True}
            with session.request(
                call.method,
                call.address,
                headers=dict(call.headers),
                data=call.body,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                **options,
            ) as response:
                content = self._read(place, response, began)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpAnswer(response.status_code, headers, content, call.address)

    def _read(self, place: str, response: requests.Response, began: float) -> bytes:
        content = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=True):
            content += piece
            if len(content) > LONGEST_ANSWER:
                limit = f"{LONGEST_ANSWER} bytes"
                raise PermanentError(f"{place}: the answer is longer than {limit}: request less")
            if self.clock() - began > LONGEST_CALL:
                raise TransientError(f"{place}: the answer took longer than {LONGEST_CALL:g} s")
        return bytes(content)

    def _session(self) -> requests.Session:
        with import_lock():
            import requests

            from mlevents.services.http.checked_connection import make_checked_adapter

        session = requests.Session()
        session.trust_env = False
        session.verify = self.certificates or True
        adapter = make_checked_adapter(partial(resolve_allowed, allow_private=self.allow_private))
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)
        return session


@contextmanager
def translate_http_errors(place: str) -> Iterator[None]:
    """Put this around a request: it raises PermanentError or TransientError instead of the library's errors.

    `place` is the address without its query.
    """
    with import_lock():
        from requests import exceptions

    try:
        yield
    except exceptions.SSLError as error:
        raise PermanentError(f"{place}: its certificate is not accepted: {_reason(error)}") from None
    except (exceptions.InvalidURL, exceptions.InvalidHeader) as error:
        raise PermanentError(f"{place}: the request cannot be sent: {_reason(error)}") from None
    except (exceptions.RequestException, OSError) as error:
        raise TransientError(f"{place} gave no answer: {_reason(error)}") from None


def is_transient(status: int) -> bool:
    """Whether a retry may get another answer than this status."""
    return status in (408, 409, 425, 429) or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _place(address: str) -> str:
    """An address for messages, without its query, which may hold a secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _reason(error: BaseException) -> str:
    """The innermost reason of an error; its outer texts repeat the address with its query."""
    while (inner := error.__cause__ or error.__context__ or _argument(error)) is not None:
        error = inner
    text = str(error) or type(error).__name__
    return "timed out" if isinstance(error, TimeoutError | socket.timeout) else text[:300]


def _argument(error: BaseException) -> BaseException | None:
    found = getattr(error, "reason", None) or next(iter(error.args), None)
    return found if isinstance(found, BaseException) else None
