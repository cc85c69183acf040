"""`hold` and `release` ask the addresses of the API, and say what they led to."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from mlevents.commands.operator.hold import describe_hold_change

HOLD = {"rule": "deploy", "by": "Ann", "reason": "freeze", "since": "2026-03-02T09:00:00Z", "waiting": 2}


class HoldServer(HTTPServer):
    """An app on a free port, and what it was asked: method, path, body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HoldHandler)
        self.asked: list[tuple[str, str, Any]] = []


class HoldHandler(BaseHTTPRequestHandler):
    """Holds the rule `deploy` alone."""

    server: HoldServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.command, self.path, body))
        is_unknown = "unknown" in self.path
        answer: dict[str, Any] = {"rule": "deploy", "hold": HOLD, "waiting": 2, "changed": True}
        self.send_response(404 if is_unknown else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"error": "no rule has this id"} if is_unknown else answer).encode())

    def do_DELETE(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def app() -> Iterator[HoldServer]:
    with HoldServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("words", "method", "path"),
    [
        (["hold", "deploy"], "POST", "/api/v1/rules/deploy/hold"),
        (["hold"], "POST", "/api/v1/holds"),
        (["release", "deploy"], "POST", "/api/v1/rules/deploy/release"),
        (["release"], "DELETE", "/api/v1/holds"),
    ],
)
def test_a_command_asks_its_address(app, words, method, path):
    url = f"http://127.0.0.1:{app.server_port}"
    done = CliRunner().invoke(build_app(), [*words, "--reason", "freeze", "--url", url, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["hold"] == HOLD
    assert app.asked == [(method, path, {"reason": "freeze"})]


def test_a_rule_that_is_unknown_is_refused(app):
    url = f"http://127.0.0.1:{app.server_port}"
    done = CliRunner().invoke(build_app(), ["hold", "unknown", "--reason", "x", "--url", url])
    assert (done.exit_code, done.stderr) == (1, "Error: no rule has this id\n")


def test_a_hold_needs_a_reason(app):
    assert CliRunner().invoke(build_app(), ["hold", "deploy"]).exit_code == 2


@pytest.mark.parametrize(
    ("rule", "hold", "changed", "line"),
    [
        ("deploy", HOLD, True, "deploy: held by Ann: freeze; waiting responses: 2"),
        (None, HOLD, False, "all rules: held already by Ann: freeze; waiting responses: 2"),
        ("deploy", None, True, "deploy: released"),
        (None, None, False, "all rules: was not held"),
    ],
)
def test_the_change_is_one_line(rule, hold, changed, line):
    answer = {"rule": rule, "hold": hold, "waiting": 2, "changed": changed}
    assert describe_hold_change(answer) == line
