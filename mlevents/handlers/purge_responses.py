"""Every ten minutes: purge what is older than `defaults.retention`, a small batch at a time."""

from datetime import UTC, datetime

import azure.durable_functions as df
import azure.functions as func

from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import rules
from mlevents.orchestration.function_names import PURGE_RESPONSES
from mlevents.responses.retention import Purger

blueprint = Blueprint()


@blueprint.function_name(PURGE_RESPONSES)
@blueprint.timer_trigger(arg_name="timer", schedule="0 7/10 * * * *")
@blueprint.durable_client_input(client_name="client")
async def purge_responses(timer: func.TimerRequest, client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.retention`; raises RulesError while the rule file is broken."""
    await Purger(client, datetime.now(UTC), rules().defaults.retention).purge()
