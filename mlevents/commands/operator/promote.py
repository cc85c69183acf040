"""`promote`: go on with the next phase of a rollout."""

from mlevents.commands.command import AsJson, command
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import ResponseId
from mlevents.commands.operator.verb_request import RequiredReason, Verb, request_for_one
from mlevents.commands.option_groups import expand_options


@command("promote")
@expand_options
def request_promotion(
    id: ResponseId, target: AppOptions, reason: RequiredReason, as_json: AsJson = False
) -> None:
    """Leave the current phase of a rollout early, and begin the next one; the checks are read once more."""
    verb = Verb("promote", {"reason": reason}, lambda _: True)
    with exit_when_refused():
        request_for_one(target.open(), id, verb, as_json)
