"""`explain`: which rules an event matches, and why it does not match the others."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

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
    print_line,
)
from mlevents.commands.event_file import read_event_files, read_events
from mlevents.commands.explain_rule import print_explanation
from mlevents.commands.explain_summary import show_summary, summarize_matches
from mlevents.commands.progress_bar import track_items
from mlevents.commands.rules_argument import split_rules
from mlevents.commands.workspace_events import (
    DEFAULT_SINCE,
    ModelName,
    RebuiltEvents,
    RunId,
    SaveTo,
    Since,
    WorkspaceName,
    check_save,
    rebuild_model,
    rebuild_run,
    rebuild_workspace_events,
    save_or_exit,
)
from mlevents.errors import EventError
from mlevents.events.content import instant
from mlevents.explanations.event_explanation import EventExplanation, choose_time, error_json, explain_events
from mlevents.explanations.rule_explanation import ExplainContext
from mlevents.registry import did_you_mean
from mlevents.rules.model import Rules
from mlevents.settings import Settings

MAX_SHOWN = 20
"""So many events are shown one by one unless `--each` asks for all."""

Events = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="EVENT.json",
        help="Files or folders of events; - is standard input; a YAML file is the rules.",
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        help="The time for max_age, such as 2030-01-31T12:00:00Z; the default is now, "
        "and for a rebuilt event its own time.",
    ),
]
OneRule = Annotated[str | None, typer.Option("--rule", metavar="ID", help="Explain this rule only.")]
ShowEach = Annotated[
    bool, typer.Option("--each", help=f"Show each event, also when there are more than {MAX_SHOWN}.")
]


@dataclass(frozen=True, slots=True)
class ExplainReport:
    """Every event explained, where the events come from, and the time that `--at` names."""

    explained: list[EventExplanation | EventError]
    rebuilt: RebuiltEvents | None
    at: datetime | None

    @property
    def has_errors(self) -> bool:
        """Whether an event cannot be read."""
        return any(isinstance(one, EventError) for one in self.explained)

    def to_json(self) -> dict[str, Any]:
        """The report for programs; the summary only of several events."""
        events = [error_json(one) if isinstance(one, EventError) else one.to_json() for one in self.explained]
        summary = {"summary": [one.to_json() for one in self._summaries()]} if len(events) > 1 else {}
        history = {"history": self.rebuilt.to_json()} if self.rebuilt else {}
        return {"events": events, **summary, **history}

    def show(self, each: bool) -> None:
        """Print the report for people."""
        if self.rebuilt:
            self.rebuilt.show()
        now, depth = datetime.now(UTC), Settings.read().max_depth
        shown = each or len(self.explained) <= MAX_SHOWN
        for one in self.explained:
            if isinstance(one, EventError):
                print_line(("this event cannot be read: ", "bold red"), str(one))
            elif shown:
                time = choose_time(one.event, self.at, now, rebuilt=self.rebuilt is not None)
                print_explanation(one, ExplainContext(time, depth))
        if len(self.explained) > 1:
            show_summary(self._summaries(), len(self.explained))

    def _summaries(self) -> list[Any]:
        found = (one for one in self.explained if isinstance(one, EventExplanation))
        return summarize_matches(match for one in found for match in one.matches)


@command("explain")
def explain(  # noqa: PLR0913 - each parameter is an option
    events: Events = None,
    *,
    rules: RulesFile = RULES,
    env: EnvironmentName = "",
    rule: OneRule = None,
    model: ModelName = None,
    run: RunId = None,
    workspace: WorkspaceName = None,
    since: Since = DEFAULT_SINCE,
    save: SaveTo = None,
    at: At = None,
    each: ShowEach = False,
    as_json: AsJson = False,
) -> None:
    """Show which rules each event matches and what they would do, and why the others do not match."""
    files, rules = split_rules(events or (), rules)
    check_save(save, rebuilds=any((model, run, workspace)))
    loaded, time = load_rules_or_exit(rules, env), _parse_time(at)
    _check_rule(rule, loaded)
    rebuilt = _rebuild(loaded, (files, model, run), workspace, since)
    save_or_exit(rebuilt, save)
    documents = rebuilt.events if rebuilt else [one for name in files for one in _read(name, as_json)]
    explained = _explain(documents, loaded, rule)
    report = ExplainReport(explained, rebuilt, time)
    if as_json:
        print_json(report.to_json())
    else:
        report.show(each)
    if report.has_errors:
        raise typer.Exit(EXIT_PROBLEMS)


def _rebuild(
    rules: Rules, named: tuple[list[str], str | None, str | None], workspace: str | None, since: str
) -> RebuiltEvents | None:
    """The events that Azure ML remembers; None where a file has them."""
    files, model, run = named
    if sum(map(bool, named)) > 1 or (files and workspace):
        exit_with_error("give one of EVENT.json, --model, --run, or --workspace alone")
    if model:
        return rebuild_model(rules, workspace, model)
    if run:
        return rebuild_run(rules, workspace, run)
    if workspace:
        return rebuild_workspace_events(rules, workspace, since)
    if not files:
        exit_with_error("name the events: EVENT.json, --model NAME:VERSION, --run ID, or --workspace NAME")
    return None


def _explain(documents: list[Any], rules: Rules, rule: str | None) -> list[EventExplanation | EventError]:
    """Every event explained; a file that is not JSON comes first, as its error."""
    errors = [one for one in documents if isinstance(one, EventError)]
    readable = [one for one in documents if not isinstance(one, EventError)]
    explained = explain_events(readable, rules, rule)
    return [*errors, *track_items(explained, "explaining events", len(readable))]


def _read(name: str, as_json: bool) -> list[Any]:
    """The events of a file or folder; for a file that is not JSON, programs get the error in the document."""
    if Path(name).is_dir():
        return [document for _, document in read_event_files(name)]
    try:
        return read_events(name)
    except EventError as error:
        if as_json:
            return [error]
        exit_with_error(f"{error}: name a file of events", EXIT_PROBLEMS)


def _check_rule(rule: str | None, rules: Rules) -> None:
    known = [one.id for one in rules.rules]
    if rule is not None and rule not in known:
        exit_with_error(f"there is no rule '{rule}'{did_you_mean(rule, known) or ': ' + ', '.join(known)}")


def _parse_time(at: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(instant(at)) if at else None
    except ValueError:
        exit_with_error(f"'{at}' is not a valid time: write one such as 2030-01-31T12:00:00Z")
