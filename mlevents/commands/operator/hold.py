"""`hold` and `release`: let what events would do wait, for one rule or for all."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from mlevents.commands.command import AsJson, command, print_json, print_line
from mlevents.commands.explain_rule import CONDITION_MARKS
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.verb_request import OptionalReason, RequiredReason
from mlevents.commands.option_groups import expand_options

HeldRule = Annotated[
    str, typer.Argument(metavar="[RULE]", show_default=False, help="One rule; without it, all rules.")
]


@command("hold")
@expand_options
def request_hold(
    target: AppOptions, reason: RequiredReason, rule: HeldRule = "", as_json: AsJson = False
) -> None:
    """Hold a rule, or all: responses to new events wait until the release; those that run go on."""
    path = f"rules/{quote(rule, safe='')}/hold" if rule else "holds"
    _request_change(target, "POST", path, reason, as_json)


@command("release")
@expand_options
def request_release(
    target: AppOptions, reason: OptionalReason = "", rule: HeldRule = "", as_json: AsJson = False
) -> None:
    """Release a rule, or the hold of all: what waits acts, the earliest event first."""
    method, path = ("POST", f"rules/{quote(rule, safe='')}/release") if rule else ("DELETE", "holds")
    _request_change(target, method, path, reason, as_json)


def _request_change(target: AppOptions, method: str, path: str, reason: str, as_json: bool) -> None:
    with exit_when_refused():
        answer = target.open().request(method, path, {"reason": reason})
    if as_json:
        print_json(answer)
    else:
        print_line(CONDITION_MARKS[True], f" {describe_hold_change(answer)}")


def describe_hold_change(answer: Mapping[str, Any]) -> str:
    """What a verb led to, in one line."""
    scope, hold = answer["rule"] or "all rules", answer["hold"]
    if hold is None:
        return f"{scope}: {'released' if answer['changed'] else 'was not held'}"
    again = "" if answer["changed"] else " already"
    reason = f": {hold['reason']}" if hold["reason"] else ""
    return f"{scope}: held{again} by {hold['by']}{reason}; waiting responses: {answer['waiting']}"
