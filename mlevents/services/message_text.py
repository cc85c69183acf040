"""Texts from outside, made fit for a message: no line breaks, nothing invisible, of limited length."""

VALUE_LENGTH = 1_000
BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters that are invisible."""


def one_line(value: object, length: int = VALUE_LENGTH) -> str:
    """One line: no line breaks, no control characters, no change of direction, cut at this length."""
    text = str(value)[: 4 * length]
    line = " ".join((text if text.isprintable() else "".join(map(printable, text))).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def printable(character: str) -> str:
    """The character, a blank for white space, empty for a character that does not print.

    Bidirectional overrides and lone surrogates do not print.
    """
    if character.isspace():
        return " "
    return character if character.isprintable() else ""


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing."""
    return not one_line(text).strip(BLANK + " ")
