"""Every five minutes: responses and rollouts without an outcome, a release that stopped, silences."""

from datetime import UTC, datetime

import azure.durable_functions as df
import azure.functions as func

from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import rules, settings
from mlevents.handlers.silences import begin_silences
from mlevents.orchestration.function_names import SWEEP_RESPONSES
from mlevents.responses.hold_release import continue_release
from mlevents.responses.sweeper import Sweeper

blueprint = Blueprint()


@blueprint.function_name(SWEEP_RESPONSES)
@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
@blueprint.durable_client_input(client_name="client")
async def sweep_responses(timer: func.TimerRequest, client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.sweeper`."""
    await Sweeper(client, datetime.now(UTC)).sweep()
    await continue_release(client)
    await begin_silences(client, rules(), settings(), datetime.now(UTC))
