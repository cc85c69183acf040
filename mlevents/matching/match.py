"""Which rules an event matches, and why the others do not: pure, so the same input gives the same result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlevents.events import Event
from mlevents.matching.condition_tree import FailedCondition
from mlevents.matching.derivation import derive_once
from mlevents.matching.index import Index
from mlevents.matching.rule_protocol import MatchableRule, MatchableRules

NO_EVENT = "expect.missed"
"""What a rule without `event` answers: an event of mlevents itself, of a time in which none came."""


@dataclass(frozen=True, slots=True)
class RuleMatch[R: MatchableRule]:
    """The result of matching one rule against one event.

    `kind` is the event name in the rule that fits the event, None if no name fits. `failed` is the
    first condition that failed, None when the rule matches.
    """

    rule: R
    kind: str | None
    matches: bool
    failed: FailedCondition | None


def plan[R: MatchableRule](rules: MatchableRules[R], event: Event) -> tuple[RuleMatch[R], ...]:
    """The result for every rule, in file order."""
    return tuple(match_rule(rule, event) for rule in rules.rules)


def find_matches[R: MatchableRule](rules: MatchableRules[R], event: Event) -> Iterator[RuleMatch[R]]:
    """The results of `plan` that match, in file order; only rules that could match are tried."""
    for number in _index(rules.rules).candidates(event):
        found = match_rule(rules.rules[number], event)
        if found.matches:
            yield found


def match_rule[R: MatchableRule](rule: R, event: Event) -> RuleMatch[R]:
    """Match one rule: first its mode, then the kind of event, then `where`."""
    kind = find_event_kind(rule, event)
    failed = _find_failed(rule, kind, event)
    return RuleMatch(rule, kind, failed is None, failed)


def find_event_kind(rule: MatchableRule, event: Event) -> str | None:
    """The kind of this event that the rule names; for `*` the event's own type.

    A derived kind comes before the event's own kind: a breach is a drift first.
    """
    if "*" in rule.event:
        return event.type
    for kind in reversed(event.kinds):
        if kind in rule.event:
            return kind
    return None


def _find_failed(rule: MatchableRule, kind: str | None, event: Event) -> FailedCondition | None:
    if rule.mode == "disabled":
        return FailedCondition("mode", ["live", "shadow"], rule.mode)
    if kind is None:
        wanted = rule.event[0] if len(rule.event) == 1 else list(rule.event)
        return FailedCondition("event", wanted or NO_EVENT, event.type)
    return rule.where.first_failure(event.names) if rule.where else None


@derive_once
def _index(rules: Sequence[MatchableRule]) -> Index:
    return Index(rules)
