"""The app of `apps/no_op`, whose cost is that of worker, host and task hub, and the ends that it notes."""

import shutil
from pathlib import Path

from sandbox.sandbox_process import ROOT

NO_OP_APP = Path(__file__).parent / "apps" / "no_op"
ENDED = "ended.txt"


def copy_noop_app(folder: Path) -> Path:
    """Copy the app into this folder, with our host.json; gives the folder."""
    shutil.copy(NO_OP_APP / "function_app.py", folder)
    shutil.copy(ROOT / "host.json", folder)
    return folder


def read_ends(folder: Path) -> dict[str, float]:
    """When the response to each event ended, in seconds since the epoch, by the event's id."""
    file = folder / ENDED
    lines = file.read_text().splitlines() if file.exists() else []
    return {id: float(at) for id, at in (line.split() for line in lines if " " in line)}
