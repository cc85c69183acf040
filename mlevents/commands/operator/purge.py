"""`purge`: delete responses that ended long ago."""

from collections import Counter
from typing import Annotated

import typer

from mlevents.commands.command import AsJson, command, exit_with_error, print_json, print_line
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.verb_request import OptionalReason, confirm_or_exit
from mlevents.commands.option_groups import expand_options
from mlevents.duration import format_duration, parse_duration
from mlevents.services.app_client import AppClient

WHAT = {"response": "responses", "part": "orchestrations of steps", "entity": "idle entities"}

OlderThan = Annotated[
    str,
    typer.Option(
        metavar="DURATION",
        show_default="the retention of the rule file",
        help="How long ago they ended.",
    ),
]
PurgeYes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@command("purge")
@expand_options
def request_purge(
    target: AppOptions,
    older_than: OlderThan = "",
    reason: OptionalReason = "",
    yes: PurgeYes = False,
    as_json: AsJson = False,
) -> None:
    """Delete what is stored of responses that ended long ago; those that run or wait stay."""
    body = {"reason": reason, **({"older_than": older_than} if older_than else {})}
    if older_than:
        _check_duration(older_than)
    with exit_when_refused():
        app = target.open()
        if not yes:
            age = older_than or "the retention of the rule file"
            confirm_or_exit(f"Delete responses that ended more than {age} ago?")
        purged, seconds = _purge_all(app, body)
    if as_json:
        print_json({"older_than": seconds, "purged": dict(purged)})
        return
    listed = ", ".join(f"{count} {WHAT.get(kind, kind)}" for kind, count in purged.items()) or "nothing"
    print_line(f"Purged what ended more than {format_duration(seconds)} ago: {listed}.")


def _purge_all(app: AppClient, body: dict[str, str]) -> tuple[Counter[str], float]:
    """Purge batch after batch; returns what was purged, and the seconds of `older_than`."""
    purged: Counter[str] = Counter()
    while True:
        answer = app.request("POST", "purge", body)
        instances = {kind: count for kind, count in answer["purged"].items() if kind != "entity"}
        purged.update(instances)
        if answer["complete"]:
            purged.update(entity=answer["purged"].get("entity", 0))
            return +purged, float(answer["older_than"])


def _check_duration(text: str) -> None:
    try:
        parse_duration(text)
    except ValueError as error:
        exit_with_error(f"--older-than: {error}")
