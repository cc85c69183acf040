"""The example of docs/extensions.md in the sandbox: own elements and a message template, without a fork."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from sandbox.azure.resource_manager import ResourceManager
from sandbox.sandbox_process import ROOT, Stage, until, wait_until_ready

EXAMPLE = ROOT / "docs/examples/own-elements"


class TicketServer(HTTPServer):
    """A ticket system: the tickets by their keys."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tickets)
        self.tickets: dict[str, str] = {}


class _Tickets(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, TicketServer)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tickets[self.headers["Idempotency-Key"]] = body["title"]
        answer = json.dumps({"number": 17}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def tickets() -> Iterator[TicketServer]:
    with TicketServer() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example for the sandbox's workspace, with no quiet day today or tomorrow."""
    folder = tmp_path_factory.mktemp("projects") / "own"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "rules.yaml").read_text()
    line = next(one for one in text.splitlines() if one.startswith("  prod: "))
    day = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
    text = text.replace(line, f"  prod: {ResourceManager.workspace_id}").replace("[sat, sun]", f"[{day}]")
    (folder / "rules.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def stage(folder: Path, tickets: TicketServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    ready = tmp_path_factory.mktemp("ready") / "ready.json"
    options = ("--port", "0", "--speed", "60", "--ready-file", str(ready), "--real", "TICKETS_URL")
    command = [sys.executable, "-m", "sandbox", "up", *options, "--rules", str(folder / "rules.yaml")]
    variables = {**os.environ, "TICKETS_URL": f"http://127.0.0.1:{tickets.server_port}"}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL) as process:
        try:
            yield Stage(wait_until_ready(ready, process), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)


def registered(name: str, notes: str) -> dict[str, Any]:
    return {
        "id": f"registered-{name}",
        "topic": ResourceManager.workspace_id,
        "subject": f"models/{name}:3",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": datetime.now(UTC).isoformat(),
        "data": {"modelName": name, "modelVersion": "3", "modelTags": {"notes": notes, "owner": "Ann"}},
        "dataVersion": "2",
    }


def health(stage: Stage) -> int:
    return requests.get(f"{stage.ready['functions']}/api/v1/health", timeout=30).status_code


def test_an_event_leads_to_a_ticket_and_a_message(stage: Stage, tickets: TicketServer):
    stage.publish(registered("churn", "an URGENT fix"), registered("calm", "no urgency"))
    [done] = stage.settled(event_id="registered-churn")
    assert (done["status"], done["rule"]) == ("done", "review-urgent-models")
    assert list(tickets.tickets.values()) == ["Review churn:3"]
    [message] = until(stage.inbox, 20, lambda: "no message")
    assert "Ticket 17 for churn:3" in json.dumps(message)
    assert re.search(r"Notes: +an URGENT fix", json.dumps(message))
    assert "https://ml.azure.com/model/churn:3/details?wsid=" in json.dumps(message)
    assert f"{stage.ready['functions']}/api/console/responses/{done['id']}" in json.dumps(message)


def test_a_broken_one_makes_the_app_refuse_events_until_it_is_corrected(stage: Stage, folder: Path):
    file = folder / "extensions" / "has_word.py"
    text = file.read_text()
    assert health(stage) == 200
    stage.kill()
    file.write_text("1 / 0\n" + text)
    stage.start()
    assert health(stage) == 503
    details = requests.get(f"{stage.ready['functions']}/api/health/details", timeout=30).json()
    assert details["problems"] == [f"{file}:1:1: ZeroDivisionError: division by zero: correct the extension"]
    assert stage.deliver("ModelRegistered", registered("late", "urgent")).status_code >= 500
    stage.kill()
    file.write_text(text)
    stage.start()
    assert health(stage) == 200
    assert stage.deliver("ModelRegistered", registered("late", "urgent")).ok
    [done] = stage.settled(event_id="registered-late")
    assert done["status"] == "done"
