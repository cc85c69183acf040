"""`watch`: show responses as they go."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from mlevents.commands.command import EXIT_PROBLEMS, AsJson, command, exit_with_error, print_json
from mlevents.commands.live_feed import FEED_SECONDS
from mlevents.commands.operator.app_feed import AppSource, ResponseSource, follow_app
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import find_response_id
from mlevents.commands.option_groups import expand_options
from mlevents.commands.publication import BAD_STATUSES
from mlevents.commands.sandbox_feed import follow_sandbox
from mlevents.services.app_client import AppClient

OneResponseId = Annotated[
    str,
    typer.Argument(
        metavar="[ID]", show_default=False, help="One response, until it ends; else all, until interrupted."
    ),
]


@command("watch")
@expand_options
def follow_responses(target: AppOptions, id: OneResponseId = "", as_json: AsJson = False) -> None:
    """Watch responses as they go; exit with 1 if the one that is named does not end well."""
    if as_json and not id:
        exit_with_error("--json prints the end of one response: name its id")
    with exit_when_refused():
        if id:
            _follow_one(target.open(), id, as_json)
        elif ready := target.find_ready():
            _follow_events(ready)
        else:
            follow_app(AppSource(target.open(), {}, datetime.now(UTC)))


def _follow_events(ready: dict[str, object]) -> None:
    """The feed of the sandbox has its events too."""
    try:
        follow_sandbox(ready, lambda: False)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _follow_one(app: AppClient, id: str, as_json: bool) -> None:
    source = ResponseSource(app, find_response_id(app, id))
    if as_json:
        while source.read() is None or not source.has_ended():
            time.sleep(FEED_SECONDS)
        print_json(source.latest)
    else:
        follow_app(source, source.has_ended)
    if source.latest["status"] in BAD_STATUSES:
        raise typer.Exit(EXIT_PROBLEMS)
