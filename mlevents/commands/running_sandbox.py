"""The running sandbox that commands use: found by its ready file, `.mlevents/ready.json`."""

import json
import socket
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from mlevents.commands.command import exit_with_error

READY_FILE = Path(".mlevents", "ready.json")
"""Where `mlevents up` writes the addresses, in the folder of the rules."""
START = "start one with `mlevents up`"

ReadyFileOption = Annotated[
    str | None,
    typer.Option(
        "--ready-file",
        metavar="FILE",
        show_default=False,
        help="The ready file of the sandbox; else .mlevents/ready.json, here or in a folder above.",
    ),
]


def find_sandbox(path: str | None) -> dict[str, Any]:
    """The content of a running sandbox's ready file; exits if there is none, or if it has stopped.

    Without a path, the file is searched from the current folder upwards.
    """
    file = Path(path) if path else find_ready_file(Path.cwd())
    if file is None:
        exit_with_error(f"no sandbox is running here: {START}, or name its file with --ready-file")
    try:
        ready = json.loads(file.read_text(encoding="utf-8"))
        address = urlsplit(ready["functions"])
    except OSError as error:
        exit_with_error(f"the ready file '{file}' cannot be read ({error.strerror}): {START}")
    except (ValueError, KeyError, TypeError):
        exit_with_error(f"'{file}' is not the ready file of a sandbox: {START}")
    if not is_listening(address.hostname or "", address.port or 80):
        exit_with_error(f"the sandbox of '{file}' has stopped: {START}")
    return dict(ready)


def find_ready_file(folder: Path) -> Path | None:
    """The nearest `.mlevents/ready.json`, in this folder or in one above it."""
    files = (above / READY_FILE for above in (folder, *folder.parents))
    return next((file for file in files if file.is_file()), None)


def is_listening(host: str, port: int) -> bool:
    """Whether a process accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True
