"""`replay`: deliver dead letters again, as Event Grid does; no event acts twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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
    print_json,
)
from mlevents.commands.operator.letter_plans import AppPlans, LocalPlans
from mlevents.commands.operator.letter_replay import LetterReplay
from mlevents.commands.operator.quarantine_replay import replay_quarantine
from mlevents.commands.operator.replay_report import ReplayReport, list_problems, show_letter
from mlevents.commands.operator.response_list import read_moment
from mlevents.commands.operator.send import deliver_event, find_webhook
from mlevents.commands.operator.webhook_target import OpenTarget, WebhookTarget
from mlevents.commands.option_groups import expand_options
from mlevents.commands.progress_bar import track_items
from mlevents.errors import ActionError, ConfigError, EventError
from mlevents.eventgrid.dead_letter_store import DeadLetterStore, StoredLetter, open_store, read_blob
from mlevents.eventgrid.letter_filter import LetterFilter
from mlevents.events.dead_letter import DeadLetter
from mlevents.services.blob_container import StoredBlob

FEW_LETTERS = 20
"""So many dead letters are shown one by one; of more, those with a problem."""

LetterSource = Annotated[
    str,
    typer.Argument(
        show_default=False,
        metavar="PATH|CONTAINER_URL",
        help="A folder or file, or https://ACCOUNT.blob.core.windows.net/dead-letters[/PREFIX].",
    ),
]
FromQuarantine = Annotated[
    bool, typer.Option("--quarantine", help="The events that the app could not understand.")
]
ReplayDryRun = Annotated[bool, typer.Option("--dry-run", help="Explain each, and send nothing.")]
ReplayRate = Annotated[float, typer.Option(min=0.1, max=1000, help="The most deliveries in a second.")]


@dataclass(frozen=True, slots=True)
class ReplayFilters:
    """What narrows dead letters down; `*` stands for any text."""

    since: Annotated[
        str,
        typer.Option(metavar="TIME", show_default=False, help="Events since then: 12h, 7d, or ISO 8601."),
    ] = ""
    until: Annotated[
        str,
        typer.Option(metavar="TIME", show_default=False, help="Events before then: 12h, 7d, or ISO 8601."),
    ] = ""
    type: Annotated[
        str, typer.Option(show_default=False, help="Those of one type: model.registered or ModelRegistered.")
    ] = ""
    subject: Annotated[
        str, typer.Option(show_default=False, help="Those with this subject, such as 'models/fraud-*'.")
    ] = ""
    reason: Annotated[
        str, typer.Option(show_default=False, help="Those with this deadLetterReason, such as '*Forbidden'.")
    ] = ""

    def read(self, now: datetime) -> LetterFilter:
        """The filter; exits for a time that cannot be read."""
        since = read_moment("--since", self.since, now) if self.since else None
        until = read_moment("--until", self.until, now) if self.until else None
        return LetterFilter(since, until, self.type, self.subject, self.reason)


@command("replay")
@expand_options
def replay(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    filters: ReplayFilters,
    target: WebhookTarget,
    source: LetterSource = "",
    quarantine: FromQuarantine = False,
    dry_run: ReplayDryRun = False,
    rules: RulesFile = RULES,
    env: EnvironmentName = "",
    rate: ReplayRate = 20.0,
    as_json: AsJson = False,
) -> None:
    """Deliver dead letters, or events in quarantine, again: nothing acts twice, and nothing is deleted.

    A dry run explains each by the rules of the app, or without one by the rule file here.
    """
    chosen = filters.read(datetime.now(UTC))
    if bool(source) == quarantine:
        exit_with_error("name where dead letters are: PATH, CONTAINER_URL, or --quarantine alone")
    if quarantine:
        return replay_quarantine(target.options.open(), chosen, dry_run, as_json)
    report = ReplayReport(source, dry_run)
    if dry_run and not target.is_chosen:
        work = LetterReplay(LocalPlans(rules, env), None, rate)
    else:
        work = open_replay(target.open(), report, dry_run, rate)
    try:
        replay_all(open_store(source), chosen, work, report)
    except ConfigError as error:
        exit_with_error(str(error))
    except ActionError as error:
        exit_with_error(str(error), EXIT_PROBLEMS)
    return _print_report(report, as_json)


def open_replay(target: OpenTarget, report: ReplayReport, dry_run: bool, rate: float) -> LetterReplay:
    """The replay against an app."""

    def deliver(letter: DeadLetter) -> Mapping[str, Any]:
        event = dict(letter.event)
        return deliver_event(event, find_webhook(target.webhook, event), target.key)

    return LetterReplay(AppPlans(target.app, report), None if dry_run else deliver, rate)


def replay_all(
    store: DeadLetterStore, chosen: LetterFilter, work: LetterReplay, report: ReplayReport
) -> None:
    """Replay every dead letter that the filter selects; raises ActionError if the store cannot be listed."""
    blobs = list(store.list_blobs(chosen.since))
    for stored in _read_all(store, blobs):
        if isinstance(stored.letter, EventError):
            report.unreadable.append((stored.blob, str(stored.letter)))
        elif chosen.selects(stored.letter):
            report.letters.append(work.replay(stored))
        else:
            report.left_out += 1


def _read_all(store: DeadLetterStore, blobs: list[StoredBlob]) -> Iterator[StoredLetter]:
    for blob in track_items(blobs, "replaying dead letters", len(blobs)):
        yield from read_blob(store, blob)


def _print_report(report: ReplayReport, as_json: bool) -> None:
    if as_json:
        print_json(report.to_json())
    else:
        few = report.dry_run or len(report.letters) <= FEW_LETTERS
        for one in report.letters if few else list_problems(report.letters):
            show_letter(one)
        report.show()
    if report.has_problems:
        raise typer.Exit(EXIT_PROBLEMS)
