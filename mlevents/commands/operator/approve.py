"""`approve`: say yes to a response that waits for an approval."""

from mlevents.commands.command import AsJson, command
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import ResponseId
from mlevents.commands.operator.verb_request import OptionalReason, Verb, request_for_one
from mlevents.commands.option_groups import expand_options


@command("approve")
@expand_options
def request_approval(
    id: ResponseId, target: AppOptions, reason: OptionalReason = "", as_json: AsJson = False
) -> None:
    """Approve what a response waits with: it goes on."""
    verb = Verb("approve", {"reason": reason}, lambda _: True)
    with exit_when_refused():
        request_for_one(target.open(), id, verb, as_json)
