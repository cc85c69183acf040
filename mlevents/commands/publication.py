"""A published event: where Event Grid delivered it, and the responses that it started."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlevents.commands.command import print_line, read_settings
from mlevents.commands.explain_rule import CONDITION_MARKS
from mlevents.errors import MleventsError
from mlevents.events import Event
from mlevents.explanations.event_explanation import failed_json
from mlevents.explanations.value_format import format_found, format_value, shorten_subject
from mlevents.matching.match import RuleMatch
from mlevents.matching.nearest_rule import find_nearest_rule
from mlevents.rule_tests.event_arguments import join_command
from mlevents.rule_tests.event_builder import BuiltEvent
from mlevents.rules.file import load_rules
from mlevents.rules.model import Rule

WAITING = ("?", "yellow")
BAD_STATUSES = ("failed", "stopped", "refused", "quarantined")


@dataclass(frozen=True, slots=True)
class Publication:
    """An event with its deliveries, as the sandbox's journal lists them, and its responses, as the API does.

    `nearest` is the rule that comes nearest, where no rule responds.
    """

    built: BuiltEvent
    deliveries: tuple[Mapping[str, Any], ...]
    responses: tuple[Mapping[str, Any], ...] = ()
    nearest: RuleMatch[Rule] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether Event Grid has delivered or dropped it everywhere."""
        return all(one["state"] in ("delivered", "dropped") for one in self.deliveries)

    def to_json(self) -> dict[str, Any]:
        """The publication for programs."""
        failed = self.nearest and self.nearest.failed
        return {
            "event": dict(self.built.document),
            "type": choose_kind(self.built.event),
            "deliveries": [dict(one) for one in self.deliveries],
            "responses": [dict(one) for one in self.responses],
            "nearest": {"id": self.nearest.rule.id, "because": failed_json(failed)}
            if self.nearest and failed
            else None,
        }

    def show(self, ready: Mapping[str, Any]) -> None:
        """Print what came of the event, and how to see more."""
        event = self.built.event
        print_line((choose_kind(event), "bold"), f"  {shorten_subject(event.subject)}  ", (event.id, "dim"))
        for one in self.deliveries:
            print_line("  ", *_describe_delivery(one))
        if not self.deliveries:
            print_line("  ", CONDITION_MARKS[False], " no subscription takes this event type")
        for one in self.responses:
            because = f": {one['because']}" if one["because"] else ""
            mark = CONDITION_MARKS[one["status"] not in BAD_STATUSES]
            print_line("  ", mark, f" {one['rule'] or 'no rule'}: {one['status']}{because}")
        if not self.responses and any(one["state"] == "delivered" for one in self.deliveries):
            print_line("  ", CONDITION_MARKS[False], " no rule matches", describe_nearest(self.nearest))
        if self.responses:
            url = f"{ready['functions']}/api/v1/responses?event_id={event.id}"
            print_line("See more: ", (join_command(["curl", "-s", url]), "bold"))


def choose_kind(event: Event) -> str:
    """What rules call the event: a breach of a monitor is a drift first."""
    return event.kinds[-1] if event.kinds else event.type


def _describe_delivery(one: Mapping[str, Any]) -> tuple[str | tuple[str, str], ...]:
    match one["state"]:
        case "delivered":
            return CONDITION_MARKS[True], f" delivered to {one['function']}"
        case "dropped":
            return CONDITION_MARKS[
                False
            ], f" Event Grid filtered it: {one['function']} takes {one['because']}"
        case "dead":
            return CONDITION_MARKS[False], f" dead letter: {one['function']} answered {one['status']}"
        case _:
            answer = f"answered {one['status']}" if one["attempts"] else "has not answered"
            return WAITING, f" {one['function']} {answer}: Event Grid tries again"


def find_nearest(rules: Path, env: str, event: Event) -> RuleMatch[Rule] | None:
    """The rule that comes nearest; None where the rules cannot be loaded here."""
    try:
        return find_nearest_rule(load_rules(rules, read_settings(rules, env), require_settings=False), event)
    except MleventsError:
        return None


def describe_nearest(match: RuleMatch[Rule] | None) -> str:
    """The rule that came nearest, and the first condition of it that failed."""
    if match is None or match.failed is None:
        return ""
    failed = match.failed
    wanted, found = format_value(failed.wanted), format_found(failed.found)
    return f"; the nearest is {match.rule.id}: {failed.path}: wanted {wanted}, found {found}"
