"""`reject`: say no to a response that waits for an approval."""

from mlevents.commands.command import AsJson, command
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import ResponseId
from mlevents.commands.operator.verb_request import RequiredReason, Verb, request_for_one
from mlevents.commands.option_groups import expand_options


@command("reject")
@expand_options
def request_rejection(
    id: ResponseId, target: AppOptions, reason: RequiredReason, as_json: AsJson = False
) -> None:
    """Reject what a response waits with: it stops; a rollout restores the traffic first."""
    verb = Verb("reject", {"reason": reason}, lambda _: True)
    with exit_when_refused():
        request_for_one(target.open(), id, verb, as_json)
