"""YAML without its traps: a text to plain values with places, or to problems with places."""

import re

import yaml

from mlevents.yamlfile.composer import Composer, LimitError, Root
from mlevents.yamlfile.positions import Document, place_of

MAX_CHARACTERS = 16 * 1024 * 1024
"""Characters that one file may have."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


_REFUSALS = {
    LimitError: "{}",
    yaml.composer.ComposerError: "a second document begins here: keep one document in a file",
}


def parse_yaml(text: str, file: str) -> Document:
    """The document in a YAML text; never raises: what is wrong is in its `problems`."""
    document = Document(file)
    bad = _UNPRINTABLE.search(text, 0, MAX_CHARACTERS)
    try:
        if len(text) > MAX_CHARACTERS:
            document.stop((1, 1), f"the file has {len(text):,} characters: keep it within {MAX_CHARACTERS:,}")
        elif bad:
            place = _place_inside(text[: bad.start()])
            document.stop(place, f"the character U+{ord(bad[0]):04X} is not allowed in YAML: remove it")
        elif isinstance(root := Composer(text, document).get_single_node(), Root):
            document.value, document.places, document.start = root.value, root.places, place_of(root)
    except yaml.MarkedYAMLError as error:
        fault = _REFUSALS.get(type(error), "this is not YAML: {}").format(error.problem)
        document.stop(_place_inside(text, error.problem_mark), fault + _find_tab(text, error.problem_mark))
    return document


def split_lines(text: str) -> list[str]:
    """The lines of a text as YAML counts them."""
    return _BREAK.split(text)


def _find_tab(text: str, mark: yaml.Mark | None) -> str:
    """The remedy where the line of an error is indented with a tab; empty elsewhere."""
    line, _ = _place_inside(text, mark)
    before = split_lines(text)[line - 1]
    indent = before[: len(before) - len(before.lstrip())]
    return "; the line begins with a tab: write spaces" if "\t" in indent else ""


def _place_inside(text: str, mark: yaml.Mark | None = None) -> tuple[int, int]:
    """The place of a mark, counted from 1; the end of the text where the mark is behind it, or missing."""
    lines = split_lines(text)
    line = min(mark.line, len(lines) - 1) if mark else len(lines) - 1
    return line + 1, min(mark.column if mark else MAX_CHARACTERS, len(lines[line])) + 1
