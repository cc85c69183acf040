"""`diff`: what a change of the rules means, for a pull request."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NoReturn

import typer

from mlevents.commands.backtest_report import DifferentEvent
from mlevents.commands.command import (
    EXIT_USAGE,
    RULES,
    AllEnvironments,
    AsJson,
    EnvironmentName,
    command,
    exit_with_error,
    print_json,
    read_settings,
)
from mlevents.commands.diff_report import DiffReport, EnvironmentDiff, show_error
from mlevents.commands.event_file import read_event_files
from mlevents.commands.progress_bar import track_items
from mlevents.commands.rules_diff import compare_rules
from mlevents.commands.rules_version import RulesVersion, open_version
from mlevents.commands.workspace_events import (
    DEFAULT_SINCE,
    RebuiltEvents,
    Since,
    WorkspaceName,
    rebuild_workspace_events,
)
from mlevents.errors import ConfigError, EventError, RulesError
from mlevents.events import Event, parse_all
from mlevents.rule_tests.backtest import BacktestSide, find_differences
from mlevents.rules.environment_file import has_environment, list_environments

OldRules = Annotated[
    str, typer.Argument(metavar="OLD", help="A rule file, a folder, or git:REF such as git:origin/main.")
]
NewRules = Annotated[
    str, typer.Argument(metavar="NEW", envvar="MLEVENTS_RULES", help="The rules after the change.")
]
EventFolder = Annotated[
    list[str] | None, typer.Option("--events", help="Recorded events: a file, or a folder of files.")
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")]
PastEvents = list[tuple[str, Event]]


@command("diff")
def diff(  # noqa: PLR0913, PLR0917 - each parameter is an option
    old: OldRules,
    new: NewRules = str(RULES),
    events: EventFolder = None,
    workspace: WorkspaceName = None,
    since: Since = DEFAULT_SINCE,
    env: EnvironmentName = "",
    all_environments: AllEnvironments = False,
    markdown: AsMarkdown = False,
    as_json: AsJson = False,
) -> None:
    """Show what a change of the rules means; exit 1 if anything differs."""
    if markdown and as_json:
        exit_with_error("--json and --markdown: choose one")
    if env and all_environments:
        exit_with_error("--env and --all-environments: choose one")
    if events and workspace:
        exit_with_error("--events and --workspace: choose one")
    try:
        with open_version(old, new) as before, open_version(new, old) as after:
            rebuilt = _rebuild(after, env, workspace, since)
            past = list(_parse(rebuilt.files() if rebuilt else _read(events or [])))
            names = _list_all(before, after) if all_environments else []
            report = DiffReport(
                _compare(before, after, env, past),
                [_compare_environment(before, after, name, past) for name in names],
                rebuilt,
            )
    except ConfigError as error:
        _exit_unreadable(error, markdown)
    if as_json:
        print_json(report.to_json())
    else:
        report.show(markdown)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _compare(before: RulesVersion, after: RulesVersion, env: str, past: PastEvents) -> EnvironmentDiff:
    """The differences in one environment. A side whose file is not there has the rules themselves."""
    having = [one for one in (before, after) if has_environment(one.path, env)]
    old, new = (one.load(env if one in having or not having else "") for one in (before, after))
    found = compare_rules(old, new, read_settings(after.path, env))
    sides = BacktestSide(old), BacktestSide(new)
    decided = [
        DifferentEvent(file, event, one)
        for file, event in track_items(past, "comparing events", len(past))
        for one in find_differences(*sides, event)
    ]
    return EnvironmentDiff(env, found, decided)


def _compare_environment(
    before: RulesVersion, after: RulesVersion, name: str, past: PastEvents
) -> EnvironmentDiff:
    """The differences in one of all environments, or why its rules cannot be read."""
    try:
        return _compare(before, after, name, past)
    except ConfigError as error:
        return EnvironmentDiff(name, error=str(error))


def _list_all(before: RulesVersion, after: RulesVersion) -> list[str]:
    return sorted({name for one in (before, after) for name in list_environments(one.path)})


def _rebuild(after: RulesVersion, env: str, workspace: str | None, since: str) -> RebuiltEvents | None:
    return rebuild_workspace_events(after.load(env), workspace, since) if workspace else None


def _read(names: list[str]) -> Iterator[tuple[str, Any]]:
    return (one for name in names for one in read_event_files(name))


def _parse(files: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Event]]:
    for file, document in files:
        [event] = parse_all([document])
        if isinstance(event, EventError):
            exit_with_error(f"{file}: this event cannot be read: {event}")
        yield file, event


def _exit_unreadable(error: ConfigError, markdown: bool) -> NoReturn:
    """Say why a side cannot be read: in Markdown for the pull request, else as every command does."""
    if markdown:
        show_error(str(error))
        raise typer.Exit(EXIT_USAGE)
    if isinstance(error, RulesError):
        exit_with_error("the rules cannot be compared: correct their problems", problems=error.problems)
    exit_with_error(str(error))
