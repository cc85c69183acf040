"""Small servers on loopback in the place of Azure, for tests that let the real SDKs speak over TLS."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from mlevents.actions.action import StepContext
from mlevents.events import Event
from mlevents.services.services import Services
from mlevents.settings import Settings

WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `drop` breaks the connection instead, `raw` is a body that need not be JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    raw: bytes | None = None


class Server:
    """An HTTP server that answers by a function and remembers what it was asked."""

    def __init__(self, answer: Callable[[Request], Answer], context: ssl.SSLContext | None) -> None:
        self.requests: list[Request] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, self.requests))
        if context:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._http.server_port}"

    @contextmanager
    def serving(self) -> Iterator["Server"]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            thread.join()
            self._http.server_close()


def _handler(answer: Callable[[Request], Answer], seen: list[Request]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, self.headers, self.rfile.read(length))
            seen.append(request)
            given = answer(request)
            self.close_connection = True
            if given.drop:
                return
            body = b"" if given.body is None else json.dumps(given.body).encode()
            body = body if given.raw is None else given.raw
            self.send_response_only(given.status)
            usual = {"Date": self.date_time_string(), "Content-Type": "application/json"}
            for name, value in {**usual, **given.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815 - the names that http.server asks for

        def log_message(self, *_: object) -> None:
            """Nothing: the tests read `requests`."""

    return Handler


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: `ca` is the file to trust it by, `context` serves 127.0.0.1."""

    ca: Path
    context: ssl.SSLContext


def authority(folder: Path) -> Authority:
    issuer, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    issuer.cert_pem.write_to_path(str(folder / "ca.pem"))
    return Authority(folder / "ca.pem", context)


def identity(request: Request) -> Answer:
    """The App Service form of managed identity."""
    token = {"access_token": "t0ken", "expires_on": str(int(time.time()) + 86_400), "token_type": "Bearer"}
    return Answer(body={**token, "resource": "any"})


def step(names: Mapping[str, Any] | None = None, **changes: Any) -> StepContext:
    """A step's context with an event of these names."""
    event = Event(
        "e1", "run.status_changed", (), "2026-01-02T03:04:05Z", "experiments/x", WORKSPACE, names or {}
    )
    known: dict[str, Any] = {"event": {"id": event.id, "time": event.time, "subject": event.subject}}
    fields = {"id": "rule-1.abc", "rule": "rule-1", "step": "s", "key": "mlevents-k", "event": event}
    return StepContext(**{**fields, "names": known | dict(names or {}), **changes})


def services(connections: Mapping[str, Any], manager: str = "", **environment: str) -> Services:
    """Services that know these connections and app settings."""
    address, here = manager or "https://management.azure.com", frozenset(("127.0.0.1",))
    settings = Settings(resource_manager=address, environment=environment, private_hosts=here)
    return Services(settings, connections)
