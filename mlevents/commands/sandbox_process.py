"""The sandbox as a process of its own: started, waited for, and ended with this one."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mlevents.commands.command import exit_with_error
from mlevents.commands.version import CHECKOUT

MODULE = "sandbox"
REQUIRED = ("aiohttp", "aiosmtpd", "trustme")
"""What only the sandbox needs."""
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
SECONDS_TO_END = 15


def require_sandbox(required: Iterable[str] = REQUIRED) -> None:
    """Exit if the sandbox, or something that it requires, is not installed."""
    installed = (CHECKOUT / MODULE / "__main__.py").is_file()
    if not installed or not all(map(find_spec, required)):
        exit_with_error("the sandbox is not installed: run `pip install 'mlevents[sandbox]'`")


@contextmanager
def start_sandbox(
    options: Sequence[str], print_output: Callable[[str], None]
) -> Iterator[subprocess.Popen[str]]:
    """Start it with these options; at the end, end it as Ctrl-C does.

    Each line that it prints is passed on. It also ends when this process is killed.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    if (CHECKOUT / "pyproject.toml").is_file():
        environment["PYTHONPATH"] = str(CHECKOUT)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", MODULE, "up", "--attached", *options],
        env=environment,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    reader = threading.Thread(target=_pass_on, args=(process, print_output), daemon=True)
    reader.start()
    try:
        yield process
    finally:
        _end(process)
        reader.join(SECONDS_TO_END)


def wait_until_up(process: subprocess.Popen[str], ready_file: Path) -> dict[str, Any] | None:
    """The ready file's content once it is there; None when the sandbox ends instead."""
    while process.poll() is None:
        if ready_file.is_file():
            found: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
            return found
        time.sleep(0.05)
    return None


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Treat SIGTERM and a closed terminal as Ctrl-C."""
    known = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in known.items():
            signal.signal(number, handler)


def _pass_on(process: subprocess.Popen[str], print_output: Callable[[str], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        print_output(line.rstrip("\n"))


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()  # the sandbox ends with its standard input
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
