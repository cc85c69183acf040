"""Events that commands read from Azure ML's memory, with `--workspace`, `--model` and `--run`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from mlevents.commands.command import EXIT_PROBLEMS, exit_with_error, print_line
from mlevents.commands.history_progress import show_progress
from mlevents.commands.progress_bar import track_items
from mlevents.doctor.resource_checks import SIGN_IN_REMEDY
from mlevents.duration import parse_duration
from mlevents.errors import ActionError, ConfigError
from mlevents.event_history.event_folder import check_new_folder, save_events
from mlevents.event_history.history import LIMITS, EventHistory
from mlevents.event_history.lookup import find_model_event, find_run_events
from mlevents.event_history.rebuilt_event import EventDocument
from mlevents.event_history.throttling import ThrottlePatience
from mlevents.events.content import instant
from mlevents.registry import did_you_mean
from mlevents.rules.model import Rules
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.services import Services
from mlevents.settings import Settings
from mlevents.workspace_id import WorkspaceId

DEFAULT_SINCE = "30d"
LIMITS_OF_ONE = LIMITS[:2]
"""What cannot be rebuilt of one model or run."""

WorkspaceName = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        help="Rebuild events from what Azure ML remembers in this workspace: its name in the rule file, "
        "or its resource id.",
    ),
]
Since = Annotated[
    str,
    typer.Option("--since", help="How far back events are rebuilt: such as 30d or 12h, or a time."),
]
SaveTo = Annotated[
    Path | None, typer.Option("--save", help="Save the rebuilt events in this new or empty folder.")
]
ModelName = Annotated[
    str | None, typer.Option("--model", metavar="NAME:VERSION", help="Explain a registered model's event.")
]
RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="Explain the last events of a run.")]


@dataclass(frozen=True, slots=True)
class RebuiltEvents:
    """Events of a workspace, as Azure would have sent them; `limits` says what they are not."""

    workspace: str
    events: list[EventDocument]
    limits: tuple[str, ...]
    since: datetime | None = None

    def files(self) -> Iterator[tuple[str, Any]]:
        """Each event with the place that it comes from, as of events in files."""
        events = track_items(self.events, "reading events", len(self.events))
        return ((self.workspace, event) for event in events)

    def to_json(self) -> dict[str, Any]:
        """Where the events come from, for programs."""
        since = self.since and self.since.isoformat()
        document = {"workspace": self.workspace, "since": since, "events": len(self.events)}
        return document | {"not_rebuilt": list(self.limits)}

    def __str__(self) -> str:
        since = f" since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        number = f"{len(self.events)} event{'' if len(self.events) == 1 else 's'}"
        return f"{number} rebuilt from workspace {self.workspace}{since}"

    def show(self) -> None:
        """Where the events come from, for people."""
        print_line((str(self), "bold"))
        for limit in self.limits:
            print_line(("  not rebuilt: ", "yellow"), limit)


def rebuild_workspace_events(rules: Rules, name: str, since: str = DEFAULT_SINCE) -> RebuiltEvents:
    """The events of a workspace since then; exits with the reason where that cannot be done."""
    moment, place = parse_since(since), find_workspace(rules, name)
    with _errors_exit(), show_progress() as progress:
        workspace = _open(place)
        patience = ThrottlePatience(notify=progress.wait)
        history = EventHistory(place, moment, workspace.models, workspace.runs, patience, progress)
        return RebuiltEvents(WorkspaceId.parse(place).name, history.read_events(), LIMITS, moment)


def rebuild_model(rules: Rules, name: str | None, model: str) -> RebuiltEvents:
    """The event of one model; exits with the reason where that cannot be done."""
    return _look_up(rules, name, lambda found, topic: [find_model_event(found.models, topic, model)])


def rebuild_run(rules: Rules, name: str | None, run: str) -> RebuiltEvents:
    """The last events of one run; exits with the reason where that cannot be done."""
    return _look_up(rules, name, lambda found, topic: find_run_events(found.runs, topic, run))


def check_save(folder: Path | None, *, rebuilds: bool) -> None:
    """Exit where the events could not be saved in this folder: known before they are read from Azure ML."""
    if folder is None:
        return
    if not rebuilds:
        exit_with_error("--save is for events from a workspace: name it with --workspace")
    try:
        check_new_folder(folder)
    except OSError as error:
        exit_with_error(str(error))


def save_or_exit(rebuilt: RebuiltEvents | None, folder: Path | None) -> None:
    """Save the events as a folder that commands read, where one is named."""
    if folder is None or rebuilt is None:
        return
    try:
        save_events(folder, rebuilt.events)
    except OSError as error:
        exit_with_error(f"{folder}: cannot be written: {error.strerror}")


def find_workspace(rules: Rules, name: str | None) -> str:
    """The resource id of a workspace, by its name in the rule file; the only one when none is named."""
    known = rules.workspaces
    if name is None:
        if len(known) != 1:
            listed = f": it is one of {', '.join(known)}" if known else ": give its resource id"
            exit_with_error(f"name the workspace with --workspace{listed}")
        return next(iter(known.values()))
    if name in known:
        return known[name]
    try:
        return WorkspaceId.parse(name).id
    except ValueError:
        near = did_you_mean(name, known) or (f": there are {', '.join(known)}" if known else "")
        exit_with_error(f"the rule file lists no workspace '{name}'{near}; a resource id will do too")


def parse_since(text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> datetime:
    """The time that a duration before now, or a time, names; exits for any other text."""
    try:
        return now() - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(instant(text))
    except ValueError:
        exit_with_error(f"'{text}' is not a valid time: write one such as 30d, 12h or 2030-01-31T12:00:00Z")


def _look_up(
    rules: Rules, name: str | None, find: Callable[[MachineLearning, str], list[EventDocument]]
) -> RebuiltEvents:
    place = find_workspace(rules, name)
    with _errors_exit():
        workspace = _open(place)
        found = ThrottlePatience().read(lambda: find(workspace, place))
        return RebuiltEvents(WorkspaceId.parse(place).name, found, LIMITS_OF_ONE)


def _open(place: str) -> MachineLearning:
    """The workspace's client. Signs in first, because reads are retried and a sign-in that fails is not."""
    services = Services(Settings.read())
    try:
        services.resource_manager().identity()
    except ActionError as error:
        exit_with_error(f"{error}; {SIGN_IN_REMEDY}", EXIT_PROBLEMS)
    return services.machine_learning(place)


@contextmanager
def _errors_exit() -> Iterator[None]:
    try:
        yield
    except (ActionError, ConfigError) as error:
        exit_with_error(str(error), EXIT_PROBLEMS)
