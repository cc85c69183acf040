"""`mlevents up` and `mlevents env`, as a user starts them in a folder of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import typer

from mlevents.commands.env import Shell, list_variables
from mlevents.commands.running_sandbox import READY_FILE
from mlevents.commands.sandbox_process import require_sandbox
from sandbox.sandbox_process import ROOT, Stage, until

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONUNBUFFERED": "1"}
for name in ("MLEVENTS_RULES", "MLEVENTS_ENV", "TEAMS_WORKFLOW_URL"):
    ENVIRONMENT.pop(name, None)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlevents", *arguments]
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, text=True, capture_output=True, timeout=60, check=False
    )


def heed_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class RunningCommand:
    """`mlevents up` in a folder; `output` is what it has printed so far."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._log = folder / "up.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlevents", "up", "--port", "0", "--speed", "600", *options],
                cwd=folder,
                env=ENVIRONMENT,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=heed_interrupts,  # noqa: PLW1509 - the test starts no threads before
            )
        self.ready_file = folder / READY_FILE
        self.wait_for("Ctrl-C stops it")
        self.stage = Stage(self.read_ready())

    @property
    def output(self) -> str:
        return self._log.read_text()

    def read_ready(self) -> dict[str, Any]:
        return json.loads(self.ready_file.read_text())

    def wait_for(self, text: str, times: int = 1) -> None:
        def found() -> bool:
            assert self.process.poll() is None, self.output
            return self.output.count(text) >= times

        until(found, 60, lambda: f"no {text!r} in: {self.output}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("up") / "project"
    assert run("init", str(folder), folder=folder.parent).returncode == 0
    return folder


@pytest.fixture(scope="module")
def running(project: Path) -> Iterator[RunningCommand]:
    found = RunningCommand(project)
    try:
        yield found
    finally:
        found.stop()


def is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def test_the_rules_of_a_new_project_run(running: RunningCommand):
    running.stage.register("churn-eu", "1", {"release": "yes"})
    [response] = running.stage.settled()
    assert (response["rule"], response["status"]) == ("deploy-released-models", "done")
    assert [one["via"] for one in running.stage.inbox()] == ["webhook"]


def test_what_it_prints_fits_a_terminal_and_names_the_settings_in_one_line(running: RunningCommand):
    lines = running.output.splitlines()
    assert [line for line in lines if "TEAMS_WORKFLOW_URL" in line] == [
        "Set to the sandbox's inbox: TEAMS_WORKFLOW_URL. `--real NAME` uses your own receiver."
    ]


def test_a_second_one_in_the_same_folder_says_so(running: RunningCommand):
    second = run("up", "--port", "0", folder=running.folder)
    assert second.returncode == 2
    assert "`mlevents up` already runs in this folder" in second.stderr
    assert is_up(running.stage.ready["functions"])


def test_env_makes_the_doctor_check_the_sandbox(running: RunningCommand):
    below = running.folder / "extensions"
    script = 'eval "$("$0" -m mlevents env --shell bash)" && exec "$0" -m mlevents doctor --json'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable],
        cwd=below,
        env={**ENVIRONMENT, "AZURE_CLIENT_ID": "not the sandbox", "NO_PROXY": "corp.example"},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    findings = json.loads(done.stdout)["findings"]
    assert "owner@example.com" in findings[0]["said"]
    assert len([one for one in findings if one["ok"]]) >= 5


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        (Shell.BASH, "export IDENTITY_HEADER='owner'"),
        (Shell.POWERSHELL, "$env:IDENTITY_HEADER = 'owner'"),
        (Shell.FISH, "set -gx IDENTITY_HEADER 'owner'"),
    ],
)
def test_env_speaks_the_language_of_the_shell(running: RunningCommand, shell: Shell, line: str):
    assert line in run("env", "--shell", shell, folder=running.folder).stdout.splitlines()


def test_env_as_json_has_the_same_variables(running: RunningCommand):
    document = json.loads(run("env", "--json", folder=running.folder).stdout)
    assert document == {"set": list_variables(running.read_ready(), ENVIRONMENT), "unset": []}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(tmp_path: Path, number: signal.Signals):
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
    found = RunningCommand(tmp_path)
    ready = found.read_ready()
    assert found.stop(number) == 0
    assert not found.ready_file.exists()
    assert not Path(ready["ca"]).exists()
    assert not is_up(ready["functions"])
    assert "Traceback" not in found.output


def test_the_sandbox_ends_when_its_command_is_killed(tmp_path: Path):
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
    found = RunningCommand(tmp_path)
    ready = found.read_ready()
    found.stop(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while is_up(ready["functions"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_folder_without_rules_is_a_usage_error(tmp_path: Path):
    done = run("up", "--port", "0", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "rules.yaml: this rule file does not exist" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_that_is_not_installed_is_one_line(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(typer.Exit) as exit_:
        require_sandbox(["a_package_that_is_not_there"])
    assert exit_.value.exit_code == 2
    assert capsys.readouterr().err == (
        "Error: the sandbox is not installed: run `pip install 'mlevents[sandbox]'`\n"
    )
