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
from mlevents.matching.match import find_matches
from mlevents.matching.nearest_rule import find_nearest_rule
from mlevents.rule_tests.event_arguments import join_command
from mlevents.rule_tests.event_builder import BuiltEvent
from mlevents.rules.file import load_rules
from mlevents.rules.model import Rules

DELIVERY_MARKS = {
    "delivered": CONDITION_MARKS[True],
    "pending": ("…", "yellow"),
    "dropped": CONDITION_MARKS[False],
    "dead": CONDITION_MARKS[False],
}
BAD_STATUSES = ("failed", "stopped", "refused", "quarantined")


@dataclass(frozen=True, slots=True)
class Publication:
    """An event with its deliveries, as the sandbox's journal lists them, and its responses, as the API does.

    `rules` are the sandbox's, if they can be loaded here.
    """

    built: BuiltEvent
    deliveries: tuple[Mapping[str, Any], ...]
    responses: tuple[Mapping[str, Any], ...] = ()
    rules: Rules | None = None

    @property
    def is_settled(self) -> bool:
        """Whether Event Grid has delivered or dropped it everywhere."""
        return all(one["state"] in ("delivered", "dropped") for one in self.deliveries)

    def to_json(self) -> dict[str, Any]:
        """The publication for programs."""
        silent = self.rules is not None and not self.responses
        nearest = find_nearest_rule(self.rules, self.built.event) if silent and self.rules else None
        because = failed_json(nearest.failed) if nearest and nearest.failed else None
        return {
            "event": dict(self.built.document),
            "type": choose_kind(self.built.event),
            "deliveries": [dict(one) for one in self.deliveries],
            "responses": [dict(one) for one in self.responses],
            "nearest": {"id": nearest.rule.id, "because": because} if nearest else None,
        }

    def show(self, ready: Mapping[str, Any]) -> None:
        """Print what came of the event, and how to see more."""
        event = self.built.event
        print_line((choose_kind(event), "bold"), f"  {shorten_subject(event.subject)}  ", (event.id, "dim"))
        for one in self.deliveries:
            print_line("  ", DELIVERY_MARKS[one["state"]], f" {describe_delivery(one)}")
        if not self.deliveries:
            print_line("  ", CONDITION_MARKS[False], " no subscription takes this event type")
        for one in self.responses:
            because = f": {one['because']}" if one["because"] else ""
            mark = CONDITION_MARKS[one["status"] not in BAD_STATUSES]
            print_line("  ", mark, f" {one['rule'] or 'no rule'}: {one['status']}{because}")
        if not self.responses and any(one["state"] == "delivered" for one in self.deliveries):
            print_line("  ", CONDITION_MARKS[False], f" {describe_silence(self.rules, event)}")
        if self.responses:
            url = f"{ready['functions']}/api/v1/responses?event_id={event.id}"
            print_line("See more: ", (join_command(["curl", "-s", url]), "bold"))


def choose_kind(event: Event) -> str:
    """What rules call the event: a breach of a monitor is a drift first."""
    return event.kinds[-1] if event.kinds else event.type


def describe_delivery(one: Mapping[str, Any]) -> str:
    """What became of the delivery to one function."""
    match one["state"]:
        case "delivered":
            return f"delivered to {one['function']}"
        case "dropped":
            return f"Event Grid filtered it: {one['function']} takes {one['because']}"
        case "dead":
            return f"dead letter: {one['function']} answered {one['status']}"
        case _:
            answer = f"answered {one['status']}" if one["status"] else "has not answered"
            return f"{one['function']} {answer}: Event Grid tries again"


def load_sandbox_rules(ready: Mapping[str, Any]) -> Rules | None:
    """The rules of the sandbox with this ready file; None where they cannot be loaded here."""
    rules, env = Path(ready.get("rules") or ""), str(ready.get("env") or "")
    try:
        return load_rules(rules, read_settings(rules, env), require_settings=False)
    except MleventsError:
        return None


def describe_silence(rules: Rules | None, event: Event) -> str:
    """Why no rule responds to an event that was delivered."""
    if rules is None:
        return "no rule responds"
    if matching := [one.rule.id for one in find_matches(rules, event)]:
        return f"{', '.join(matching)} responded to an earlier event with the same identity"
    nearest = find_nearest_rule(rules, event)
    if nearest is None or nearest.failed is None:
        return f"no rule is for {choose_kind(event)}"
    failed = nearest.failed
    wanted, found = format_value(failed.wanted), format_found(failed.found)
    return f"no rule matches; the nearest is {nearest.rule.id}: {failed.path}: wanted {wanted}, found {found}"
