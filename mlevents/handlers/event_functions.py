"""One Event Grid function for each event type that is registered, under the name that the type declares.

ModelRegistered, ModelDeployed, RunCompleted, RunStatusChanged and DatasetDriftDetected: see
`mlevents/events`. All of them do the same: `mlevents.handlers.event_receipt.receive_event`.
"""

import azure.durable_functions as df

from mlevents.events.event_functions import functions
from mlevents.handlers.blueprint import Blueprint

blueprint = Blueprint()


def add_function(name: str) -> None:
    """Register the function that Event Grid calls with each event of one type."""

    async def respond_to_one_event(event: str, client: df.DurableFunctionsClient) -> None:
        from mlevents.handlers.event_receipt import receive_event

        await receive_event(event, client)

    with_client = blueprint.durable_client_input(client_name="client")(respond_to_one_event)
    triggered = blueprint.event_grid_trigger(arg_name="event")(with_client)
    blueprint.function_name(name)(triggered)


for function in functions():
    add_function(function)
