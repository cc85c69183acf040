"""A data drift monitor found drift."""

import azure.durable_functions as df

from handlers.delivery import deliver

blueprint = df.Blueprint()


@blueprint.function_name("DatasetDriftDetected")
@blueprint.event_grid_trigger(arg_name="event")
@blueprint.durable_client_input(client_name="client")
async def dataset_drift_detected(event: str, client: df.DurableFunctionsClient) -> None:
    """Respond to one `Microsoft.MachineLearningServices.DatasetDriftDetected` event."""
    await deliver(event, client)
