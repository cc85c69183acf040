"""Files of events, as commands read them."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mlevents.commands.command import give_up
from mlevents.errors import EventError
from mlevents.events.document import text_of, value_of

EventFile = Annotated[
    str, typer.Argument(metavar="EVENT.json", help="A file of events; - is standard input.")
]


def read_events(name: str) -> list[Any]:
    """The events in a file or in standard input as they stand there; leaves where there is no JSON."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        value = value_of(text_of(content))
    except OSError as error:
        give_up(f"{name}: cannot be read: {error.strerror}")
    except EventError as error:
        give_up(f"{name}:{error}" if error.where else f"{name}: {error}")
    return value if isinstance(value, list) else [value]
