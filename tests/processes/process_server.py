"""Runs programs of ours without the seconds of their imports: each in a forked process.

A client sends the program, its words, its folder and its environment, with its three standard files. It
gets the id of the process, and its exit code once it has ended. `python -m tests.processes.process_server
SOCKET` serves until its standard input ends. What is special about a new process, such as the order and the
time of its imports, is not tested this way: tests of that start one.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from sandbox.worker import worker_main, worker_process
from tests.processes import process_client

MESSAGE_SIZE = 1 << 20
LATE_IMPORTS = (
    "apprise",
    "azure.ai.ml",
    "azure.ai.ml.entities",
    "azure.communication.email",
    "azure.core.pipeline.transport",
    "azure.identity",
    "azure.mgmt.datafactory",
    "azure_functions_runtime",
    "function_app",
    "mlevents.doctor.resource_checks",
    "pytest",
    "sandbox.__main__",
    "tests.infra.hook_programs",
)
"""What the programs import only when they need it."""


def run_mlevents(words: Sequence[str]) -> None:
    """`mlevents WORDS…`."""
    from mlevents.__main__ import main

    sys.argv = ["mlevents", *words]
    main()


def run_module(words: Sequence[str]) -> None:
    """`python -m WORDS…`, with the module of the current folder."""
    sys.path.insert(0, os.getcwd())
    sys.argv = list(words)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def run_sandbox(words: Sequence[str]) -> None:
    """`python -m sandbox WORDS…`, with its app forked too."""
    from sandbox.__main__ import command

    worker_process.spawn = process_client.spawn_app
    command(words)


def run_app(_: Sequence[str]) -> None:
    """The app's process, as the sandbox starts it."""
    worker_main.main(worker_process.FOREIGN)


def run_hooks(words: Sequence[str]) -> None:
    """`python -m infra.hooks WORDS…`; see `hook_programs`."""
    from tests.infra.hook_programs import run_hooks

    run_hooks(words)


def run_recorder(words: Sequence[str]) -> None:
    """A recorder of `az`, `azd` or `func`."""
    from tests.infra.hook_programs import run_recorder

    run_recorder(words)


PROGRAMS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "mlevents": run_mlevents,
    "module": run_module,
    "sandbox": run_sandbox,
    "app": run_app,
    "hooks": run_hooks,
    "recorder": run_recorder,
}


class ProcessServer:
    """Serves on a socket at `path`; `_running` has the connection of each process that runs."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._running: dict[int, socket.socket] = {}
        self._ended, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._listener.bind(f"{path}.new")
        self._listener.listen()
        os.rename(f"{path}.new", path)  # whoever finds the socket can connect at once

    def serve(self) -> NoReturn:
        """Serve until standard input ends."""
        while True:
            ready: list[Any] = select.select([0, self._listener.fileno(), self._ended], [], [])[0]
            if self._ended in ready:
                os.read(self._ended, 4096)
                self._report_ended()
            if self._listener.fileno() in ready:
                self._fork(self._listener.accept()[0])
            if 0 in ready and not os.read(0, 1):
                os._exit(0)

    def _fork(self, connection: socket.socket) -> None:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for one in (self._listener, *self._running.values()):
                one.close()
            _run(connection)
        self._running[pid] = connection
        connection.sendall(f"{pid}\n".encode())

    def _report_ended(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._running.pop(pid) as connection:
                try:
                    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                except BrokenPipeError:
                    continue  # nobody waits for it


def _run(connection: socket.socket) -> NoReturn:
    """Be the process that the client asks for."""
    text, files, _, _ = socket.recv_fds(connection, MESSAGE_SIZE, 3)
    connection.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (open(0), open(1, "w"), open(2, "w", buffering=1))  # noqa: SIM115
    code = 70
    try:
        code = _perform(json.loads(text))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _perform(call: dict[str, Any]) -> int:
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    try:
        PROGRAMS[call["program"]](call["words"])
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        return 1
    return 0


def main(path: str) -> NoReturn:
    """Import everything once, then serve."""
    from mlevents.__main__ import build_app

    build_app()
    for name in LATE_IMPORTS:
        importlib.import_module(name)
    process_client.use_server(path)
    gc.collect()
    gc.freeze()
    ProcessServer(path).serve()


if __name__ == "__main__":
    main(sys.argv[1])
