"""The least that an event function of a Durable Functions app can be."""

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.function_name("ModelRegistered")
@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def receive_event(event: str, client: df.DurableFunctionsClient) -> None:
    """Do nothing about an event."""
