"""The rule that comes nearest to an event which no rule matches: the answer to 'why did nothing happen?'"""

from mlevents.events import Event
from mlevents.matching.match import RuleMatch, plan
from mlevents.matching.rule_protocol import MatchableRule, MatchableRules


def find_nearest_rule[R: MatchableRule](rules: MatchableRules[R], event: Event) -> RuleMatch[R] | None:
    """The rule for events of this kind with the largest share of conditions that hold, the first of several.

    None if a rule matches, or if no rule asks for such events. A disabled rule comes last.
    """
    matches = plan(rules, event)
    if any(one.matches for one in matches):
        return None
    asked = [one for one in matches if one.kind is not None]
    return max(asked, key=lambda one: _rate_match(one, event), default=None)


def _rate_match[R: MatchableRule](match: RuleMatch[R], event: Event) -> float:
    if match.rule.mode == "disabled" or match.rule.where is None:
        return -1.0
    parts = match.rule.where.conjuncts()
    return sum(part.holds(event.names) for part in parts) / max(len(parts), 1)
