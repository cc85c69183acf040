"""A rule file's values with the place of every key and item, so that each problem names its line."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from mlevents.errors import Problem

Places = dict[str, Any] | list[Any] | None
"""Of a mapping or a list, by key or index: (line, column, the places inside)."""

type PathProblem = tuple[str, str]
"""A path in a file, and what is wrong there."""

_END = re.compile(r"[.\[]")
_INDEX = re.compile(r"\[([0-9]{1,9})\]")
_RULE = re.compile(r"rules\[([0-9]{1,9})\]")
_ID = re.compile(r"[a-z][a-z0-9-]{0,59}")


@dataclass(slots=True)
class Document:
    """The value of a YAML text, the places in it, and what was wrong with the text itself.

    `broken` says that the text could not be read to its end.
    """

    file: str
    value: Any = None
    places: Places = None
    start: tuple[int, int] = (1, 1)
    problems: list[Problem] = field(default_factory=list)
    broken: bool = False

    def place(self, path: str) -> tuple[int, int]:
        """Line and column of a path such as `rules[0].where.model`: of its key, or of the item in a list.

        A path that is not there has the place of its nearest parent.
        """
        place, inside = self.start, self.places
        while path and (found := _enter(inside, path.removeprefix("."))):
            (line, column, inside), path = found
            place = line, column
        return place

    def stop(self, place: tuple[int, int], text: str) -> None:
        """Report why the text cannot be read beyond this place."""
        self.problems.append(Problem(self.file, *place, "", text))
        self.broken = True

    def problem(self, path: str, text: str, setting: str = "") -> Problem:
        """A problem at the place of this path; `setting` names an app setting that is not set."""
        return Problem(self.file, *self.place(path), path, text, setting, self._find_rule(path))

    def _find_rule(self, path: str) -> str:
        """The id of the rule that a path leads into; empty where it leads elsewhere."""
        found = _RULE.match(path)
        rules = self.value.get("rules") if found and isinstance(self.value, dict) else None
        if not found or not isinstance(rules, list) or int(found[1]) >= len(rules):
            return ""
        rule = rules[int(found[1])]
        name = rule.get("id") if isinstance(rule, dict) else None
        return name if isinstance(name, str) and _ID.fullmatch(name) else ""


def place_of(event: Any) -> tuple[int, int]:
    """Line and column where a parser's event or node begins, counted from 1."""
    return event.start_mark.line + 1, event.start_mark.column + 1


def join_path(path: str, *parts: str | int) -> str:
    """The path of a key or an index below this one: `join("rules", 0, "do")` is `rules[0].do`."""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def _enter(inside: Places, path: str) -> tuple[tuple[int, int, Places], str] | None:
    """One step down: the place of the first key or index of the path, and the rest of the path."""
    if isinstance(inside, list):
        index = _INDEX.match(path)
        if index and int(index[1]) < len(inside):
            return inside[int(index[1])], path[index.end() :]
    elif inside:
        key = _longest_head(path, inside)
        if key is not None:
            return inside[key], path[len(key) :]
    return None


def _longest_head(path: str, keys: Collection[str]) -> str | None:
    """The longest key that the path begins with; several can, because keys of tags hold dots.

    Whichever are fewer are tried: the places where a key may end, or the keys.
    """
    if path.count(".") + path.count("[") < len(keys):
        ends = [len(path), *(found.start() for found in reversed(list(_END.finditer(path))))]
        return next((path[:end] for end in ends if path[:end] in keys), None)
    heads = (key for key in keys if path.startswith(key) and path[len(key) :][:1] in ("", ".", "["))
    return max(heads, key=len, default=None)
