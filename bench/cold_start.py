"""What a new worker pays before it can answer, in a fresh interpreter each time."""

import json
import subprocess
import sys
from collections.abc import Iterator

from bench.figure import Figure
from sandbox.sandbox_process import ROOT

RUNS = 5
PROGRAM = (
    "import time; t = time.perf_counter(); import {module}; s = time.perf_counter() - t\n"
    "import json, resource\n"
    "print(json.dumps([s * 1e3, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))"
)


def figures() -> Iterator[Figure]:
    """Importing the app, and the SDK that it does not import until a model is to be deployed."""
    for module in ("function_app", "azure.ai.ml"):
        runs = [imported(module) for _ in range(RUNS + 1)][1:]
        yield Figure(f"import {module}", "ms", tuple(seconds for seconds, _ in runs))
        yield Figure(f"memory after import {module}", "MB", tuple(memory for _, memory in runs))


def imported(module: str) -> tuple[float, float]:
    """Milliseconds and megabytes of one import."""
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    milliseconds, megabytes = json.loads(said)
    return milliseconds, megabytes
