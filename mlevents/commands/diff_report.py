"""What `diff` found, in each environment: for people, for programs, and as Markdown for a pull request."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import typer

from mlevents.commands.backtest_report import DifferentEvent
from mlevents.commands.command import EXIT_PROBLEMS, EXIT_USAGE
from mlevents.commands.rules_diff import RulesChange, RulesDiff
from mlevents.commands.terminal import escape_text
from mlevents.commands.workspace_events import RebuiltEvents
from mlevents.explanations.value_format import format_found, format_value

MAX_DECISIONS = 20
"""The events that people are shown; `--json` has all of them."""
MAX_LINES = 50
"""The lines of a section in Markdown: GitHub takes comments of 65,536 characters."""
NO_DIFFERENCE = RulesDiff([], [], {}, [], [], [])


@dataclass(frozen=True, slots=True)
class EnvironmentDiff:
    """The differences in one environment; `error` says why there is no comparison."""

    environment: str
    rules: RulesDiff = NO_DIFFERENCE
    decided: list[DifferentEvent] = field(default_factory=list)
    error: str = ""

    def __bool__(self) -> bool:
        return bool(self.rules or self.decided)

    def to_json(self) -> dict[str, Any]:
        """The differences for programs."""
        if self.error:
            return {"error": self.error}
        found = self.rules
        return {
            "different": bool(self),
            "added": found.added,
            "removed": found.removed,
            "changed": [{"id": name, "changes": _to_json(many)} for name, many in found.changed.items()],
            "sections": _to_json(found.sections),
            "filters": _to_json(found.filters),
            "rights": _to_json(found.rights),
            "events": [one.to_json() for one in self.decided],
        }

    def sections(self) -> Iterator[tuple[str, Sequence[object]]]:
        """Each heading with its lines."""
        found = self.rules
        yield "Rules added", found.added
        yield "Rules removed", found.removed
        yield from ((f"Rule {name} changed", several) for name, several in found.changed.items())
        yield "Other sections", found.sections
        yield "Event Grid filters", found.filters
        yield "Rights of the app", found.rights
        lines = [_describe_decision(one) for one in islice(self.decided, MAX_DECISIONS)]
        more = len(self.decided) - len(lines)
        yield (
            f"Events decided differently: {len(self.decided)}",
            [*lines, *([f"and {more} more: see --json"] if more else [])],
        )


@dataclass(frozen=True, slots=True)
class DiffReport:
    """The differences of the rules, and those in other environments that were asked for."""

    first: EnvironmentDiff
    others: list[EnvironmentDiff]
    rebuilt: RebuiltEvents | None = None

    @property
    def exit_code(self) -> int:
        """What the command answers: 0 for no difference, 2 where a side cannot be read."""
        if any(one.error for one in self.others):
            return EXIT_USAGE
        return EXIT_PROBLEMS if self.first or any(self.others) else 0

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        environments = {one.environment: one.to_json() for one in self.others}
        history = {"history": self.rebuilt.to_json()} if self.rebuilt else {}
        return self.first.to_json() | ({"environments": environments} if environments else {}) | history

    def show(self, markdown: bool) -> None:
        """Print the report for people; an environment with the differences of the rules says only that."""
        if self.rebuilt and not markdown:
            self.rebuilt.show()
        _show_differences(self.first, markdown)
        for one in self.others:
            typer.echo(f"{'## ' if markdown else ''}Environment {one.environment}")
            if one.error:
                show_error(one.error)
            elif one and (one.rules, one.decided) == (self.first.rules, self.first.decided):
                typer.echo("The same differences as above.\n")
            else:
                _show_differences(one, markdown)
        if self.rebuilt and markdown:
            typer.echo(str(self.rebuilt))


def show_error(text: str) -> None:
    """Print why the rules cannot be compared, as Markdown."""
    typer.echo("The rules cannot be compared:\n")
    for line in text.splitlines():
        typer.echo(f"- {_quote(line, True)}")
    typer.echo("")


def _show_differences(found: EnvironmentDiff, markdown: bool) -> None:
    if not found:
        typer.echo("The rules mean the same." + ("\n" if found.environment else ""))
    for heading, lines in found.sections():
        if lines:
            typer.echo(f"{'### ' if markdown else ''}{heading}")
            for line in lines[: MAX_LINES if markdown else None]:
                typer.echo(f"{'- ' if markdown else '  '}{_quote(str(line), markdown)}")
            if markdown and len(lines) > MAX_LINES:
                typer.echo(f"- and {len(lines) - MAX_LINES} more: `mlevents diff` prints all")
            typer.echo("")


def _quote(text: str, markdown: bool) -> str:
    """A line for people; in Markdown as code, so that no tag of an event becomes markup."""
    line = escape_text(text)
    if not markdown:
        return line
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=1))
    return f"{fence} {line} {fence}"


def _to_json(several: list[RulesChange]) -> list[dict[str, Any]]:
    return [one.to_json() for one in several]


def _describe_decision(one: DifferentEvent) -> str:
    words = {True: "fires", False: "does not fire", None: "no such rule"}
    found, event = one.difference, one.event
    failed = found.failed
    why = (
        failed
        and f": {failed.path}: wanted {format_value(failed.wanted)}, found {format_found(failed.found)}"
    )
    change = f"{words[found.before.matches]} → {words[found.after.matches]}"
    return f"{found.rule}: {change} for {event.type} {event.subject} ({one.file}){why or ''}"
