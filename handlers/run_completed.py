"""A run completed."""

import azure.durable_functions as df

from handlers.delivery import deliver

blueprint = df.Blueprint()


@blueprint.function_name("RunCompleted")
@blueprint.event_grid_trigger(arg_name="event")
@blueprint.durable_client_input(client_name="client")
async def run_completed(event: str, client: df.DurableFunctionsClient) -> None:
    """Respond to one `Microsoft.MachineLearningServices.RunCompleted` event."""
    await deliver(event, client)
