"""The README: its rule is a whole file, and its picture is what the demo prints."""

import os
import re
import subprocess
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from sandbox.demo.picture import PICTURE
from sandbox.sandbox_process import ROOT
from tests.unit.markdown_page import read_page

CELL = 12.2
"""The width of a character in Rich's drawing."""
NUMBER = re.compile(r"\d+(\.\d+)?")


def read_rule() -> str:
    return next(fence.text for fence in read_page(ROOT / "README.md").fences if fence.info == ["yaml"])


def check(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """What `check` answers in a folder with this file alone."""
    (folder / "rules.yaml").write_text(text)
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(build_app(), ["check"])
    return done.exit_code, done.output


def test_the_rule_can_be_pasted_as_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed = check(read_rule(), tmp_path, monkeypatch)
    assert code == 0, printed
    assert "1 rule, no problems" in printed


def test_a_mistake_in_the_rule_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed = check(read_rule().replace("dedupe:", "dedup:"), tmp_path, monkeypatch)
    assert (code, "dedup" in printed) == (1, True)


def test_the_demo_prints_what_the_picture_shows() -> None:
    """The picture's results, whatever the numbers and the line breaks."""
    command = ["make", "-o", ".venv/installed", "demo"]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    drawn = read_picture()
    assert "the traffic of 'fraud-net' is fraud-net-9 100 %" in " ".join(drawn)
    assert results(drawn) in results(done.stdout.splitlines())


def read_picture() -> list[str]:
    """The lines of text in the SVG, whose texts have their column as `x` and their line as `y`."""
    rows: dict[float, str] = {}
    pattern = r'<text class="rollout-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>'
    for left, top, text in re.findall(pattern, PICTURE.read_text()):
        row = rows.get(float(top), "").ljust(round(float(left) / CELL))
        rows[float(top)] = row + unescape(text).replace("\xa0", " ").rstrip("\n")
    return [row for _, row in sorted(rows.items())]


def results(lines: list[str]) -> str:
    """What the scenes led to, in one line, with a 0 for each number."""
    kept = [line for line in lines if line.startswith(("✓", "✗", "    "))]
    return NUMBER.sub("0", " ".join(" ".join(kept).split()))


def test_the_picture_loads_nothing_from_another_server() -> None:
    assert re.findall(r"(?:href|url|src)\W*https?:", PICTURE.read_text()) == []
