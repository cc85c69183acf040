"""What many events have in common: how often each rule matches, and what stops it how often."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mlevents.commands.command import print_line
from mlevents.commands.explain_rule import CONDITION_MARKS
from mlevents.explanations.value_format import format_value
from mlevents.matching.match import RuleMatch
from mlevents.rules.model import Rule


@dataclass(slots=True)
class RuleSummary:
    """One rule and the events so far; `failed` counts the first failed conditions, by path and operand."""

    rule: str
    matches: int = 0
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, match: RuleMatch[Rule]) -> None:
        """Count one event in."""
        if match.failed is None:
            self.matches += 1
        else:
            self.failed[match.failed.path, format_value(match.failed.wanted)] += 1

    def to_json(self) -> dict[str, Any]:
        """The rule's counts, the most frequent reason first."""
        reasons = [
            {"path": path, "wanted": json.loads(wanted), "events": number}
            for (path, wanted), number in self.failed.most_common()
        ]
        return {"id": self.rule, "matches": self.matches, "failed": reasons}


def summarize_matches(matches: Iterable[RuleMatch[Rule]]) -> list[RuleSummary]:
    """The summary of each rule, in the order in which the rules come."""
    found: dict[str, RuleSummary] = {}
    for match in matches:
        found.setdefault(match.rule.id, RuleSummary(match.rule.id)).count(match)
    return list(found.values())


def show_summary(summaries: Iterable[RuleSummary], events: int) -> None:
    """Print the counts of each rule."""
    print_line((f"{events} events", "bold"))
    for one in summaries:
        mark = CONDITION_MARKS[one.matches > 0]
        print_line("  ", mark, f" {one.rule}: {one.matches} match{'' if one.matches == 1 else 'es'}")
        for text in _describe_reasons(one):
            print_line("      ", (text, "dim"))


def _describe_reasons(summary: RuleSummary) -> Iterator[str]:
    width = max((len(str(number)) for number in summary.failed.values()), default=0)
    for (path, wanted), number in summary.failed.most_common():
        yield f"{number:>{width}} × {path}: wanted {wanted}"
