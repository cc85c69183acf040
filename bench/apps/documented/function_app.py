"""The same as Microsoft's samples are written: what the app may need is imported at the top."""

import azure.durable_functions as df
import azure.functions as func
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
NEEDED = (MLClient, DefaultAzureCredential)


@app.function_name("ModelRegistered")
@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def receive_event(event: str, client: df.DurableFunctionsClient) -> None:
    """Do nothing about an event."""
