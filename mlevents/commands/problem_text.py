"""Problems of a rule file for people: place, message, and the line of the file with a caret."""

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from mlevents.commands.terminal import escape_text, find_width, print_text
from mlevents.errors import Problem
from mlevents.services.redaction import redact
from mlevents.yamlfile.reader import split_lines

WIDTH = 79
"""Characters of a source line with its number, where nothing says how wide the output is."""
_HIDDEN_SECTION = "connections"
"""The section that may hold secrets: its lines are not printed."""
_UNSET_REMEDY = "; the running app needs them: set them on the Function App, or in local.settings.json"
_STYLES = {"error": "red", "warning": "yellow"}

RatedProblem = tuple[Problem, str]
"""A problem and its severity: `error` or `warning`."""


def print_problems(findings: Sequence[RatedProblem], *, err: bool = False) -> None:
    """Print each problem with its source line, on standard error if asked.

    Settings that are not set here share one line.
    """
    width = find_width(err=err)
    sources: dict[str, list[str]] = {}
    unset = [problem for problem, severity in findings if problem.setting and severity == "warning"]
    for problem, severity in findings:
        if problem in unset and len(unset) > 1:
            continue
        place = f"{problem.file}:{problem.line}:{problem.column}: "
        kind = "warning: " if severity == "warning" else ""
        path = f"{problem.readable_path}: " if problem.path else ""
        head = (escape_text(kind + path), _STYLES[severity])
        print_text(Text.assemble(escape_text(place), head, escape_text(problem.text)), err=err)
        if problem.file not in sources:
            sources[problem.file] = _read_lines(problem.file)
        for line in quote_source(problem, sources[problem.file], width or WIDTH):
            print_text(Text(line, style="dim"), err=err)
    if len(unset) > 1:
        names = ", ".join(sorted({problem.setting for problem in unset}))
        file, text = unset[0].file, f"app settings that are not set here: {names}{_UNSET_REMEDY}"
        warning = ("warning: ", _STYLES["warning"])
        print_text(Text.assemble(f"{escape_text(file)}: ", warning, escape_text(text)), err=err)


def quote_source(problem: Problem, lines: Sequence[str], width: int = WIDTH) -> list[str]:
    """The line of the file, and a caret below the column; nothing where it cannot or must not be printed."""
    if problem.path.partition(".")[0] == _HIDDEN_SECTION:
        return []
    line = lines[problem.line - 1] if 0 < problem.line <= len(lines) else ""
    if not line.strip() or redact(line) != line:
        return []
    number, room = f"{problem.line:5} | ", width - 8
    printable = escape_text(line.expandtabs(1))
    before = escape_text(line[: problem.column - 1].expandtabs(1))
    start = 0
    while cell_len(printable) > room and cell_len(before[start:]) > room // 2:
        start += 1
    end = len(printable)
    while cell_len(printable[start:end]) > room:
        end -= 1
    return [number + printable[start:end].rstrip(), f"{'':5} | {' ' * cell_len(before[start:])}^"]


def _read_lines(file: str) -> list[str]:
    try:
        return split_lines(Path(file).read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError):
        return []
