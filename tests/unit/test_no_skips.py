"""A test that is skipped fails the run."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes.process_client import run_program

ROOT = Path(__file__).resolve().parents[2]
BY_MARK = "@pytest.mark.skip(reason='no schema')\ndef test_one(): ..."
IN_THE_TEST = "def test_one(): pytest.skip('no schema')"
WHOLE_FILE = "pytest.skip('no schema', allow_module_level=True)"
EXPECTED_FAILURE = "@pytest.mark.xfail(strict=True)\ndef test_one(): raise ValueError"


def run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(f"import pytest\n\n{text}\n")
    words = ["pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    words += ["-c", "/dev/null", "--rootdir", str(folder), *options, str(folder)]
    return run_program("module", words, ROOT, os.environ)


@pytest.mark.parametrize("text", [BY_MARK, IN_THE_TEST, WHOLE_FILE])
def test_a_skipped_test_fails_the_run_and_says_why(tmp_path: Path, text: str) -> None:
    ended = run(tmp_path, text)
    assert ended.returncode in (1, 2), ended.stdout
    assert "does not run" in ended.stdout
    assert "no schema" in ended.stdout


@pytest.mark.parametrize("text", [BY_MARK, IN_THE_TEST])
def test_an_option_allows_skips(tmp_path: Path, text: str) -> None:
    assert run(tmp_path, text, "--allow-skips").returncode == 0


def test_an_expected_failure_is_not_a_skip(tmp_path: Path) -> None:
    assert run(tmp_path, EXPECTED_FAILURE).returncode == 0
