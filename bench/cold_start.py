"""From the start of a worker's process to its first answer, beside apps that do nothing.

    python -m bench.cold_start

The apps take turns, so each round compares them on the machine as it is then. The event is one that the
shipped rules do not match. The folder of mlevents is as `prepackage` makes it, or lacks one part of that.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.figure import Figure
from bench.noop_app import NO_OP_APP
from sandbox.sandbox_process import ROOT

ROUNDS = 7
APPS = Path(__file__).parent / "apps"
NO_OP, DOCUMENTED, OURS = "an app that does nothing", "SDK and identity imported at the top", "mlevents"
MOST_TIMES, MOST_SHARE, MOST_MEMORY = 1.35, 0.25, 1.2
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
SETTINGS = {
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "COMMUNICATION_ENDPOINT": "https://acs.example.com",
    "TEAMS_WORKFLOW_URL": "json://receiver",
    "MLEVENTS_RECENT_EVENTS": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
EVENT = {
    "id": "1",
    "topic": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers"
    "/Microsoft.MachineLearningServices/workspaces/ml-prod",
    "subject": "models/other:1",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-01-01T00:00:00Z",
    "data": {"modelName": "other", "modelVersion": "1", "modelTags": {}},
    "dataVersion": "2",
}

type Start = tuple[float, float]
"""Milliseconds and megabytes."""


def figures() -> Iterator[Figure]:
    """Time and memory of each app, and what is claimed: how they compare within a round."""
    runs = measure()
    for name, measured in runs.items():
        yield Figure(f"cold start, first answer: {name}", "ms", tuple(one for one, _ in measured))
        yield Figure(f"cold start, memory: {name}", "MB", tuple(one for _, one in measured))
    for name in (one for one in runs if one.startswith(OURS)):
        yield Figure(f"{name} / {NO_OP}", "times", compare(runs[name], runs[NO_OP]), MOST_TIMES)
    yield Figure(f"{OURS} / {DOCUMENTED}", "times", compare(runs[OURS], runs[DOCUMENTED]), MOST_SHARE)
    memory = tuple(ours / other for (_, ours), (_, other) in zip(runs[OURS], runs[NO_OP], strict=True))
    yield Figure(f"memory: {OURS} / {NO_OP}", "times", memory, MOST_MEMORY)


def compare(ours: list[Start], others: list[Start]) -> tuple[float, ...]:
    """How many times as long, round by round."""
    return tuple(one / other for (one, _), (other, _) in zip(ours, others, strict=True))


def measure() -> dict[str, list[Start]]:
    """The runs of each app; a first round is not counted."""
    with package() as folders:
        found: dict[str, list[Start]] = {name: [] for name in folders}
        for number in range(ROUNDS + 1):
            for name, folder in folders.items():
                run = start(folder)
                if number:
                    found[name].append(run)
    return found


def start(folder: Path) -> Start:
    """Milliseconds from the start of a process to its answer, and the peak of its memory."""
    command = [sys.executable, "-m", "bench.cold_worker", str(folder)]
    environment = {**os.environ, **SETTINGS, "PYTHONPATH": str(ROOT)}
    began = time.time()
    done = subprocess.run(
        command,
        input=json.dumps(EVENT),
        env=environment,
        cwd=folder,
        capture_output=True,
        check=True,
        text=True,
    )
    answered, memory = map(float, done.stdout.split()[-2:])
    return (answered - began) * 1000, memory


@contextmanager
def package() -> Iterator[Mapping[str, Path]]:
    """The folders of the apps; those of mlevents are copies, each without what its name says."""
    without: Mapping[str, Callable[[Path], None]] = {
        OURS: lambda _: None,
        f"{OURS} without its bytecode": remove_bytecode,
        f"{OURS} without its outline": remove_outline,
    }
    with tempfile.TemporaryDirectory() as place:
        folders = {NO_OP: NO_OP_APP, DOCUMENTED: APPS / "documented"}
        for number, (name, remove) in enumerate(without.items()):
            folders[name] = copy_app(Path(place) / str(number))
            remove(folders[name])
        yield folders


def copy_app(folder: Path) -> Path:
    """The app with its bytecode and the outline of its rules."""
    skipped = shutil.ignore_patterns("__pycache__")
    for name in ("mlevents", "deployments"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for name in ("function_app.py", "host.json", "rules.yaml"):
        shutil.copy(ROOT / name, folder)
    subprocess.run([sys.executable, "-m", "compileall", "-qq", str(folder)], check=True)
    start(folder)  # leaves the outline
    return folder


def remove_bytecode(folder: Path) -> None:
    """Leave the sources of mlevents alone, as in a package that nobody compiled; libraries are compiled."""
    for cache in [*(folder / "mlevents").rglob("__pycache__")]:
        shutil.rmtree(cache)


def remove_outline(folder: Path) -> None:
    """Leave no outline, and no place for one."""
    shutil.rmtree(folder / "__pycache__")
    (folder / "__pycache__").touch()


if __name__ == "__main__":
    for one in figures():
        print(f"{one.what:<70} {one.median:>8g} {one.unit}")
