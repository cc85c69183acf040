"""The app's own process: it never outlives the sandbox, and its output is not mixed with the sandbox's."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.host.functions_host import FunctionsHost
from sandbox.options import ROOT
from tests.sandbox.small_sandbox import APPS, gone, on_loop, until


def test_a_host_that_has_not_started_yet_answers_503_to_everything():
    starting = FunctionsHost(APPS / "small", "small_app.py")
    with on_loop() as loop:
        asyncio.run_coroutine_threadsafe(starting.open(), loop).result(10)
        url = f"{starting.url}/runtime/webhooks/eventgrid?functionName=Raw"
        answers = [requests.request(method, url, timeout=5) for method in ("OPTIONS", "POST", "GET")]
        asyncio.run_coroutine_threadsafe(starting.stop(), loop).result(10)
    assert [(one.status_code, one.text) for one in answers] == [(503, "Function host is not running.")] * 3


def up(tmp_path: Path, app: Path = APPS / "plain") -> tuple[subprocess.Popen[str], dict[str, Any]]:
    file, rules = tmp_path / "ready.json", tmp_path / "rules.yaml"
    rules.write_text("version: 1\nrules: []\n")
    command = [sys.executable, "-m", "sandbox", "up", "--port", "0", "--rules", str(rules)]
    command += ["--app", str(app), "--ready-file", str(file)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(file.exists, bool)
    return process, json.loads(file.read_text())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_app_ends_with_the_sandbox_however_that_ends(tmp_path: Path, number: signal.Signals):
    process, ready = up(tmp_path)
    with process:
        pid = requests.get(ready["host"], timeout=5).json()["pid"]
        process.send_signal(number)
        process.communicate(timeout=10)
    until(lambda: gone(pid), bool)
    for name in ("functions", "host", "event_grid"):
        with pytest.raises(requests.ConnectionError):
            requests.get(ready[name], timeout=5)


def test_the_app_waits_as_much_shorter_as_time_passes_faster_and_prints_to_standard_error(tmp_path: Path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "mlevents").symlink_to(ROOT / "mlevents")
    source = (APPS / "plain" / "function_app.py").read_text()
    waits = "from mlevents.services import waiting; waiting.wait(15)"  # a quarter of a second, at 60
    (app / "function_app.py").write_text(source.replace('return "pong"', f'{waits}; return "pong"'))
    process, ready = up(tmp_path, app)
    with process:
        assert requests.get(f"{ready['functions']}/api/ping", timeout=5).text == "pong"
        process.terminate()
        out, errors = process.communicate(timeout=10)
    assert ("ping was called" in errors, "ping was called" in out) == (True, False)
