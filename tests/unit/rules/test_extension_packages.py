"""Elements in installed packages: found by their entry points, in every command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ELEMENT = """\
from mlevents.actions.action import Action, Done, action


@action("{name}")
class Say(Action):
    text: str

    def perform(self, context, services):
        return Done(self.text)
"""
RULES = """\
version: 1
rules:
  - id: say
    event: model.registered
    on_failure: []
    do: [{uses: say, with: {text: hello}}]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the package `contoso-says` 1.2, as pip installs it, and a rule file that uses it."""
    package, info = tmp_path / "contoso_says", tmp_path / "contoso_says-1.2.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "say.py").write_text(ELEMENT.format(name="say"))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: contoso-says\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[mlevents.extensions]\nsay = contoso_says.say\n")
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlevents", *words],
        cwd=site,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )


def find_faults(site: Path) -> list[str]:
    done = run(site, "check", "--json")
    assert done.returncode == 1, done.stderr
    problems = json.loads(done.stdout)["problems"]
    lines = [f"{one['file']}:{one['line']}: {one['message']}: {one['hint']}" for one in problems]
    return [line.replace(f"{site}/", "") for line in lines]


def test_check_and_schema_know_it(site: Path):
    done = run(site, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"const": "say"' in run(site, "schema").stdout


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1 / 0\n", "contoso_says/say.py:1: {0}ZeroDivisionError: division by zero: correct the extension"),
        (
            ELEMENT.format(name="notify"),
            "contoso_says/say.py:4: {0}two actions are named 'notify', in mlevents.actions.notify.action and "
            "contoso_says/say.py: rename one",
        ),
    ],
)
def test_a_broken_one_is_one_line_that_names_the_package(site: Path, text: str, fault: str):
    (site / "contoso_says" / "say.py").write_text(text)
    assert find_faults(site) == [fault.format("the extension 'say' of the package contoso-says 1.2: ")]


def test_a_module_that_is_not_there_is_one_line(site: Path):
    (site / "contoso_says" / "say.py").unlink()
    (fault,) = find_faults(site)
    assert fault == (
        "contoso_says.say:1: the extension 'say' of the package contoso-says 1.2: "
        "the module 'contoso_says.say' does not exist here: "
        "correct the name, or add its package to requirements.txt and install it"
    )


def test_a_file_beside_the_rules_with_its_name_is_the_one_to_rename(site: Path):
    (site / "extensions").mkdir()
    (site / "extensions" / "own.py").write_text(ELEMENT.format(name="say"))
    (fault,) = find_faults(site)
    assert fault.startswith("extensions/own.py:4: two actions are named 'say', in contoso_says/say.py and ")
