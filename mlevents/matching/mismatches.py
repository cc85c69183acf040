"""Why an event matches no rule, in one line of the log."""

import logging
from typing import Any

from mlevents.events import Event
from mlevents.matching.derivation import derive_once
from mlevents.matching.match import match_rule
from mlevents.matching.rule_protocol import MatchableRules, NamedRule

MOST_REASONS = 3

log = logging.getLogger("mlevents")


def log_mismatches[R: NamedRule](event: Event, rules: MatchableRules[R]) -> None:
    """Log why an event matches none of the rules, if information is logged."""
    if log.isEnabledFor(logging.INFO):
        log.info("event %s (%s) matches no rule: %s", event.id, event.type, describe_mismatches(event, rules))


def describe_mismatches[R: NamedRule](event: Event, rules: MatchableRules[R]) -> str:
    """Why not, for the first rules that ask for this kind of event."""
    first = _list_first_rules(rules)
    numbers = {number for kind in ("*", *event.kinds) for number in first.get(kind, ())}
    asked = (match_rule(rules.rules[number], event) for number in sorted(numbers)[:MOST_REASONS])
    said = [
        f"{one.rule.id}: {one.failed.path} is {one.failed.found!r:.100}, wanted {one.failed.wanted!r:.100}"
        for one in asked
        if one.failed
    ]
    return "; ".join(said) or "none asks for this kind"


@derive_once
def _list_first_rules(rules: MatchableRules[Any]) -> dict[str, list[int]]:
    """The numbers of the first rules that ask for a kind of event, by kind."""
    found: dict[str, list[int]] = {}
    for number, rule in enumerate(rules.rules):
        for kind in rule.event:
            if len(own := found.setdefault(kind, [])) < MOST_REASONS:
                own.append(number)
    return found
