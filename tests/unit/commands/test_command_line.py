"""The command itself: its version, its completion, and the rule file as an argument."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app

ROOT = Path(__file__).resolve().parents[3]
RULES = """\
version: 1
connections: {team: {type: apprise, url: {setting: HOOK}}}
rules:
  - {id: one, event: model.registered, do: [{uses: notify, with: {to: team, template: model-deployed}}]}
"""


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(build_app(), words, env={"MLEVENTS_RULES": None, **environment})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(RULES)
    return tmp_path


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"mlevents {project['version']}\n")


@pytest.mark.parametrize(("typed", "offered"), [("mlevents che", "check"), ("mlevents check --js", "--json")])
def test_the_shell_completes_commands_and_options(typed: str, offered: str):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        [sys.executable, "-m", "mlevents"],
        env=os.environ | words | {"_MLEVENTS_COMPLETE": "complete_bash", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [offered]


@pytest.mark.parametrize("command", ["check", "filters"])
def test_the_rule_file_is_an_argument(command: str):
    named, optional = run(command, "mine.yaml"), run(command, "--rules", "mine.yaml")
    assert named.exit_code == 0, named.output
    assert named.stdout == optional.stdout


def test_doctor_takes_it_too():
    assert run("doctor", "mine.yaml", "--needs").exit_code == 0


def test_the_argument_overrides_the_setting():
    assert run("check", "mine.yaml", MLEVENTS_RULES="other.yaml").exit_code == 0


def test_the_same_file_may_be_named_twice():
    assert run("check", "mine.yaml", "--rules", "mine.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "mine.yaml", "--rules", "other.yaml"], "name them once"),
        (["check", "missing.yaml"], "missing.yaml: this rule file does not exist"),
        (["check", "mine.yaml", "other.yaml"], "other.yaml"),
        (["chekc"], "chekc"),
        (["check", "--jsn"], "--jsn"),
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], said: str):
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.stderr
