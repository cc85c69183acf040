"""`diff`: what a change of the rules means, for a pull request."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from mlevents.commands.backtest_report import DifferentEvent
from mlevents.commands.command import (
    EXIT_PROBLEMS,
    AsJson,
    EnvironmentName,
    command,
    exit_with_error,
    print_json,
    read_settings,
)
from mlevents.commands.event_file import read_event_files
from mlevents.commands.explain_rule import format_found, format_value
from mlevents.commands.rules_diff import RulesChange, RulesDiff, compare_rules
from mlevents.commands.rules_version import load_version
from mlevents.commands.terminal import escape_text
from mlevents.errors import EventError
from mlevents.events import parse_all
from mlevents.rule_tests.backtest import BacktestSide, find_differences
from mlevents.rules.model import Rules

MOST_EVENTS = 20
"""The events that people are shown; `--json` has all of them."""

OldRules = Annotated[
    str, typer.Argument(metavar="OLD", help="A rule file, a folder, or git:REF such as git:origin/main.")
]
NewRules = Annotated[str, typer.Argument(metavar="NEW", help="The rules after the change.")]
EventFolder = Annotated[
    list[str] | None, typer.Option("--events", help="Recorded events: a file, or a folder of files.")
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")]


@command("diff")
def diff(  # noqa: PLR0913 - each parameter is an option
    old: OldRules,
    new: NewRules,
    *,
    events: EventFolder = None,
    env: EnvironmentName = "",
    markdown: AsMarkdown = False,
    as_json: AsJson = False,
) -> None:
    """Show what a change of the rules means; exit 1 if anything differs."""
    if markdown and as_json:
        exit_with_error("--json and --markdown: choose one")
    before, after = load_version(old, new, env), load_version(new, old, env)
    found = compare_rules(before, after, read_settings(after.path, env))
    decided = list(_decide(before, after, events or []))
    if as_json:
        print_json(_to_json(found, decided))
    else:
        for line in _list_lines(found, decided, markdown):
            typer.echo(line)
    if found or decided:
        raise typer.Exit(EXIT_PROBLEMS)


def _decide(old: Rules, new: Rules, names: list[str]) -> Iterator[DifferentEvent]:
    """Each event and rule that the two sides decide differently."""
    before, after = BacktestSide(old), BacktestSide(new)
    for file, document in (one for name in names for one in read_event_files(name)):
        [event] = parse_all([document])
        if isinstance(event, EventError):
            exit_with_error(f"{file}: this event cannot be read: {event}")
        yield from (DifferentEvent(file, event, one) for one in find_differences(before, after, event))


def _to_json(found: RulesDiff, decided: list[DifferentEvent]) -> dict[str, Any]:
    def changes(several: list[RulesChange]) -> list[dict[str, Any]]:
        return [one.to_json() for one in several]

    return {
        "different": bool(found or decided),
        "added": found.added,
        "removed": found.removed,
        "changed": [{"id": name, "changes": changes(several)} for name, several in found.changed.items()],
        "sections": changes(found.sections),
        "filters": changes(found.filters),
        "rights": changes(found.rights),
        "events": [one.to_json() for one in decided],
    }


def _escape(text: str, markdown: bool) -> str:
    """A line for people; in Markdown as code, so that no tag of an event becomes markup."""
    shown = escape_text(text)
    return f"`` {shown} ``" if markdown else shown


def _list_lines(found: RulesDiff, decided: list[DifferentEvent], markdown: bool) -> Iterator[str]:
    if not (found or decided):
        yield "The rules mean the same."
        return
    title = "### " if markdown else ""
    for heading, names in (("Rules added", found.added), ("Rules removed", found.removed)):
        yield from _list_section(f"{title}{heading}", names, markdown)
    for name, several in found.changed.items():
        yield from _list_section(f"{title}Rule {name} changed", several, markdown)
    yield from _list_section(f"{title}Other sections", found.sections, markdown)
    yield from _list_section(f"{title}Event Grid filters", found.filters, markdown)
    yield from _list_section(f"{title}Rights of the app", found.rights, markdown)
    lines = [_describe_decision(one) for one in islice(decided, MOST_EVENTS)]
    more = len(decided) - len(lines)
    lines += [f"and {more} more: see --json"] if more else []
    yield from _list_section(f"{title}Events decided differently: {len(decided)}", lines, markdown)


def _list_section(heading: str, lines: list[Any], markdown: bool) -> Iterator[str]:
    if lines:
        yield heading
        yield from (f"{'- ' if markdown else '  '}{_escape(str(line), markdown)}" for line in lines)
        yield ""


def _describe_decision(different: DifferentEvent) -> str:
    words = {True: "fires", False: "does not fire", None: "no such rule"}
    event, one = different.event, different.difference
    failed = one.failed
    why = (
        failed
        and f": {failed.path}: wanted {format_value(failed.wanted)}, found {format_found(failed.found)}"
    )
    change = f"{words[one.before.matches]} → {words[one.after.matches]}"
    return f"{one.rule}: {change} for {event.type} {event.subject} ({different.file}){why or ''}"
