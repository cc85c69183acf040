"""Every five minutes, or as often as a setting says: changed tags of models become events `model.tagged`."""

from functools import partial

import azure.durable_functions as df
import azure.functions as func

from mlevents.errors import ConfigError
from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import deliver, rules, settings
from mlevents.orchestration.function_names import COMPARE_MODEL_TAGS
from mlevents.responses.tag_watch import watch_tags
from mlevents.settings import Settings

blueprint = Blueprint()


def find_schedule() -> str:
    """When it runs; as without the setting where the settings cannot be used."""
    try:
        return Settings.read().tag_schedule
    except ConfigError:  # every delivery raises it, and the health says it
        return Settings().tag_schedule


@blueprint.function_name(COMPARE_MODEL_TAGS)
@blueprint.timer_trigger(arg_name="timer", schedule=find_schedule())
@blueprint.durable_client_input(client_name="client")
async def compare_model_tags(timer: func.TimerRequest, client: df.DurableFunctionsClient) -> None:
    """See `mlevents.responses.tag_watch`; does nothing unless a rule asks for `model.tagged`."""
    await watch_tags(client, partial(deliver, client=client), rules(), settings())
