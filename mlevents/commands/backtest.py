"""`backtest`: how often rules would have fired for events of the past, before and after a change."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mlevents.commands.backtest_report import BacktestReport, DifferentEvent
from mlevents.commands.command import (
    EXIT_PROBLEMS,
    RULES,
    AsJson,
    EnvironmentName,
    RulesFile,
    command,
    exit_with_error,
    load_rules_or_exit,
    print_json,
)
from mlevents.commands.event_file import read_event_files
from mlevents.commands.rules_argument import split_rules
from mlevents.commands.workspace_events import (
    DEFAULT_SINCE,
    SaveTo,
    Since,
    WorkspaceName,
    check_save,
    rebuild_workspace_events,
    save_or_exit,
)
from mlevents.errors import EventError
from mlevents.events import parse_all
from mlevents.rule_tests.backtest import BacktestSide, find_differences

EventPaths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="EVENTS", help="Files of events, or folders of such files; a YAML file is the rules."
    ),
]
Against = Annotated[
    Path | None,
    typer.Option("--against", help="The rule file before the change: --rules names the one after it."),
]
FailIfDifferent = Annotated[
    bool, typer.Option("--same", help="Exit 1 as well when an event makes a difference.")
]


@command("backtest")
def backtest(  # noqa: PLR0913 - each parameter is an option
    events: EventPaths = None,
    *,
    against: Against = None,
    rules: RulesFile = RULES,
    env: EnvironmentName = "",
    workspace: WorkspaceName = None,
    since: Since = DEFAULT_SINCE,
    save: SaveTo = None,
    same: FailIfDifferent = False,
    as_json: AsJson = False,
) -> None:
    """Count how often each rule would fire for past events, and show what a change of the rules changes."""
    files, rules = split_rules(events or (), rules)
    if bool(files) == bool(workspace):
        exit_with_error("give either EVENTS, files and folders of events, or --workspace")
    if same and not against:
        exit_with_error("--same compares with another rule file: name it with --against")
    check_save(save, rebuilds=bool(workspace))
    loaded = load_rules_or_exit(rules, env)
    before = BacktestSide(load_rules_or_exit(against, env)) if against else None
    rebuilt = rebuild_workspace_events(loaded, workspace, since) if workspace else None
    save_or_exit(rebuilt, save)
    report = BacktestReport(before, BacktestSide(loaded), rebuilt)
    _count(report, rebuilt.files() if rebuilt else _read(files))
    if as_json:
        print_json(report.to_json())
    else:
        report.show()
    if report.errors or (same and report.different):
        raise typer.Exit(EXIT_PROBLEMS)


def _read(names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    return (one for name in names for one in read_event_files(name))


def _count(report: BacktestReport, files: Iterable[tuple[str, Any]]) -> None:
    """Ask the rules about each event of each file."""
    for file, document in files:
        [event] = parse_all([document])
        report.events += 1
        if isinstance(event, EventError):
            report.errors.append((file, event))
        elif report.before is None:
            report.after.count_event(event)
        else:
            differences = find_differences(report.before, report.after, event)
            report.different += [DifferentEvent(file, event, one) for one in differences]
