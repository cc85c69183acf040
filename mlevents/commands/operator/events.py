"""`events`: the events that reached the app lately, also those that led to nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from mlevents.commands.command import AsJson, command, print_json, print_line
from mlevents.commands.live_feed import BAD_MARK
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import read_moment, shorten_id
from mlevents.commands.operator.responses import format_moment
from mlevents.commands.option_groups import expand_options
from mlevents.explanations.value_format import format_found, format_value, shorten_subject

DECISION_MARKS = {
    "matched": ("✓", "green"),
    "unmatched": ("·", "dim"),
    "redelivered": ("·", "dim"),
    "disabled": ("·", "dim"),
}
_MOST_RULES = 3


@dataclass(frozen=True, slots=True)
class EventFilters:
    """What narrows recent events down; `rule` leaves those that it decided, with its decision alone."""

    since: Annotated[
        str, typer.Option(metavar="TIME", show_default=False, help="Those since then: 12h, or ISO 8601.")
    ] = ""
    type: Annotated[
        str, typer.Option(show_default=False, help="Those of one type, such as model.registered.")
    ] = ""
    subject: Annotated[str, typer.Option(show_default=False, help="Those with exactly this subject.")] = ""
    decision: Annotated[
        str, typer.Option(show_default=False, help="Those with one decision, such as unmatched.")
    ] = ""
    rule: Annotated[
        str, typer.Option(metavar="ID", show_default=False, help="What one rule decided, and why.")
    ] = ""
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many are read at most.")] = 100


@command("events")
@expand_options
def print_events(filters: EventFilters, target: AppOptions, as_json: AsJson = False) -> None:
    """List the events that reached the app lately, and why rules did not match them."""
    since = read_moment("--since", filters.since, datetime.now(UTC)).isoformat() if filters.since else ""
    query = {name: getattr(filters, name) for name in ("type", "subject", "decision", "limit")}
    with exit_when_refused():
        found = target.open().read("events", {**query, "since": since})["events"]
    if filters.rule:
        found = [keep_rule(one, filters.rule) for one in found if concerns_rule(one, filters.rule)]
    if as_json:
        print_json({"events": found})
        return
    for event in found:
        for line in describe_recent_event(event):
            print_line(*line)
    if not found:
        print_line("No event matches.")


def concerns_rule(event: Mapping[str, Any], rule: str) -> bool:
    """Whether a rule responded to an event, or has a condition that failed."""
    return rule in {one["id"] for one in event.get("rules", ())} or any(
        one.rpartition(".")[0] == rule for one in event.get("responses", ())
    )


def keep_rule(event: Mapping[str, Any], rule: str) -> dict[str, Any]:
    """The event with what one rule decided alone."""
    responses = [one for one in event.get("responses", ()) if one.rpartition(".")[0] == rule]
    failed = [one for one in event.get("rules", ()) if one["id"] == rule]
    return {**event, "responses": responses, "rules": failed}


def describe_recent_event(event: Mapping[str, Any]) -> Iterator[tuple[str | tuple[str, str], ...]]:
    """The lines of an event: its own, its responses, and the first condition that failed for some rules."""
    mark = DECISION_MARKS.get(event["decision"], BAD_MARK)
    because = f": {' '.join(event['because'].split())}" if event.get("because") else ""
    kind = event["type"] or "unreadable"
    about = f"  {shorten_subject(event['subject'])}  {event['decision']}{because}"
    yield (
        mark,
        " ",
        (format_moment(event["received"]), "dim"),
        "  ",
        (kind, "bold"),
        about,
    )
    for one in event.get("responses", ()):
        yield "    ", DECISION_MARKS["matched"], f" {one.rpartition('.')[0]}  {shorten_id(one)}"
    for one in event.get("rules", ())[:_MOST_RULES]:
        wanted, found = format_value(one["wanted"]), format_found(one["found"])
        yield "    ", ("✗", "red"), f" {one['id']}: {one['path']}: wanted {wanted}, found {found}"
    if (more := len(event.get("rules", ())) - _MOST_RULES) > 0:
        yield ((f"    … and {more} more rules: --rule ID shows one, --json all", "dim"),)
