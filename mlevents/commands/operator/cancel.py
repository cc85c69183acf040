"""`cancel`: cancel responses that run or wait."""

from mlevents.commands.command import AsJson, command
from mlevents.commands.feed_state import ACTIVE
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import ResponseFilters
from mlevents.commands.operator.verb_request import (
    Consent,
    RequiredReason,
    SeveralId,
    Verb,
    request_for_one,
    request_for_several,
    require_choice,
)
from mlevents.commands.option_groups import expand_options


@command("cancel")
@expand_options
def request_cancellation(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    filters: ResponseFilters,
    consent: Consent,
    target: AppOptions,
    reason: RequiredReason,
    id: SeveralId = "",
    as_json: AsJson = False,
) -> None:
    """Cancel a response that runs or waits, or all that filters select; a rollout restores the traffic."""
    require_choice(id, filters, consent)
    verb = Verb("cancel", {"reason": reason}, ACTIVE.__contains__)
    with exit_when_refused():
        if id:
            request_for_one(target.open(), id, verb, as_json)
        else:
            request_for_several(target.open(), filters, verb, consent, as_json)
