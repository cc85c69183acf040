"""The hooks of a deployment as programs of the process server, with the programs that they start."""

import os
import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.infra import azure_recorder
from tests.processes.process_client import run_program

_start = subprocess.run


def run_hooks(words: Sequence[str]) -> None:
    """`python -m infra.hooks WORDS…` of the current folder; `mlevents` and the recorders are forked too."""
    subprocess.run = run_forked  # type: ignore[assignment]
    sys.path.insert(0, os.getcwd())
    sys.argv = ["infra.hooks", *words]
    runpy.run_module("infra.hooks", run_name="__main__", alter_sys=True)


def run_recorder(words: Sequence[str]) -> None:
    """`WORDS…`, whose first is the path of a recorder."""
    sys.argv = list(words)
    azure_recorder.main()


def run_forked(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run`."""
    if list(words[:3]) == [sys.executable, "-m", "mlevents"]:
        program, rest = "mlevents", words[3:]
    elif Path(words[0]).parent == Path(os.getcwd(), "bin"):
        program, rest = "recorder", words
    else:
        return _start(words, **options)
    kept = options.get("capture_output", False)
    keeps = (kept or options.get("stdout") == subprocess.PIPE, kept)
    return run_program(program, rest, options["cwd"], options.get("env") or os.environ, keeps)
