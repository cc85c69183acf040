"""`explain`: which rules an event matches, and why it does not match the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from mlevents.commands.command import (
    PROBLEMS,
    RULES,
    AsJson,
    RulesFile,
    command,
    give_up,
    load_rules_or_exit,
    print_json,
    say,
)
from mlevents.commands.event_file import EventFile, read_events
from mlevents.commands.explain_rule import Moment, show_rule
from mlevents.errors import EventError
from mlevents.eventgrid.delivery_check import held_back
from mlevents.eventgrid.subscription_filters import Filter, compile_filters
from mlevents.events import Event, parse_all
from mlevents.events.content import instant
from mlevents.matching.condition_tree import FailedCondition
from mlevents.matching.match import RuleMatch, plan
from mlevents.rules.allowed_names import find_refusal
from mlevents.rules.model import Rule, Rules
from mlevents.settings import Settings

At = Annotated[
    str | None,
    typer.Option("--at", help="The time for max_age, such as 2030-01-31T12:00:00Z; now if not given."),
]


@dataclass(frozen=True, slots=True)
class Explained:
    """One event, what every rule says to it, and whether Event Grid and the allow-list let it through.

    `held_back` says why Event Grid does not deliver it, None where it does.
    """

    event: Event
    matches: tuple[RuleMatch[Rule], ...]
    held_back: str | None
    allowed: bool

    @property
    def delivered(self) -> bool:
        return self.held_back is None


@command("explain")
def explain(event: EventFile, rules: RulesFile = RULES, at: At = None, as_json: AsJson = False) -> None:
    """Say which rules each event matches, with what they would do, and why the others do not match."""
    loaded, moment = load_rules_or_exit(rules), Moment(_time(at), Settings.read().max_depth)
    try:
        told = list(_explained(read_events(event), loaded))
    except EventError as error:
        told = [error]
    if as_json:
        print_json({"events": [_as_json(one) for one in told]})
    else:
        for one in told:
            _show(one, moment)
    if any(isinstance(one, EventError) for one in told):
        raise typer.Exit(PROBLEMS)


def _explained(documents: list[Any], rules: Rules) -> Iterator[Explained | EventError]:
    filters: Mapping[str, Filter] = compile_filters(rules.rules, rules.filters)
    unsure = rules.workspaces_unsure
    for document, event in zip(documents, parse_all(documents), strict=True):
        if isinstance(event, EventError):
            yield event
        else:
            allowed = rules.allows(event.topic) or unsure
            yield Explained(event, plan(rules, event), held_back(filters, document), allowed)


def _as_json(one: Explained | EventError) -> dict[str, Any]:
    if isinstance(one, EventError):
        return {"id": None, "type": None, "subject": None, "error": str(one), "rules": []}
    rules = [
        _match_json(match) | {"delivered": one.delivered} | _refused_json(match, one.event)
        for match in one.matches
    ]
    return {"id": one.event.id, "type": one.event.type, "subject": one.event.subject, "rules": rules}


def _match_json(match: RuleMatch[Rule]) -> dict[str, Any]:
    failed = match.failed and _failed_json(match.failed)
    return {"id": match.rule.id, "matches": match.matches, "because": failed}


def _failed_json(failed: FailedCondition) -> dict[str, Any]:
    return {"path": failed.path, "wanted": failed.wanted, "found": failed.found}


def _refused_json(match: RuleMatch[Rule], event: Event) -> dict[str, Any]:
    """What the event may not name, where that would stop the response of a rule that matches."""
    failed = find_refusal(match.rule, event) if match.matches else None
    return (
        {"refused": {"path": failed.path, "wanted": failed.wanted, "found": failed.found}} if failed else {}
    )


def _show(one: Explained | EventError, moment: Moment) -> None:
    if isinstance(one, EventError):
        say(("this event cannot be read: ", "bold red"), str(one))
        return
    say((one.event.type, "bold"), f"  {one.event.subject}  ", (one.event.id, "dim"))
    for match in one.matches:
        show_rule(match, one.event, moment)
    if not one.allowed:
        say(("  ! refused: no workspace of the rule file has the topic ", "yellow"), repr(one.event.topic))
    if one.held_back:
        say(("  ! Event Grid would not deliver it: ", "yellow"), one.held_back)


def _time(at: str | None) -> datetime:
    """The time that is given, or now."""
    try:
        return datetime.fromisoformat(instant(at)) if at else datetime.now(UTC)
    except ValueError:
        give_up(f"'{at}' is not a valid time: write one such as 2030-01-31T12:00:00Z")
