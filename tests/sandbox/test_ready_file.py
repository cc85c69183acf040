"""The ready file of a sandbox is there as long as that sandbox runs, and no longer."""

import json
from pathlib import Path

from sandbox.ready_file import write_ready


def test_it_is_removed_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "ready.json"
    remove = write_ready(file, {"functions": "http://127.0.0.1:1"})
    assert json.loads(file.read_text()) == {"functions": "http://127.0.0.1:1"}
    remove()
    remove()
    assert not list(file.parent.iterdir())


def test_one_that_ends_leaves_the_file_of_the_next(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    remove = write_ready(file, {"functions": "http://127.0.0.1:1"})
    write_ready(file, {"functions": "http://127.0.0.1:2"})
    remove()
    assert json.loads(file.read_text()) == {"functions": "http://127.0.0.1:2"}
