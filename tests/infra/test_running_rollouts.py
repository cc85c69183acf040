"""Before a release the hook names the rollouts that run, by the app's own answer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.infra.deployment_project import OUTPUTS, Azure

STEP = {"id": "deploy", "uses": "deploy_model", "status": "running", "detail": "10 %"}
ROLLOUT = {"id": "rule.1", "status": "running", "event": {"subject": "models/net:9"}, "steps": [STEP]}


class App(BaseHTTPRequestHandler):
    """An app of one response, for whoever has its key."""

    found: list[dict[str, Any]]

    def do_GET(self) -> None:
        known = self.headers["x-functions-key"] == "the-key"
        found = self.found if "status=running" in self.path else []
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"responses": found, "continuation": None}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def serving(*responses: dict[str, Any]) -> Iterator[str]:
    kind = type("AppOfOne", (App,), {"found": list(responses)})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def url() -> Iterator[str]:
    yield from serving(ROLLOUT)


@pytest.fixture
def idle() -> Iterator[str]:
    yield from serving()


def words(azure: Azure) -> str:
    return json.dumps([one["words"] for one in azure.state["calls"]])


def test_a_rollout_that_runs_is_named_and_stops_nothing(azure: Azure, url: str) -> None:
    done = azure.step("predeploy", **OUTPUTS | {"MLEVENTS_URL": url})
    assert done.returncode == 0, done.stderr
    assert "rule.1: models/net:9: 10 %" in done.stdout
    assert "these rollouts continue with the new code" in done.stderr
    assert "the-key" not in words(azure) + done.stdout + done.stderr


def test_without_a_rollout_nothing_is_said(azure: Azure, idle: str) -> None:
    done = azure.step("predeploy", **OUTPUTS | {"MLEVENTS_URL": idle})
    assert (done.returncode, "rollouts" in done.stderr) == (0, False)


def test_an_app_that_does_not_answer_stops_no_release(azure: Azure) -> None:
    done = azure.step("predeploy", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    assert "did not list its running rollouts" in done.stderr


def test_a_first_release_asks_nothing(azure: Azure) -> None:
    azure.set(functions=[])
    assert azure.step("predeploy", **OUTPUTS).returncode == 0
    assert azure.calls("functionapp keys list") == []
