"""A folder of rebuilt events, as commands read them: one file a type, one event a line, the oldest first."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from mlevents.event_history.rebuilt_event import EventDocument

ENDING = ".jsonl"


def save_events(folder: Path, events: Iterable[EventDocument]) -> list[Path]:
    """Write the events below a folder that is new or empty; raises FileExistsError for any other.

    Raises OSError where it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder}: is not an empty folder: name a new one")
    lines: dict[str, list[str]] = {}
    for event in events:
        lines.setdefault(_file_name(event), []).append(json.dumps(event, ensure_ascii=False))
    folder.mkdir(parents=True, exist_ok=True)
    for name, texts in lines.items():
        (folder / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
    return [folder / name for name in lines]


def _file_name(event: EventDocument) -> str:
    """`RunStatusChanged` as `run-status-changed.jsonl`."""
    kind = str(event["eventType"]).rpartition(".")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower() + ENDING
