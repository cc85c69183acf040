"""Runs `mlevents` again and again without the seconds of its imports: each command in a forked process.

The client passes its arguments, its folder, its environment and its three standard files, so the command
runs as from a shell. `python -m tests.docs.command_server SOCKET` serves until its standard input ends.
"""

import json
import os
import socket
import sys
import threading
import traceback
from typing import Any, NoReturn

SIZE = 1 << 20


def serve(path: str) -> NoReturn:
    """Import everything once, then serve each connection in a process of its own."""
    from mlevents.__main__ import build_app

    build_app()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            _answer(connection)
        connection.close()
        _forget_children()


def _end_with_standard_input() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


def _forget_children() -> None:
    """A child that has ended is waited for, or it would stay in the table of processes."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _answer(connection: socket.socket) -> NoReturn:
    text, files, _, _ = socket.recv_fds(connection, SIZE, 3)
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = (open(0), open(1, "w"), open(2, "w"))  # noqa: SIM115
    code = 70
    try:
        code = _run(json.loads(text))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        connection.sendall(str(code).encode())
        os._exit(0)


def _run(call: dict[str, Any]) -> int:
    from mlevents.__main__ import main

    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    sys.argv = ["mlevents", *call["words"]]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
