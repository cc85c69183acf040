"""Registers what runs by the clock: each function by its name, its schedule (NCRONTAB) and its place."""

from collections.abc import Mapping

import azure.durable_functions as df
import azure.functions as func

from mlevents.errors import ConfigError
from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.late_function import late_function
from mlevents.orchestration import function_names as names
from mlevents.settings import Settings

HANDLERS = "mlevents.handlers"


def find_tag_schedule() -> str:
    """When tags are compared; as without the setting where the settings cannot be used."""
    try:
        return Settings.read().tag_schedule
    except ConfigError:  # every delivery raises it, and the health says it
        return Settings().tag_schedule


TIMERS: Mapping[str, tuple[str, str]] = {
    names.SWEEP_RESPONSES: ("0 */5 * * * *", "mlevents.handlers.sweep_responses:sweep_responses"),
    names.WATCH_DEAD_LETTERS: ("0 3/5 * * * *", "mlevents.handlers.watch_dead_letters:watch_dead_letters"),
    names.PURGE_RESPONSES: ("0 7/10 * * * *", "mlevents.handlers.purge_responses:purge_responses"),
    names.COMPARE_MODEL_TAGS: (
        find_tag_schedule(),
        "mlevents.handlers.compare_model_tags:compare_model_tags",
    ),
}

blueprint = Blueprint()


def add_timer(name: str, schedule: str, place: str) -> None:
    """Register a function that gets a client of the task hub."""
    function = late_function(place)

    async def run(timer: func.TimerRequest, client: df.DurableFunctionsClient) -> None:
        await function(client)

    with_client = blueprint.durable_client_input(client_name="client")(run)
    triggered = blueprint.timer_trigger(arg_name="timer", schedule=schedule)(with_client)
    blueprint.function_name(name)(triggered)


for timer_name, (timer_schedule, timer_place) in TIMERS.items():
    add_timer(timer_name, timer_schedule, timer_place)
