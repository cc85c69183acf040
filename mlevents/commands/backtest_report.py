"""What a backtest found: how often each rule fires, and the events that differ, in groups of one reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mlevents.commands.command import print_line
from mlevents.commands.workspace_events import RebuiltEvents
from mlevents.errors import EventError
from mlevents.events import Event
from mlevents.explanations.event_explanation import failed_json
from mlevents.explanations.value_format import format_found, format_value
from mlevents.rule_tests.backtest import BacktestSide, Difference

MAX_EXAMPLES = 3
"""So many events of a group are printed for people; programs get all."""


@dataclass(frozen=True, slots=True)
class DifferentEvent:
    """An event to which a rule makes a difference, and the file that holds it."""

    file: str
    event: Event
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        """The difference for programs."""
        one, event = self.difference, self.event
        return {
            "file": self.file,
            "id": event.id,
            "type": event.type,
            "subject": event.subject,
            "rule": one.rule,
            "before": one.before.matches,
            "after": one.after.matches,
            "because": one.failed and failed_json(one.failed),
        }

    @property
    def group(self) -> tuple[str, str]:
        """What events have in common that differ for one reason: the rule, and the reason in words."""
        return self.difference.rule, f"{_describe_change(self.difference)}{_describe_reason(self.difference)}"


@dataclass(slots=True)
class BacktestReport:
    """The events so far; `before` is None where only one rule file is asked."""

    before: BacktestSide | None
    after: BacktestSide
    rebuilt: RebuiltEvents | None = None
    events: int = 0
    different: list[DifferentEvent] = field(default_factory=list)
    errors: list[tuple[str, EventError]] = field(default_factory=list)

    def counts(self) -> Iterator[tuple[str, int | None, int | None]]:
        """Each rule with its responses before and after, in the order of the rules after."""
        earlier = self.before.rules if self.before else {}
        for name in dict.fromkeys([*self.after.rules, *earlier]):
            before = self.before.count_responses(name) if self.before else None
            yield name, before, self.after.count_responses(name)

    def groups(self) -> dict[tuple[str, str], list[DifferentEvent]]:
        """The events that differ, by rule and reason; the largest group of each rule first."""
        found: dict[tuple[str, str], list[DifferentEvent]] = {}
        for one in self.different:
            found.setdefault(one.group, []).append(one)
        return dict(sorted(found.items(), key=lambda item: (item[0][0], -len(item[1]))))

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        groups = [
            {"rule": rule, "change": change, "events": len(several)}
            for (rule, change), several in self.groups().items()
        ]
        history = {"history": self.rebuilt.to_json()} if self.rebuilt else {}
        return {
            "events": self.events,
            "rules": [{"id": name, "before": old, "after": new} for name, old, new in self.counts()],
            "groups": groups,
            "different": [one.to_json() for one in self.different],
            "errors": [{"file": file, "error": str(error)} for file, error in self.errors],
        } | history

    def show(self) -> None:
        """Print the report for people."""
        if self.rebuilt:
            self.rebuilt.show()
        self._show_counts()
        rule = None
        for (name, change), several in self.groups().items():
            if name != rule:
                print_line((name, "bold"))
            rule = name
            _show_group(change, several)
        for file, error in self.errors:
            print_line((f"{file}: this event cannot be read: ", "bold red"), str(error))
        number = len({id(one.event) for one in self.different})
        differing = f", {number} of them with a difference" if self.before else ""
        print_line((f"{_count_events(self.events)}{differing}", "bold"))

    def _show_counts(self) -> None:
        counts = list(self.counts())
        width = max((len(name) for name, *_ in counts), default=0)
        heading = f"{'before':>7}  {'after':>7}" if self.before else f"{'responses':>9}"
        print_line((f"{'':{width}}  {heading}", "dim"))
        for name, old, new in counts:
            if self.before:
                numbers = f"{_format_count(old):>7}  {_format_count(new):>7}"
            else:
                numbers = f"{_format_count(new):>9}"
            print_line((f"{name:{width}}  {numbers}", "bold" if self.before and old != new else ""))


def _show_group(change: str, several: list[DifferentEvent]) -> None:
    print_line(f"  {_count_events(len(several))}: {change}")
    for one in several[:MAX_EXAMPLES]:
        event, found = one.event, _describe_found(one.difference)
        print_line(f"    {event.type}  {event.subject}  {event.id}  {found}", (one.file, "dim"))
    if len(several) > MAX_EXAMPLES:
        print_line((f"    and {len(several) - MAX_EXAMPLES} more: --json lists all", "dim"))


def _describe_change(one: Difference) -> str:
    words = {
        (True, False): "no longer match",
        (False, True): "match now",
        (True, None): "no longer match, because the rule is gone",
        (None, True): "match the new rule",
    }
    return words[one.before.matches, one.after.matches]


def _describe_reason(one: Difference) -> str:
    failed = one.failed
    if failed is None:
        return ""
    verb = "" if one.after.failed else " before"
    return f" ({failed.path}{verb}: wanted {format_value(failed.wanted)})"


def _describe_found(one: Difference) -> str:
    return f"found {format_found(one.failed.found)}  " if one.failed else ""


def _count_events(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"


def _format_count(number: int | None) -> str:
    return "–" if number is None else str(number)
