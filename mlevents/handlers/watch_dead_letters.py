"""Every five minutes: new dead letters notify people, many in one message."""

from datetime import UTC, datetime

import azure.durable_functions as df
import azure.functions as func

from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import rules, settings
from mlevents.handlers.scheduling import schedule
from mlevents.orchestration.function_names import WATCH_DEAD_LETTERS
from mlevents.responses.dead_letter_watch import notice_dead_letters

blueprint = Blueprint()


@blueprint.function_name(WATCH_DEAD_LETTERS)
@blueprint.timer_trigger(arg_name="timer", schedule="0 3/5 * * * *")
@blueprint.durable_client_input(client_name="client")
async def watch_dead_letters(timer: func.TimerRequest, client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.dead_letter_watch`; raises while the container cannot be read."""
    found = await notice_dead_letters(client, rules(), settings(), datetime.now(UTC))
    if found:
        await schedule(found, client)
