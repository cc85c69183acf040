"""Processes of a process server, used as those that the standard library starts."""

import asyncio
import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from sandbox.sandbox_process import ROOT, until
from sandbox.worker import worker_process

LONGEST_START = 100
"""Seconds; less than the timeout of a test, because a busy machine took 35."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_start_new_app = worker_process.spawn
_socket: list[str] = []
"""Where the server of this process answers, once there is one."""


def use_server(path: str) -> None:
    """Ask the server at this socket from now on."""
    _socket[:] = [path]


def find_server() -> str:
    """The socket of the server; it is started at the first call, and ends with this process."""
    if not _socket:
        folder = tempfile.mkdtemp(prefix="mlevents-server-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = Path(folder) / "socket"
        command = [sys.executable, "-m", "tests.processes.process_server", str(path)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        atexit.register(process.communicate)
        until(path.exists, LONGEST_START, lambda: "the process server has not started")
        use_server(str(path))
    return _socket[0]


def request_process(
    program: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], files: Sequence[int]
) -> socket.socket:
    """Start a program; the connection gives the id of its process, then its exit code, each in a line."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(find_server())
    call = {"program": program, "words": [*words], "folder": str(folder), "environment": {**environment}}
    socket.send_fds(connection, [json.dumps(call).encode()], files)
    return connection


class ServedProcess:
    """A process as of `subprocess`, from the connection that `request_process` gives."""

    def __init__(self, connection: socket.socket) -> None:
        with connection:
            self._lines = connection.makefile("r")
        self.pid = int(self._lines.readline())
        self.returncode: int | None = None

    def wait(self) -> int:
        """Wait for its end; gives its exit code, negative for a signal."""
        if self.returncode is None:
            self.returncode = int(self._lines.readline())
            self._lines.close()
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        if self.returncode is None and select.select([self._lines], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()


def launch_sandbox(words: Sequence[str], log: IO[bytes] | None) -> Any:
    """As `sandbox_process.launch`."""
    with open(os.devnull, "r+b") as nothing:
        files = [nothing.fileno(), nothing.fileno(), 2 if log is None else log.fileno()]
        return ServedProcess(request_process("sandbox", words, ROOT, os.environ, files))


def run_program(
    program: str,
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    keep: tuple[bool, bool] = (True, True),
) -> subprocess.CompletedProcess[str]:
    """What a program prints, and its exit code; as `subprocess.run` without input.

    `keep` says whether its output and its errors are kept; if not, they are printed where ours are.
    """
    with (
        open(os.devnull, "rb") as nothing,
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as errors,
    ):
        files = [nothing.fileno(), output.fileno() if keep[0] else 1, errors.fileno() if keep[1] else 2]
        code = ServedProcess(request_process(program, words, folder, environment, files)).wait()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess([program, *words], code, output.read(), errors.read())


class ServedApp:
    """The app's process, as one of asyncio; `lines` is what `request_process` gives."""

    def __init__(self, pid: int, lines: Streams, pipes: Streams) -> None:
        self.pid, self._lines = pid, lines
        self.stdout, self.stdin = pipes
        self.returncode: int | None = None
        self._end = asyncio.create_task(self._watch())

    async def _watch(self) -> int:
        reader, writer = self._lines
        self.returncode = int(await reader.readline())
        writer.close()
        return self.returncode

    async def wait(self) -> int:
        """Wait for its end; gives its exit code, negative for a signal."""
        return await asyncio.shield(self._end)

    def kill(self) -> None:
        """End it by SIGKILL, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


async def spawn_app(folder: Path, environment: Mapping[str, str]) -> Any:
    """As `worker_process.spawn`; another app than that of this checkout gets a new process."""
    if folder != ROOT:
        return await _start_new_app(folder, environment)
    ours, its = socket.socketpair()
    with its:
        connection = request_process("app", (), ROOT, environment, [its.fileno(), its.fileno(), 2])
    lines = await asyncio.open_unix_connection(sock=connection)
    pid = int(await lines[0].readline())
    return ServedApp(pid, lines, await asyncio.open_unix_connection(sock=ours))
