"""The demo shows what happens in 80 columns, and says when a scene did not end as expected."""

import os
import subprocess
import sys

import pytest
from rich.cells import cell_len

from sandbox.demo import demo
from sandbox.demo.scene import Scene
from sandbox.sandbox_process import ROOT, Stage

LONG = "quarantined: eventType: 7 is not text: every event needs eventType or type as text; " * 2


class Inbox(Stage):
    """A sandbox with nothing but an inbox that fills later."""

    def __init__(self, *looks: list[dict[str, str]]) -> None:
        self.looks = list(looks)

    def inbox(self) -> list[dict[str, str]]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def deliver(self, *_: object, **__: str) -> object:  # type: ignore[override]
        return None

    def settled(self, *_: object, **__: str) -> list[dict[str, object]]:  # type: ignore[override]
        return [{"status": "quarantined", "because": "no type", "rule": None, "steps": []}]


def test_the_message_about_the_quarantine_may_come_after_the_response() -> None:
    scene = demo.quarantine_event(Inbox([], [], [{"subject": "An event is in quarantine"}]))
    assert scene.right, scene.outcome


def test_a_scene_fits_into_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    demo.print_scene(Scene("Model fraud-net:7 is registered [twice]", "deploy", f"{LONG}\nsecond", True), 1.5)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert lines[:2] == ["✓ Model fraud-net:7 is registered [twice] (1.5 s)", "    rule deploy"]


def test_a_scene_is_printed_into_a_pipe_that_lacks_its_characters() -> None:
    code = "from sandbox.demo.demo import print_scene; from sandbox.demo.scene import Scene; "
    code += "print_scene(Scene('a model', 'deploy', 'done → 50 %', True), 1.5)"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert (done.returncode, rb"\u2713 a model" in done.stdout) == (0, True), done.stderr.decode()


def test_nothing_of_the_users_leads_it_to_the_real_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZUREML_CURRENT_CLOUD", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    ready = {"workspace": "w", "identity": "http://i", "ca": "ca.pem", "arm": "https://127.0.0.1:1"}
    demo.use_sandbox(Stage(ready))
    assert "mine" not in os.environ.values()
    assert os.environ["MLEVENTS_RESOURCE_MANAGER"] == "https://127.0.0.1:1"
