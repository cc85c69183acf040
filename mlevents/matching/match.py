"""Which rules an event matches, and why the others do not: pure, so that it is always the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mlevents.events import Event
from mlevents.matching.condition_tree import Because
from mlevents.matching.index import Index
from mlevents.matching.rule_protocol import MatchableRule, MatchableRules


@dataclass(frozen=True, slots=True)
class Verdict[R: MatchableRule]:
    """What one rule says to one event.

    `kind` is the kind of event by which the rule knows it, None when it asks for another. `because`
    is the first condition that failed, None when the rule matches.
    """

    rule: R
    kind: str | None
    matches: bool
    because: Because | None


def plan[R: MatchableRule](rules: MatchableRules[R], event: Event) -> tuple[Verdict[R], ...]:
    """The verdict of every rule, in file order."""
    return tuple(verdict(rule, event) for rule in rules.rules)


def matching[R: MatchableRule](rules: MatchableRules[R], event: Event) -> Iterator[Verdict[R]]:
    """The verdicts of `plan` that match, in file order, at a cost that follows the rules that could."""
    for number in _index(_Same(rules.rules)).candidates(event):
        found = verdict(rules.rules[number], event)
        if found.matches:
            yield found


def verdict[R: MatchableRule](rule: R, event: Event) -> Verdict[R]:
    """What this rule says to this event: its mode is asked first, then the event's kind, then `where`."""
    kind = kind_asked(rule, event)
    because = _because(rule, kind, event)
    return Verdict(rule, kind, because is None, because)


def kind_asked(rule: MatchableRule, event: Event) -> str | None:
    """The kind by which the rule knows the event; for `*` the event's own type.

    What was derived goes before the event's own kind: a breach is a drift first.
    """
    if "*" in rule.event:
        return event.type
    return next((kind for kind in reversed(event.kinds) if kind in rule.event), None)


def _because(rule: MatchableRule, kind: str | None, event: Event) -> Because | None:
    if rule.mode == "disabled":
        return Because("mode", ["live", "shadow"], rule.mode)
    if kind is None:
        wanted = rule.event[0] if len(rule.event) == 1 else list(rule.event)
        return Because("event", wanted, event.type)
    return rule.where.first_failure(event.names) if rule.where else None


class _Same:
    """The same tuple of rules and no other: comparing thousands of rules would cost more than asking."""

    __slots__ = ("rules",)

    def __init__(self, rules: tuple[MatchableRule, ...]) -> None:
        self.rules = rules

    def __hash__(self) -> int:
        return id(self.rules)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.rules is other.rules


@lru_cache(maxsize=8)
def _index(same: _Same) -> Index:
    return Index(same.rules)
