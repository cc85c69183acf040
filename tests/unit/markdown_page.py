"""A page of the documentation, read: its fences, its headings and its tables."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass
class Fence:
    """One fenced block: `info` is what follows the three backticks."""

    place: str
    info: list[str]
    text: str = ""

    @property
    def file(self) -> str:
        """The name of the file that it shows, or nothing."""
        return self.info[1] if len(self.info) > 1 and "." in self.info[1] else ""


@dataclass
class Page:
    """One document: its fences, its headings, and its tables by heading, first row first."""

    path: Path
    fences: list[Fence] = field(default_factory=list)
    tables: dict[str, list[list[list[str]]]] = field(default_factory=dict)
    prose: list[str] = field(default_factory=list)


@cache
def read_page(path: Path) -> Page:
    page, heading, inside, in_table = Page(path), "", False, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            inside = not inside
            if inside:
                page.fences.append(Fence(f"{path.name}:{number}", line[3:].split()))
        elif inside:
            page.fences[-1].text += line + "\n"
        elif line.startswith("|"):
            tables = page.tables.setdefault(heading, [])
            if not in_table:
                tables.append([])
            if not re.fullmatch(r"[|\s:-]+", line):
                tables[-1].append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        else:
            heading = line.lstrip("# ") if line.startswith("#") else heading
            page.tables.setdefault(heading, [])
            page.prose.append(line)
        in_table = line.startswith("|")
    return page


def names(cells: Iterable[str]) -> list[str]:
    """What is in backticks, without arguments."""
    return [name.split("(")[0] for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
