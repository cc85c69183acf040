"""Commands find the running sandbox by its ready file."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from mlevents.commands.running_sandbox import READY_FILE, find_sandbox


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def write(file: Path, **ready: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(ready))
    return str(file)


def test_the_nearest_ready_file_is_found_from_the_current_folder_upwards(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
):
    below = tmp_path / "rules" / "team"
    below.mkdir(parents=True)
    write(tmp_path / READY_FILE, functions=f"http://127.0.0.1:{port}", workspace="far")
    monkeypatch.chdir(below)
    assert find_sandbox(None)["workspace"] == "far"
    write(tmp_path / "rules" / READY_FILE, functions=f"http://127.0.0.1:{port}", workspace="near")
    assert find_sandbox(None)["workspace"] == "near"


def test_a_named_ready_file_comes_first(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / READY_FILE, functions=f"http://127.0.0.1:{port}", workspace="here")
    named = write(tmp_path / "other.json", functions=f"http://127.0.0.1:{port}", workspace="named")
    monkeypatch.chdir(tmp_path)
    assert find_sandbox(named)["workspace"] == "named"


def test_a_sandbox_that_has_stopped_or_never_was_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    stopped = write(tmp_path / "stopped.json", functions=f"http://127.0.0.1:{free}")
    strange = write(tmp_path / "strange.json", rules="none")
    monkeypatch.chdir(tmp_path)
    for path, fact in (
        (None, "no sandbox is running here"),
        (stopped, "has stopped"),
        (strange, "is not the ready file of a sandbox"),
        (str(tmp_path / "none.json"), "cannot be read (No such file or directory)"),
    ):
        with pytest.raises(typer.Exit) as exit_:
            find_sandbox(path)
        printed = capsys.readouterr().err
        assert exit_.value.exit_code == 2
        assert fact in printed
        assert "mlevents up" in printed
