"""A run changed its status; also how a model monitor reports a breach."""

import azure.durable_functions as df

from handlers.delivery import deliver

blueprint = df.Blueprint()


@blueprint.function_name("RunStatusChanged")
@blueprint.event_grid_trigger(arg_name="event")
@blueprint.durable_client_input(client_name="client")
async def run_status_changed(event: str, client: df.DurableFunctionsClient) -> None:
    """Respond to one `Microsoft.MachineLearningServices.RunStatusChanged` event."""
    await deliver(event, client)
