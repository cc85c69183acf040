"""What is wrong in an extension, as one line at its place in the user's own code."""

import inspect
import sys
from collections.abc import Collection
from pathlib import Path
from traceback import extract_tb

from mlevents.errors import Problem
from mlevents.registry import DuplicateNameError, InvalidElementError
from mlevents.services.sdk_errors import clean_text

_LONGEST_TEXT = 300
"""Characters of what an extension raised."""


def find_extension_fault(error: BaseException, folders: Collection[Path]) -> Problem | None:
    """The problem, at the last line of these folders that the error came through; None if there is none."""
    if isinstance(error, SyntaxError) and (file := _name_file(error.filename, folders)):
        return Problem(file, error.lineno or 1, error.offset or 1, "", describe_extension_error(error))
    for one in reversed(extract_tb(error.__traceback__)):
        if file := _name_file(one.filename, folders):
            return Problem(file, one.lineno or 1, (one.colno or 0) + 1, "", describe_extension_error(error))
    return None


def describe_extension_error(error: BaseException) -> str:
    """What an extension raised, and the remedy, in one line."""
    text = _shorten(str(error))
    match error:
        case SyntaxError():
            return f"{_shorten(error.msg)}: correct the syntax"
        case ModuleNotFoundError(name=str() as name):
            missing = name.rpartition(".")[2] if name.startswith("_mlevents_") else name
            return (
                f"the module '{missing}' does not exist here: "
                "correct the name, or add its package to requirements.txt and install it"
            )
        case ImportError():
            return f"{text.partition(' (')[0]}: correct the import"
        case DuplicateNameError() | InvalidElementError():
            return clean_text(str(error))
        case _:
            kind = type(error).__name__
            return f"{kind}{f': {text}' if text else ''}: correct the extension"


def place_element(element: type, text: str) -> Problem:
    """A problem at the line where the class of an element begins."""
    file = getattr(sys.modules.get(element.__module__), "__file__", None) or element.__module__
    try:
        line = inspect.getsourcelines(element)[1]
    except (OSError, TypeError):
        line = 1
    return Problem(str(file), line, 1, "", text)


def _name_file(file: str | None, folders: Collection[Path]) -> str | None:
    """A file in one of the folders, named as the folder is; None for another file."""
    place = Path(file or "").absolute()
    inside = (folder for folder in folders if place.is_relative_to(folder.absolute()))
    return next((str(folder / place.relative_to(folder.absolute())) for folder in inside), None)


def _shorten(text: str) -> str:
    line = clean_text(text.partition("\n\n")[0])
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"
