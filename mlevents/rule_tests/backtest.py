"""Two rule files, before and after a change, asked about the same events: where do they differ?"""

from collections.abc import Iterator
from dataclasses import dataclass

from mlevents.events import Event
from mlevents.expressions.interpolation import render_value
from mlevents.gates import dedupe
from mlevents.matching.condition_tree import FailedCondition
from mlevents.matching.match import RuleMatch, find_matches, match_rule
from mlevents.rules.model import Rule, Rules


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one side says to an event for one rule: None in `matches` where it has no such rule."""

    matches: bool | None
    failed: FailedCondition | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule that the two sides answer differently for one event."""

    rule: str
    before: RuleResult
    after: RuleResult

    @property
    def failed(self) -> FailedCondition | None:
        """The first condition that failed, on the side that has the rule and does not match."""
        return self.after.failed or self.before.failed


class BacktestSide:
    """One rule file, and the responses to which the events so far would have led.

    Events of one identity, as redelivery makes them, count once; what max_age and the gates that look
    at Azure would say is not asked.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = {rule.id: rule for rule in rules.rules}
        self.responses: dict[str, set[str]] = {name: set() for name in self.rules}
        self._file = rules
        self._unsure = rules.workspaces_unsure

    def count_event(self, event: Event) -> set[str]:
        """Count the event in, and give the rules that it fires."""
        if not self._allows(event):
            return set()
        fired = list(find_matches(self._file, event))
        for one in fired:
            self.responses[one.rule.id].add(_find_identity(one, event))
        return {one.rule.id for one in fired}

    def count_responses(self, name: str) -> int | None:
        """How many responses the rule of this name has started; None when these rules lack it."""
        return len(self.responses[name]) if name in self.rules else None

    def find_result(self, name: str, event: Event) -> RuleResult:
        """What the rule of this name says."""
        if name not in self.rules:
            return RuleResult(None)
        if not self._allows(event):
            return RuleResult(False, FailedCondition("workspaces", list(self._file.workspaces), event.topic))
        found = match_rule(self.rules[name], event)
        return RuleResult(found.matches, found.failed)

    def _allows(self, event: Event) -> bool:
        return self._unsure or self._file.allows(event.topic)


def find_differences(before: BacktestSide, after: BacktestSide, event: Event) -> Iterator[Difference]:
    """The rules for which it matters to this event which file is asked, in the order of their names."""
    for name in sorted(before.count_event(event) ^ after.count_event(event)):
        yield Difference(name, before.find_result(name, event), after.find_result(name, event))


def _find_identity(found: RuleMatch[Rule], event: Event) -> str:
    """What makes it the same response."""
    if found.rule.dedupe is not None:
        try:
            return dedupe.identity(render_value(found.rule.dedupe, event.names))
        except ValueError:  # a missing value, or a map: a response all the same, one that fails
            pass
    return event.identity(found.kind or event.type)
