"""Progress bars: on standard error of a terminal only, and never in the way of a text."""

import json
from pathlib import Path

import pytest

from mlevents.__main__ import build_app
from mlevents.commands.command import print_line
from mlevents.commands.progress_bar import FEW, track_items

ERASED = "\x1b[2K"
"""What erases a line."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
    (tmp_path / "events").mkdir()
    for number in range(FEW + 5):
        event = {"id": str(number), "eventType": "Contoso.Sale", "subject": "s", "topic": "t", "data": {}}
        (tmp_path / "events" / f"{number:02}.json").write_text(json.dumps(event))
    for name in ("MLEVENTS_RULES", "MLEVENTS_ENV", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich takes any output for a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        build_app()(list(words), prog_name="mlevents")
    return (int(end.value.code or 0), *capsys.readouterr())


COMMANDS = [("backtest", "events"), ("explain", "events"), ("diff", "rules.yaml", "--events", "events")]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_terminal_sees_how_far_a_command_is(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]):
    code, stdout, stderr = run(capsys, *words)
    assert code == 0
    assert f"{FEW + 5}/{FEW + 5}" in stderr
    assert "reading events" not in stdout
    assert stderr.rstrip("\r\n").endswith(ERASED), "nothing of the bar stays"


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_pipe_gets_no_bar(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]):
    assert run(capsys, *words)[2] == ""


@pytest.mark.usefixtures("terminal")
def test_an_error_is_printed_after_the_bar_is_gone(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "events" / "10.json").write_text("{")
    code, _, stderr = run(capsys, "backtest", "events")
    assert code == 1
    assert "reading events" in stderr
    assert ERASED not in stderr.partition("Error:")[2]


@pytest.mark.usefixtures("terminal")
def test_the_bar_comes_back_after_a_text(capsys: pytest.CaptureFixture[str]):
    for number in track_items(range(3), "counting", 3, few=0):
        print_line(f"number {number}")
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["number 0", "number 1", "number 2"]
    assert all(f"{number}/3" in printed.err for number in range(4))


@pytest.mark.usefixtures("terminal")
def test_few_items_need_no_bar(capsys: pytest.CaptureFixture[str]):
    assert list(track_items(range(FEW), "counting", FEW)) == list(range(FEW))
    assert capsys.readouterr().err == ""
