"""The ready file: the addresses of a running sandbox, for other programs."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def write_ready(file: Path, ready: Mapping[str, Any]) -> Callable[[], None]:
    """Write the ready file at once; returns a function that removes it, unless a newer sandbox wrote it."""
    text = json.dumps(ready, indent=2) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(file)

    def remove() -> None:
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            file.unlink(missing_ok=True)

    return remove
