"""What all commands have in common on a terminal and in a pipe; the registry has their names."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from rich.cells import cell_len

from mlevents.__main__ import build_app
from mlevents.commands.command import command
from mlevents.rules.extensions import use_extensions

ROOT = Path(__file__).resolve().parents[3]
NAMES = sorted(command.names())
RULES = "version: 1\nrules: []\n"
BROKEN = "version: 1\nrulez: []\nrules: [{id: one, event: model.registred, do: [{uses: notfy}]}]\n"
TERMINAL = {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}
"""Rich takes any output for a terminal."""
VALUES = {"to": "http://127.0.0.1:1", "rps": "1", "name": "no name"}
"""Values of required parameters; any other one is the name of a file that does not exist."""
SERVES = {"up": "starts with a broken rule file too, and waits for its correction"}
ONLY_PROMPTS: dict[str, str] = {}
"""The commands without --json, and why."""
ENDING = [name for name in NAMES if name not in SERVES]
CLOSED_PIPE = """
import os, sys
from mlevents.__main__ import build_app, main

build_app()  # its imports, once for all
reading, writing = os.pipe()
os.close(reading)
for words in [line.split() for line in sys.stdin]:
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        sys.argv = ["mlevents", *words]
        main()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(2, f"{' '.join(words)} ended with {code}\\n".encode())
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for name in ("MLEVENTS_RULES", "MLEVENTS_ENV", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "good.yaml").write_text(RULES)
    (tmp_path / "broken.yaml").write_text(BROKEN)
    (tmp_path / "empty").mkdir()
    yield tmp_path
    use_extensions(ROOT / "nowhere" / "rules.yaml")


def write_line(name: str) -> list[str]:
    """A command with what it requires."""
    words = [name]
    for one in typer.main.get_command(build_app()).commands[name].params:  # type: ignore[attr-defined]
        if one.required:
            value = VALUES.get(one.name, "missing.json")
            words += [value] if one.param_type_name == "argument" else [one.opts[0], value]
    return words


@dataclass(frozen=True)
class Ended:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("Error: ")]


type Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command as the program does, with an environment."""

    def run_command(*words: str, **environment: str) -> Ended:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as end:
                build_app()(list(words), prog_name="mlevents")
        done = Ended(end.value.code, *capsys.readouterr())  # type: ignore[arg-type]
        assert done.exit_code in (0, 1, 2), done
        assert "Traceback" not in done.stderr
        assert "a fault in mlevents" not in done.stderr
        return done

    return run_command


@pytest.mark.parametrize("name", NAMES)
def test_each_command_prints_json_or_has_a_reason(run: Run, name: str):
    done = run(name, "--help")
    assert ("--json" in done.stdout) != (name in ONLY_PROMPTS)


@pytest.mark.parametrize("rules", ["missing.yaml", "broken.yaml", "good.yaml/inside", "empty"])
@pytest.mark.parametrize("name", ENDING)
def test_rules_that_cannot_be_used_are_one_error_and_one_document(run: Run, name: str, rules: str):
    done = run(*write_line(name), "--json", MLEVENTS_RULES=rules)
    document = json.loads(done.stdout)
    if errors := done.errors:
        assert errors == [f"Error: {line}" for line in document["error"].splitlines()]
        assert done.exit_code
    elif done.exit_code:
        assert name == "check"
        assert document["problems"]


@pytest.mark.parametrize("name", ENDING)
def test_a_broken_extension_is_one_problem(run: Run, name: str, folder: Path):
    (folder / "extensions").mkdir()
    (folder / "extensions" / "own.py").write_text("import this_is_missing\n")
    done = run(*write_line(name), MLEVENTS_RULES="good.yaml")
    assert done.stderr.count("extensions/own.py:1:") <= 1
    assert sum("own.py" in line for line in (done.stdout + done.stderr).splitlines()) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_option_is_one_line_and_2(run: Run, name: str):
    done = run(name, "--no-such-option")
    [line] = done.stderr.splitlines()
    assert (done.exit_code, done.stdout) == (2, "")
    assert line.startswith("Error: No such option: --no-such-option")
    assert line.endswith(f"See `mlevents {name} --help`")


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("name", ["", *NAMES])
def test_help_fits_the_width(run: Run, name: str, width: int):
    done = run(*name.split(), "--help", COLUMNS=str(width))
    assert max(map(cell_len, done.stdout.splitlines())) <= width


@pytest.mark.parametrize("name", ENDING)
def test_messages_fit_a_narrow_terminal_without_broken_words(run: Run, name: str):
    done = run(*write_line(name), MLEVENTS_RULES="broken.yaml", **TERMINAL, COLUMNS="60")
    lines = [line for line in done.stderr.splitlines() if " | " not in line]
    assert all(cell_len(line) <= 60 or " " not in line.strip() for line in lines)
    piped = run(*write_line(name), MLEVENTS_RULES="broken.yaml", COLUMNS="60")
    assert {word for line in lines for word in line.split()} <= set(piped.stderr.split())


@pytest.mark.parametrize("name", ENDING)
def test_no_color_means_no_escape_codes(run: Run, name: str):
    done = run(*write_line(name), MLEVENTS_RULES="broken.yaml", **TERMINAL)
    assert "\x1b" not in done.stdout + done.stderr


def test_a_closed_pipe_ends_each_command_silently():
    lines = ["check --help", *(f"{' '.join(write_line(name))} --json" for name in NAMES)]
    done = subprocess.run(
        [sys.executable, "-c", CLOSED_PIPE],
        input="\n".join(lines),
        env={**os.environ, "PYTHONPATH": str(ROOT), "MLEVENTS_RULES": "missing.yaml"},
        capture_output=True,
        text=True,
        check=True,
    )
    ended = [line for line in done.stderr.splitlines() if " ended with " in line]
    assert {line.rpartition(" ")[0] for line in ended} == {f"{line} ended with" for line in lines}
    others = [line for line in done.stderr.splitlines() if line not in ended]
    assert [line for line in others if not line.startswith("Error: ")] == []
