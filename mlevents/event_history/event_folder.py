"""A folder of rebuilt events, as commands read them: one file a type, one event a line, the oldest first."""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from mlevents.event_history.rebuilt_event import EventDocument

ENDING = ".jsonl"


def save_events(folder: Path, events: Iterable[EventDocument]) -> list[Path]:
    """Write the events below a folder that is new or empty; raises OSError where that cannot be done."""
    check_new_folder(folder)
    lines: dict[str, list[str]] = {}
    for event in events:
        lines.setdefault(_file_name(event), []).append(json.dumps(event, ensure_ascii=False))
    folder.mkdir(parents=True, exist_ok=True)
    for name, texts in lines.items():
        (folder / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
    return [folder / name for name in lines]


def check_new_folder(folder: Path) -> None:
    """Raise FileExistsError for a folder with files, and PermissionError where it cannot be created."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder}: is not an empty folder: name a new one")
    above = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise PermissionError(f"{folder}: cannot be created in {above}: name another folder")


def _file_name(event: EventDocument) -> str:
    """`RunStatusChanged` as `run-status-changed.jsonl`."""
    kind = str(event["eventType"]).rpartition(".")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower() + ENDING
