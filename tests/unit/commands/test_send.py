"""`send` delivers as Event Grid does, to a server that notes what came."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from mlevents.commands.operator.send import WEBHOOK, build_request, find_webhook
from mlevents.errors import ConfigError


class FunctionServer(HTTPServer):
    """A function on a free port, and what it received: content type, kind of event, body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Function)
        self.received: list[tuple[str | None, str | None, Any]] = []
        self.keys: list[str | None] = []


class Function(BaseHTTPRequestHandler):
    """Accepts what has an id."""

    server: FunctionServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.headers["Content-Type"], self.headers["aeg-event-type"], body))
        self.server.keys.append(self.headers["x-functions-key"])
        event = body[0] if isinstance(body, list) else body
        self.send_response(202 if "id" in event else 500)
        self.end_headers()
        self.wfile.write(b"" if "id" in event else b"no id")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def function() -> Iterator[FunctionServer]:
    """A server at a port of its own, which stops with the test."""
    with FunctionServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def send(server: HTTPServer, events: object) -> tuple[int, list[dict[str, object]]]:
    to = f"http://127.0.0.1:{server.server_port}/runtime/webhooks/eventgrid?functionName=ModelRegistered"
    result = CliRunner().invoke(build_app(), ["send", "-", "--url", to, "--json"], input=json.dumps(events))
    return result.exit_code, json.loads(result.stdout)["deliveries"]


def test_each_event_is_a_request_of_its_own_in_its_own_schema(function: FunctionServer):
    grid, cloud = {"id": "1", "eventType": "a"}, {"id": "2", "type": "a", "specversion": "1.0"}
    code, answers = send(function, [grid, cloud])
    assert (code, [answer["status"] for answer in answers]) == (0, [202, 202])
    assert function.received == [
        ("application/json; charset=utf-8", "Notification", [grid]),
        ("application/cloudevents+json; charset=utf-8", "Notification", cloud),
    ]


def test_without_an_address_events_go_to_the_sandbox_that_runs_here(
    function: FunctionServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".mlevents").mkdir()
    ready = tmp_path / ".mlevents" / "ready.json"
    ready.write_text(json.dumps({"functions": f"http://127.0.0.1:{function.server_port}"}))
    monkeypatch.chdir(tmp_path)
    event = json.dumps({"id": "1", "eventType": "Microsoft.X.RunCompleted"})
    assert CliRunner().invoke(build_app(), ["send", "-"], input=event).exit_code == 0
    assert [body[0]["id"] for _, _, body in function.received] == ["1"]
    twice = ["send", "-", "--url", "http://127.0.0.1:1", "--ready-file", str(ready)]
    result = CliRunner().invoke(build_app(), twice, input=event)
    assert (result.exit_code, "more than once" in result.output) == (2, True)


def test_the_key_is_in_a_header_and_never_in_the_address():
    made = build_request({"id": "1", "eventType": "a"}, "https://app.example.com/x", "a-key")
    assert made.get_header("X-functions-key") == "a-key"
    assert "a-key" not in made.full_url
    assert not build_request({"id": "1"}, "https://app.example.com/x").has_header("X-functions-key")


@pytest.mark.parametrize("to", ["http://app.example.com/x", "http://127.0.0.1.example.com/x"])
def test_a_key_is_refused_where_others_could_read_it(to: str):
    with pytest.raises(ConfigError, match=f"'{to}' is not https: a key is sent over https only"):
        build_request({"id": "1"}, to, "a-key")


@pytest.mark.parametrize("to", ["HTTPS://app.example.com/x", "http://localhost:7071", "http://[::1]:7071"])
def test_a_key_is_sent_where_nobody_else_can_read_it(to: str):
    assert build_request({"id": "1"}, to, "a-key").has_header("X-functions-key")


@pytest.mark.parametrize(("variable", "key"), [("", "of-the-file"), ("of-the-variable", "of-the-variable")])
def test_the_key_for_an_address_is_also_read_from_the_local_settings(
    function: FunctionServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, key: str
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_KEY", raising=False)
    if variable:
        monkeypatch.setenv("MLEVENTS_KEY", variable)
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {"MLEVENTS_KEY": "of-the-file"}}))
    assert send(function, {"id": "1", "eventType": "a"})[0] == 0
    assert function.keys == [key]


def test_an_event_that_is_not_accepted_is_told(function: FunctionServer):
    code, [answer] = send(function, {"eventType": "a"})
    assert (code, answer) == (1, {"id": None, "status": 500, "accepted": False, "answer": "no id"})


def test_an_event_without_an_id_and_a_refused_connection_are_said_in_words(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "event.json").write_text('{"eventType": "a"}')
    result = CliRunner().invoke(build_app(), ["send", str(tmp_path / "event.json"), "--url", address])
    assert result.exit_code == 1
    assert result.stdout == "  ✗ an event without an id: no answer: nothing listens at this address\n"


@pytest.mark.parametrize(
    ("to", "event", "url"),
    [
        (
            "http://h:1",
            {"eventType": "Microsoft.X.RunCompleted"},
            f"http://h:1{WEBHOOK}?functionName=RunCompleted",
        ),
        (
            "http://h:1/",
            {"type": "Microsoft.X.ModelDeployed"},
            f"http://h:1{WEBHOOK}?functionName=ModelDeployed",
        ),
        ("http://h:1", [], f"http://h:1{WEBHOOK}?functionName="),
        ("http://h:1/a?functionName=F", {"type": "X.Y"}, "http://h:1/a?functionName=F"),
    ],
)
def test_a_host_that_is_only_named_gets_each_event_at_its_own_function(to, event, url):
    assert find_webhook(to, event) == url


@pytest.mark.parametrize("to", ["ftp://f?code={}", "http://127.0.0.1:1/x?code={}", "http://a b/?code={}"])
def test_a_key_in_the_address_is_not_printed(to: str):
    key = "k" + "3y" * 12
    result = CliRunner().invoke(build_app(), ["send", "-", "--to", to.format(key)], input='{"id": "1"}')
    assert result.exit_code != 0
    assert key not in f"{result.output} {result.exception!r}"
