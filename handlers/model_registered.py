"""A model was registered."""

import azure.durable_functions as df

from handlers.delivery import deliver

blueprint = df.Blueprint()


@blueprint.function_name("ModelRegistered")
@blueprint.event_grid_trigger(arg_name="event")
@blueprint.durable_client_input(client_name="client")
async def model_registered(event: str, client: df.DurableFunctionsClient) -> None:
    """Respond to one `Microsoft.MachineLearningServices.ModelRegistered` event."""
    await deliver(event, client)
