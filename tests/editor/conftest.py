"""The language server of the lock file, and an editor in a folder with the schemas."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlevents.schema.environment_schema import build_environment_schema
from mlevents.schema.file_schema import build_file_schema
from tests.editor.language_server import LanguageServer, serve
from tests.processes.node_package import find_program, install_packages

HERE = Path(__file__).parent
PROGRAM = Path("node_modules", "yaml-language-server", "bin", "yaml-language-server")


@pytest.fixture(scope="session")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """An editor in a folder with the schemas of rules and environments."""
    folder = tmp_path_factory.mktemp("editor")
    (folder / "rules.schema.json").write_text(json.dumps(build_file_schema()))
    (folder / "environment.schema.json").write_text(json.dumps(build_environment_schema()))
    with serve([find_program("node"), str(install_packages(HERE) / PROGRAM), "--stdio"], folder) as server:
        yield server


@pytest.fixture
def environment(editor: LanguageServer, monkeypatch: pytest.MonkeyPatch) -> LanguageServer:
    """The same editor, whose files are environments."""
    monkeypatch.setattr(editor, "schema", "environment.schema.json")
    return editor
