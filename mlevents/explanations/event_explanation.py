"""One event explained: its match with each rule, and whether it would get through to the app."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlevents.errors import EventError
from mlevents.eventgrid.delivery_check import explain_rejection
from mlevents.eventgrid.subscription_filters import SubscriptionFilter, compile_filters
from mlevents.events import Event, parse_all
from mlevents.events.model_tagged import ModelTagged
from mlevents.explanations.tag_case import find_other_cases
from mlevents.matching.condition_tree import FailedCondition
from mlevents.matching.match import RuleMatch, plan
from mlevents.rules.allowed_names import find_refusal
from mlevents.rules.model import Rule, Rules
from mlevents.rules.tag_scope import asks_for_tags


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

    def to_json(self) -> dict[str, Any]:
        """The explanation for programs."""
        rules = [
            _match_json(match, self.event) | {"delivered": self.delivered} | _refusal_json(match, self.event)
            for match in self.matches
        ]
        return {"id": self.event.id, "type": self.event.type, "subject": self.event.subject, "rules": rules}


def explain_events(
    documents: list[Any], rules: Rules, rule: str | None = None
) -> Iterator[EventExplanation | EventError]:
    """The explanation of each event, by every rule or by one, or why the event cannot be read."""
    filters = compile_filters(rules.rules, rules.filters)
    for document, event in zip(documents, parse_all(documents), strict=True):
        if isinstance(event, EventError):
            yield event
            continue
        yield explain_event(event, rules, rule, _find_rejection(event, document, rules, filters))


def _find_rejection(
    event: Event, document: Any, rules: Rules, filters: Mapping[str, SubscriptionFilter]
) -> str | None:
    if event.type == ModelTagged.kind and not any(map(asks_for_tags, rules.rules)):
        return f"no rule asks for {event.type} by name, so the app compares no tags"
    return explain_rejection(filters, document)


def explain_event(
    event: Event, rules: Rules, rule: str | None = None, rejection: str | None = None
) -> EventExplanation:
    """The explanation of an event that could be read, by every rule or by one."""
    matches = tuple(one for one in plan(rules, event) if rule in (None, one.rule.id))
    return EventExplanation(event, matches, rejection, rules.allows(event.topic) or rules.workspaces_unsure)


def error_json(error: EventError) -> dict[str, Any]:
    """An event that cannot be read, for programs."""
    return {"id": None, "type": None, "subject": None, "error": str(error), "rules": []}


def choose_time(event: Event, at: datetime | None, now: datetime, *, rebuilt: bool) -> datetime:
    """The time at which the event arrives: the one asked for, a rebuilt event's own, else now."""
    if at is None and rebuilt and event.time:
        return datetime.fromisoformat(event.time)
    return at or now


def _match_json(match: RuleMatch[Rule], event: Event) -> dict[str, Any]:
    failed = match.failed and failed_json(match.failed)
    hints = list(find_other_cases(match.rule.where, event.names)) if match.kind else []
    return {"id": match.rule.id, "matches": match.matches, "because": failed} | (
        {"hints": hints} if hints else {}
    )


def failed_json(failed: FailedCondition) -> dict[str, Any]:
    """A condition that failed, for programs."""
    return {"path": failed.path, "wanted": failed.wanted, "found": failed.found}


def _refusal_json(match: RuleMatch[Rule], event: Event) -> dict[str, Any]:
    """The name that the event must not use, if it would stop the response of a matching rule."""
    failed = find_refusal(match.rule, event) if match.matches else None
    return {"refused": failed_json(failed)} if failed else {}
