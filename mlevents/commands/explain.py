"""`explain`: which rules an event matches, and why it does not match the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from mlevents.commands.command import (
    EXIT_PROBLEMS,
    RULES,
    AsJson,
    RulesFile,
    command,
    exit_with_error,
    load_rules_or_exit,
    print_json,
    print_line,
)
from mlevents.commands.event_file import EventFile, read_events
from mlevents.commands.explain_rule import ExplainContext, print_rule
from mlevents.errors import EventError
from mlevents.eventgrid.delivery_check import explain_rejection
from mlevents.eventgrid.subscription_filters import SubscriptionFilter, compile_filters
from mlevents.events import Event, parse_all
from mlevents.events.content import instant
from mlevents.matching.condition_tree import FailedCondition
from mlevents.matching.match import RuleMatch, plan
from mlevents.rules.allowed_names import find_refusal
from mlevents.rules.model import Rule, Rules
from mlevents.settings import Settings

At = Annotated[
    str | None,
    typer.Option("--at", help="The time for max_age, such as 2030-01-31T12:00:00Z; the default is now."),
]


@dataclass(frozen=True, slots=True)
class EventExplanation:
    """One event, its match with every rule, and whether Event Grid and the allow-list let it through.

    `rejection` says why Event Grid does not deliver it, None if it does.
    """

    event: Event
    matches: tuple[RuleMatch[Rule], ...]
    rejection: str | None
    allowed: bool

    @property
    def delivered(self) -> bool:
        return self.rejection is None


@command("explain")
def explain(event: EventFile, rules: RulesFile = RULES, at: At = None, as_json: AsJson = False) -> None:
    """Show which rules each event matches and what they would do, and why the others do not match."""
    loaded, moment = load_rules_or_exit(rules), ExplainContext(_parse_time(at), Settings.read().max_depth)
    try:
        told = list(_explain_events(read_events(event), loaded))
    except EventError as error:
        told = [error]
    if as_json:
        print_json({"events": [_as_json(one) for one in told]})
    else:
        for one in told:
            _show(one, moment)
    if any(isinstance(one, EventError) for one in told):
        raise typer.Exit(EXIT_PROBLEMS)


def _explain_events(documents: list[Any], rules: Rules) -> Iterator[EventExplanation | EventError]:
    filters: Mapping[str, SubscriptionFilter] = compile_filters(rules.rules, rules.filters)
    unsure = rules.workspaces_unsure
    for document, event in zip(documents, parse_all(documents), strict=True):
        if isinstance(event, EventError):
            yield event
        else:
            allowed = rules.allows(event.topic) or unsure
            yield EventExplanation(event, plan(rules, event), explain_rejection(filters, document), allowed)


def _as_json(one: EventExplanation | EventError) -> dict[str, Any]:
    if isinstance(one, EventError):
        return {"id": None, "type": None, "subject": None, "error": str(one), "rules": []}
    rules = [
        _match_json(match) | {"delivered": one.delivered} | _refusal_json(match, one.event)
        for match in one.matches
    ]
    return {"id": one.event.id, "type": one.event.type, "subject": one.event.subject, "rules": rules}


def _match_json(match: RuleMatch[Rule]) -> dict[str, Any]:
    failed = match.failed and _failed_json(match.failed)
    return {"id": match.rule.id, "matches": match.matches, "because": failed}


def _failed_json(failed: FailedCondition) -> dict[str, Any]:
    return {"path": failed.path, "wanted": failed.wanted, "found": failed.found}


def _refusal_json(match: RuleMatch[Rule], event: Event) -> dict[str, Any]:
    """The name that the event must not use, if it would stop the response of a matching rule."""
    failed = find_refusal(match.rule, event) if match.matches else None
    return (
        {"refused": {"path": failed.path, "wanted": failed.wanted, "found": failed.found}} if failed else {}
    )


def _show(one: EventExplanation | EventError, moment: ExplainContext) -> None:
    if isinstance(one, EventError):
        print_line(("this event cannot be read: ", "bold red"), str(one))
        return
    print_line((one.event.type, "bold"), f"  {one.event.subject}  ", (one.event.id, "dim"))
    for match in one.matches:
        print_rule(match, one.event, moment)
    if not one.allowed:
        print_line(
            ("  ! refused: the rule file lists no workspace with the topic ", "yellow"), repr(one.event.topic)
        )
    if one.rejection:
        print_line(("  ! Event Grid would not deliver it: ", "yellow"), one.rejection)


def _parse_time(at: str | None) -> datetime:
    """The time in the option, or now."""
    try:
        return datetime.fromisoformat(instant(at)) if at else datetime.now(UTC)
    except ValueError:
        exit_with_error(f"'{at}' is not a valid time: write one such as 2030-01-31T12:00:00Z")
