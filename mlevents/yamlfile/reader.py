"""YAML without its traps: a text to plain values with places, or to problems with places."""

import re

import yaml

from mlevents.errors import Problem
from mlevents.yamlfile.composer import Composer
from mlevents.yamlfile.positions import Document

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


LARGEST = 16 * 1024 * 1024
"""Characters that one file may have."""


def compose(text: str, file: str) -> Document:
    """The document in a YAML text; never raises: what is wrong is in its `problems`."""
    document = Document(file)
    if len(text) > LARGEST:
        _break_off(document, 1, 1, f"the file has {len(text):,} characters: keep it within {LARGEST:,}")
        return document
    bad = _UNPRINTABLE.search(text)
    if bad:
        lines = _BREAK.split(text[: bad.start()])
        what = f"the character U+{ord(bad[0]):04X} is not allowed in YAML: remove it"
        _break_off(document, len(lines), len(lines[-1]) + 1, what)
        return document
    try:
        Composer(document).compose(yaml.CSafeLoader(text))
    except yaml.MarkedYAMLError as error:
        _break_off(document, *_inside(text, error.problem_mark), f"this is not YAML: {error.problem}")
    return document


def _break_off(document: Document, line: int, column: int, text: str) -> None:
    document.problems.append(Problem(document.file, line, column, "", text))
    document.broken = True


def _inside(text: str, mark: yaml.Mark | None) -> tuple[int, int]:
    """The parser's place, counted from 1; the end of the text where the parser points behind it."""
    lines = _BREAK.split(text)
    line = min(mark.line, len(lines) - 1) if mark else 0
    return line + 1, min(mark.column, len(lines[line])) + 1 if mark else 1
