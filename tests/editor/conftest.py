"""The language server of the lock file, and an editor in a folder with the schemas."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlevents.schema.environment_schema import build_environment_schema
from mlevents.schema.file_schema import build_file_schema
from tests.editor.language_server import LanguageServer, serve

HERE = Path(__file__).parent
PROGRAM = Path("node_modules", "yaml-language-server", "bin", "yaml-language-server")


@pytest.fixture(scope="session")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """An editor in a folder with the schemas of rules and environments."""
    folder = tmp_path_factory.mktemp("editor")
    (folder / "rules.schema.json").write_text(json.dumps(build_file_schema()))
    (folder / "environment.schema.json").write_text(json.dumps(build_environment_schema()))
    with serve([find_program("node"), str(install() / PROGRAM), "--stdio"], folder) as server:
        yield server


def find_program(name: str) -> str:
    """The path of a program; fails, and does not skip, where it is absent."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"the editor's tests need {name}, and it is not installed: install Node.js 20 or later")
    return found


def install() -> Path:
    """The folder with the packages of the lock file, which are installed when it is not there."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / "editor" / hashlib.sha256(lock).hexdigest()[:12]
    if folder.exists():
        return folder
    place = folder.with_name(f"{folder.name}.{os.getpid()}")
    place.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place)
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    subprocess.run([find_program("npm"), "ci", *options], cwd=place, check=True, timeout=100)
    try:
        place.rename(folder)
    except OSError:  # another worker of the test run was faster
        shutil.rmtree(place)
    return folder


@pytest.fixture
def environment(editor: LanguageServer, monkeypatch: pytest.MonkeyPatch) -> LanguageServer:
    """The same editor, whose files are environments."""
    monkeypatch.setattr(editor, "schema", "environment.schema.json")
    return editor
