"""`rerun`: run responses again that have ended."""

from typing import Annotated

import typer

from mlevents.commands.command import AsJson, command, exit_with_error
from mlevents.commands.feed_state import ACTIVE
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import ResponseFilters
from mlevents.commands.operator.verb_request import (
    Consent,
    OptionalReason,
    SeveralId,
    Verb,
    request_for_one,
    request_for_several,
    require_choice,
)
from mlevents.commands.option_groups import expand_options

FirstStep = Annotated[
    str,
    typer.Option(
        "--from", metavar="STEP", show_default=False, help="Begin with this step; keep the results before it."
    ),
]


@command("rerun")
@expand_options
def request_rerun(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    filters: ResponseFilters,
    consent: Consent,
    target: AppOptions,
    id: SeveralId = "",
    first: FirstStep = "",
    reason: OptionalReason = "",
    as_json: AsJson = False,
) -> None:
    """Run an ended response again: the same event and rule, as a new attempt; or all that filters select."""
    require_choice(id, filters, consent)
    if first and not id:
        exit_with_error("--from names a step of one response: give its id")
    body = {"reason": reason, **({"from": first} if first else {})}
    verb = Verb("rerun", body, lambda status: status not in ACTIVE)
    with exit_when_refused():
        if id:
            request_for_one(target.open(), id, verb, as_json)
        else:
            request_for_several(target.open(), filters, verb, consent, as_json)
