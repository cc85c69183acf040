"""Files of events, as commands read them: JSON or a JSON value a line, one event or many."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mlevents.commands.command import EXIT_PROBLEMS, exit_with_error
from mlevents.commands.progress_bar import track_items
from mlevents.errors import EventError
from mlevents.events.document import text_of, value_of

ENDINGS = (".json", ".jsonl", ".ndjson")

EventFile = Annotated[
    str, typer.Argument(metavar="EVENT.json", help="A file of events; - is standard input.")
]


def read_events(name: str) -> list[Any]:
    """The events in a file or in standard input, as written; exits if there is no file.

    An array, such as a dead-letter blob, counts as its events. Otherwise each line may be a value.
    Raises EventError, with the place in the file, for a text that is not JSON.
    """
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = text_of(content)
        values = _values(text)
    except OSError as error:
        exit_with_error(f"{name}: cannot be read: {error.strerror}")
    except EventError as error:
        place = f"{name}:{error.where}" if error.where else name
        raise EventError(str(error).removeprefix(f"{error.where}: "), where=place) from error
    return [event for value in values for event in (value if isinstance(value, list) else [value])]


def read_events_or_exit(name: str) -> list[Any]:
    """The events in a file; exits with the reason if it cannot be read."""
    try:
        return read_events(name)
    except EventError as error:
        exit_with_error(str(error), EXIT_PROBLEMS)


def read_event_files(name: str) -> Iterator[tuple[str, Any]]:
    """Every event of a file, or of the files below a folder in order of path, each with its file's name."""
    path = Path(name)
    files = (
        [str(one) for one in sorted(path.rglob("*")) if one.suffix in ENDINGS] if path.is_dir() else [name]
    )
    if not files:
        exit_with_error(f"{name}: contains no file that ends in {', '.join(ENDINGS)}")
    for file in track_items(files, "reading events", len(files)):
        events = read_events_or_exit(file)
        shown = track_items(events, "reading events", len(events)) if len(files) == 1 else events
        yield from ((file, event) for event in shown)


def _values(text: str) -> list[Any]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > 1 and _is_json(lines[0][1]):
        return [_value(number, line) for number, line in lines]
    return [value_of(text)]


def _value(number: int, line: str) -> Any:
    try:
        return value_of(line)
    except EventError as error:
        column = error.where.partition(":")[2]
        text = str(error).removeprefix(f"{error.where}: ")
        raise EventError(text, where=f"{number}:{column}" if column else str(number)) from error


def _is_json(line: str) -> bool:
    try:
        value_of(line)
    except EventError:
        return False
    return True
