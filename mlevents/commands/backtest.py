"""`backtest`: what another rule file would have made of the same events."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from mlevents.commands.command import (
    EXIT_PROBLEMS,
    RULES,
    AsJson,
    RulesFile,
    command,
    load_rules_or_exit,
    print_json,
    print_line,
)
from mlevents.commands.event_file import read_event_files
from mlevents.commands.explain_rule import format_found, format_value
from mlevents.errors import EventError
from mlevents.events import Event, parse_all
from mlevents.rule_tests.backtest import BacktestSide, Difference, RuleResult, find_differences

EventPaths = Annotated[
    list[str], typer.Argument(metavar="EVENTS", help="Files of events, or folders of such files.")
]
Against = Annotated[Path, typer.Option("--against", help="The rule file to compare with.")]
FailIfDifferent = Annotated[
    bool, typer.Option("--same", help="Exit 1 as well when an event makes a difference.")
]


@dataclass(slots=True)
class BacktestReport:
    """What the events brought to light; each with the file in which its event stands."""

    events: int = 0
    different: list[tuple[str, Event, Difference]] = field(default_factory=list)
    errors: list[tuple[str, EventError]] = field(default_factory=list)


@command("backtest")
def backtest(
    events: EventPaths,
    against: Against,
    rules: RulesFile = RULES,
    same: FailIfDifferent = False,
    as_json: AsJson = False,
) -> None:
    """Count how often each rule would fire with these rules and with others, and show what differs."""
    these, others = BacktestSide(load_rules_or_exit(rules)), BacktestSide(load_rules_or_exit(against))
    found = _findings(events, these, others)
    if as_json:
        print_json(_as_json(found, these, others))
    else:
        _show(found, these, others)
    if found.errors or (same and found.different):
        raise typer.Exit(EXIT_PROBLEMS)


def _findings(names: list[str], these: BacktestSide, others: BacktestSide) -> BacktestReport:
    found = BacktestReport()
    for file, document in (one for name in names for one in read_event_files(name)):
        [event] = parse_all([document])
        found.events += 1
        if isinstance(event, EventError):
            found.errors.append((file, event))
        else:
            found.different += [(file, event, one) for one in find_differences(these, others, event)]
    return found


def _counts(these: BacktestSide, others: BacktestSide) -> Iterator[tuple[str, int | None, int | None]]:
    """Each rule with its responses on both sides, these rules' order first."""
    for name in dict.fromkeys([*these.rules, *others.rules]):
        yield name, these.count_responses(name), others.count_responses(name)


def _as_json(found: BacktestReport, these: BacktestSide, others: BacktestSide) -> dict[str, Any]:
    counts = _counts(these, others)
    return {
        "events": found.events,
        "rules": [{"id": name, "these": one, "others": other} for name, one, other in counts],
        "different": [_difference_json(*one) for one in found.different],
        "errors": [{"file": file, "error": str(error)} for file, error in found.errors],
    }


def _difference_json(file: str, event: Event, one: Difference) -> dict[str, Any]:
    failed = one.failed
    return {
        "file": file,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "rule": one.rule,
        "these": one.these.matches,
        "others": one.others.matches,
        "because": failed and {"path": failed.path, "wanted": failed.wanted, "found": failed.found},
    }


def _show(found: BacktestReport, these: BacktestSide, others: BacktestSide) -> None:
    counts = list(_counts(these, others))
    width = max((len(name) for name, *_ in counts), default=0)
    print_line((f"{'':{width}}  {'others':>7}  {'these':>7}", "dim"))
    for name, one, other in counts:
        style = "" if one == other else "bold"
        print_line((f"{name:{width}}  {_count(other):>7}  {_count(one):>7}", style))
    for _, several in groupby(found.different, key=lambda one: id(one[1])):
        _show_differences(list(several))
    for file, error in found.errors:
        print_line((f"{file}: this event cannot be read: ", "bold red"), str(error))
    number = len({id(event) for _, event, _ in found.different})
    print_line(
        (
            f"{found.events} event{'' if found.events == 1 else 's'}, {number} of them make a difference",
            "bold",
        )
    )


def _show_differences(several: list[tuple[str, Event, Difference]]) -> None:
    """One event and the rules to which it makes a difference."""
    file, event, _ = several[0]
    print_line((event.type, "bold"), f"  {event.subject}  {event.id}  ", (file, "dim"))
    for _, _, one in several:
        print_line(f"  {one.rule}: {_word(one.others)} → {_word(one.these)}", (_why(one), "dim"))


def _why(one: Difference) -> str:
    failed = one.failed
    if failed is None:
        return ""
    return f"  {failed.path}: wanted {format_value(failed.wanted)}, found {format_found(failed.found)}"


def _word(answer: RuleResult) -> str:
    return {True: "✓", False: "✗", None: "no such rule"}[answer.matches]


def _count(number: int | None) -> str:
    return "–" if number is None else str(number)
