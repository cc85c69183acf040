"""`python -m sandbox up`: addresses, the ready file, refusals and the end."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.host.app_environment import app_environment
from sandbox.options import ROOT
from tests.sandbox.small_sandbox import APPS, small, until

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")
KEYS = ["functions", "event_grid", "arm", "ca", "identity", "inbox", "workspace", "data_factory", "faults"]
KEYS += ["host", "load", "dead_letters", "owner", "console"]
MORE = ["workspaces", "streams", "settings", "inbox_settings", "rules", "env"]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text("version: 1\nrules: []\n")
    return file


def up(*options: str, app: Path = APPS / "plain") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox", "up", "--app", str(app), *options]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_interrupted_and_ends_well(rules: Path, tmp_path: Path, number: signal.Signals):
    file = tmp_path / "new" / "ready.json"
    with up("--port", "0", "--rules", str(rules), "--ready-file", str(file)) as process:
        until(file.exists, bool)
        ready: dict[str, Any] = json.loads(file.read_text())
        health = requests.get(ready["functions"], timeout=5)
        process.send_signal(number)
        out, errors = process.communicate(timeout=10)
    assert list(ready) == [*KEYS, *MORE]
    assert health.status_code == 200
    assert (process.returncode, errors) == (0, "")
    assert all(ready[name] in out for name in KEYS if name != "owner")
    assert not file.exists()
    assert not Path(ready["ca"]).exists()


def test_what_it_proposes_to_try_works(rules: Path, tmp_path: Path):
    file = tmp_path / "ready.json"
    with up("--port", "0", "--rules", str(rules), "--ready-file", str(file)) as process:
        until(file.exists, bool)
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        commands: list[str] = []
        while len(commands) < 4:
            line = next(lines)
            commands += [line.strip()] if line.startswith("  curl") else []
        ran = [subprocess.run(line + " -f", shell=True, check=False, timeout=10) for line in commands[:3]]
        process.terminate()
    assert [one.returncode for one in ran] == [0, 0, 0]


def test_a_taken_port_is_refused_with_the_remedy(rules: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up("--port", str(port), "--rules", str(rules)) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"port {port} is not free" in errors
    assert "--port" in errors
    assert "Traceback" not in errors


def test_a_missing_rule_file_is_refused_by_name(tmp_path: Path):
    with up("--port", "0", "--rules", str(tmp_path / "none.yaml")) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "none.yaml': name yours with --rules" in errors


def test_an_app_that_cannot_be_indexed_says_why(rules: Path, tmp_path: Path):
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp(7, 8, 9)\n"
    )
    with up("--port", "0", "--rules", str(rules), app=tmp_path) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "TypeError" in errors


def test_an_app_without_the_five_functions_is_refused(rules: Path, tmp_path: Path):
    (tmp_path / "function_app.py").write_text("import azure.functions as func\napp = func.FunctionApp()\n")
    with up("--port", "0", "--rules", str(rules), app=tmp_path) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "with 404: cannot find function: '" in errors


def test_the_app_finds_its_settings_and_none_of_them_is_in_this_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AZURE_CLIENT_ID", "somebody")
    before = dict(os.environ)
    with small() as running:
        names = ("IDENTITY_ENDPOINT", "MLEVENTS_RESOURCE_MANAGER", "REQUESTS_CA_BUNDLE", "AZURE_CLIENT_ID")
        found = [running.app.setting(name) for name in names]
        assert "127.0.0.1" in (running.app.setting("NO_PROXY") or "")
        assert dict(os.environ) == before
        ready = running.ready
    assert found == [ready["identity"], ready["arm"], ready["ca"], None]


def test_the_environment_keeps_proxies_away_from_loopback_alone():
    variables = {"NO_PROXY": "example.com", "KEPT": "1", "AZURE_TENANT_ID": "t"}
    assert app_environment(variables, {"NEW": "2", "KEPT": "3"}) == {
        "NO_PROXY": "example.com,127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "NEW": "2",
        "KEPT": "3",
    }
    assert variables == {"NO_PROXY": "example.com", "KEPT": "1", "AZURE_TENANT_ID": "t"}
