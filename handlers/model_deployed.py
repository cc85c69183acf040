"""Models were deployed to a service."""

import azure.durable_functions as df

from handlers.delivery import deliver

blueprint = df.Blueprint()


@blueprint.function_name("ModelDeployed")
@blueprint.event_grid_trigger(arg_name="event")
@blueprint.durable_client_input(client_name="client")
async def model_deployed(event: str, client: df.DurableFunctionsClient) -> None:
    """Respond to one `Microsoft.MachineLearningServices.ModelDeployed` event."""
    await deliver(event, client)
