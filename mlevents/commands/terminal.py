"""Texts on a terminal: styles, line breaks between words, and no control characters."""

from typing import Protocol

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

CONTINUATION = "    "
"""The indentation of a line that continues another."""


class Stoppable(Protocol):
    """A progress bar on the terminal."""

    def stop(self) -> None:
        """Remove it from the terminal."""


open_bars: list[Stoppable] = []
"""The progress bars that are on the terminal: a text would be printed in the middle of one."""


def print_text(text: Text, *, err: bool = False) -> None:
    """Print a text, on standard error if asked."""
    for bar in open_bars:
        bar.stop()
    console = Console(highlight=False, stderr=err)
    if console.no_color:
        console = Console(highlight=False, color_system=None, stderr=err)
    width = find_width(err=err)
    for line in wrap_text(text, width) if width else [text]:
        console.print(line, soft_wrap=True)


def find_width(*, err: bool = False) -> int | None:
    """The width of the terminal, which lines must fit; None for a file or a pipe."""
    console = Console(stderr=err)
    return console.width if console.is_terminal else None


def wrap_text(text: Text, width: int) -> list[Text]:
    """The text in lines of at most this width, broken between words; the lines after the first are indented.

    A word that is longer than a line stays in one piece.
    """
    indent = " " * (len(text.plain) - len(text.plain.lstrip(" ")) + len(CONTINUATION))
    if cell_len(text.plain) <= width or width < 2 * len(indent):
        return [text]
    lines: list[Text] = []
    rest = text
    while cell_len(rest.plain) > width and (cut := _find_cut(rest.plain, width, len(indent))):
        lines.append(rest[:cut])
        rest = Text(indent) + rest[cut + 1 :]
    return [*lines, rest]


def _find_cut(text: str, width: int, start: int) -> int:
    """The last space within the width, else the first after it; 0 if there is none after the indentation."""
    most = len(text)
    while cell_len(text[:most]) > width:
        most -= 1
    cut = text.rfind(" ", start + 1, most + 1)
    return cut if cut > 0 else max(text.find(" ", max(most, start + 1)), 0)


def escape_text(text: str) -> str:
    """The text with control characters and lone surrogates escaped: events are untrusted input."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
