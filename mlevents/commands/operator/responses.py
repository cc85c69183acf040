"""`responses`: list what became of events."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer

from mlevents.commands.command import AsJson, command, exit_with_error, print_json, print_line
from mlevents.commands.feed_state import FeedResponse
from mlevents.commands.live_feed import BAD_MARK, MARKS
from mlevents.commands.operator.app_feed import AppSource, follow_app
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import ResponseFilters, read_responses, shorten_id
from mlevents.commands.option_groups import expand_options
from mlevents.explanations.value_format import shorten_subject

Limit = Annotated[int, typer.Option(min=1, help="How many are listed at most.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show them as they happen, until interrupted.")]


@command("responses")
@expand_options
def print_responses(
    filters: ResponseFilters,
    target: AppOptions,
    limit: Limit = 100,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """List responses, the newest first: what became of events, by the rules that they fired."""
    if watch and as_json:
        exit_with_error("--watch prints no JSON: leave out one of --watch and --json")
    now = datetime.now(UTC)
    query = filters.to_query(now)
    with exit_when_refused():
        app = target.open()
        if watch:
            follow_app(AppSource(app, query, now))
            return
        found = list(islice(read_responses(app, query), limit + 1))
    listed = sorted(found[:limit], key=lambda one: one["created"], reverse=True)
    if as_json:
        print_json({"responses": listed, "complete": len(found) <= limit})
        return
    print_list(listed)
    if len(found) > limit:
        print_line((f"More than {limit}: narrow them down, or raise --limit.", "dim"))


def print_list(responses: Iterable[Mapping[str, Any]], *, err: bool = False) -> None:
    """Print each response: its time, the short id, the rule and the subject; then what became of it."""
    count = 0
    for count, one in enumerate(responses, 1):  # noqa: B007 - the last one is the count
        seen = FeedResponse.read(one)
        moment = format_moment(one["created"])
        about = f"{seen.rule}  {shorten_subject(one['event']['subject'] or '')}"
        mark, id = MARKS.get(seen.status, BAD_MARK), shorten_id(one["id"])
        print_line(mark, " ", (moment, "dim"), f"  {id}  {about}", err=err)
        print_line("    ", (" ".join(seen.text.split()), "dim"), err=err)
    if not count:
        print_line("No response matches.", err=err)


def format_moment(text: str) -> str:
    """A time of the API in this machine's zone, to the second."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
