"""Requests to an app: its key reaches that app alone, over https, and no message has it."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mlevents.errors import ConfigError
from mlevents.services.app_client import AppAccess, AppClient, AppRefusedError, NoAnswerError
from sandbox.tls import issue

KEY = "the-key-of-the-app"


class AppServer(HTTPServer):
    """An app on a free port: the headers that it received, and how it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), AppHandler)
        self.received: list[dict[str, str]] = []
        self.answer: tuple[int, str, dict[str, str]] = (200, '{"responses": []}', {})


class AppHandler(BaseHTTPRequestHandler):
    """Answers every request alike."""

    server: AppServer

    def do_GET(self) -> None:
        self.server.received.append({name.lower(): value for name, value in self.headers.items()})
        status, text, headers = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve(context: ssl.SSLContext | None = None) -> Iterator[AppServer]:
    with AppServer() as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppServer]:
    """An app over https, whose certificate the Azure SDKs would trust too."""
    certificates = issue(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.ca))
    with serve(certificates.context) as server:
        yield server


def address(server: AppServer, scheme: str = "https") -> str:
    return f"{scheme}://127.0.0.1:{server.server_port}"


def test_the_key_and_the_token_are_headers(secure):
    AppClient(AppAccess(address(secure), KEY, "a.b.c")).read("responses")
    assert secure.received[0]["x-functions-key"] == KEY
    assert secure.received[0]["authorization"] == "Bearer a.b.c"


def test_nothing_secret_is_sent_over_http():
    with serve() as server:
        AppClient(AppAccess(address(server, "http"), KEY, "a.b.c")).read("responses")
        assert not {"x-functions-key", "authorization"} & server.received[0].keys()


def test_a_key_for_another_machine_needs_https():
    with pytest.raises(ConfigError, match="https only"):
        AppAccess("http://mlevents.azurewebsites.net", KEY)
    AppAccess("http://mlevents.azurewebsites.net")


def test_a_redirect_is_not_followed(secure):
    with serve() as other:
        secure.answer = 302, "", {"Location": address(other, "http")}
        with pytest.raises(AppRefusedError, match="302, a redirect"):
            AppClient(AppAccess(address(secure), KEY)).read("responses")
        assert other.received == []


def test_no_message_has_the_key(secure):
    access = AppAccess(address(secure), KEY, "secret-token")
    assert KEY not in repr(access)
    assert "secret-token" not in repr(access)
    secure.answer = 400, json.dumps({"error": "bad"}), {}
    with pytest.raises(AppRefusedError) as refused:
        AppClient(access).read("responses")
    assert KEY not in str(refused.value)
    with pytest.raises(ConfigError) as broken:
        AppAccess(address(secure), f"{KEY}\nX-Other: 1")
    assert KEY not in str(broken.value)


@pytest.mark.parametrize(
    ("status", "text", "says"),
    [
        (400, '{"error": "limit is \'0\'"}', "limit is '0'"),
        (401, "", "MLEVENTS_APP_KEY"),
        (404, "", "is it an mlevents app"),
        (500, "<html>", "the app answered 500"),
        (409, '{"error": "it has ended", "state": "done"}', "it has ended"),
    ],
)
def test_a_refusal_says_why(status, text, says):
    with serve() as server:
        server.answer = status, text, {}
        with pytest.raises(AppRefusedError) as refused:
            AppClient(AppAccess(address(server, "http"))).read("responses")
    assert says in str(refused.value)
    assert refused.value.status == status


@pytest.mark.parametrize("text", ["<html>a proxy</html>", "[]", ""])
def test_an_answer_that_is_no_object_is_none(text):
    with serve() as server:
        server.answer = 200, text, {}
        with pytest.raises(NoAnswerError):
            AppClient(AppAccess(address(server, "http"))).read("responses")


def test_parameters_without_a_value_are_left_out():
    class Recorder(AppClient):
        def request(self, method, path, body=None):
            return {"path": path}

    client = Recorder(AppAccess("http://127.0.0.1:1"))
    assert client.read("responses", {"rule": "a b", "status": "", "since": None})["path"] == (
        "responses?rule=a+b"
    )
