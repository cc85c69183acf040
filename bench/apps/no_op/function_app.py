"""The least Durable Functions app: one event leads to nothing, the other to an orchestrator and an activity.

It writes the event's id and the time at which a response ended to `ended.txt`, beside this file.
"""

import json
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.function_name("ModelRegistered")
@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def receive_event(event: str, client: df.DurableFunctionsClient) -> None:
    """Do nothing about an event."""


@app.function_name("RunStatusChanged")
@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def receive_run(event: str, client: df.DurableFunctionsClient) -> None:
    """Respond to a run that has not completed."""
    found = json.loads(event)
    if found["data"]["runStatus"] != "Completed":
        await client.schedule_new_orchestration("respond", input=found, instance_id=found["id"])


@app.orchestration_trigger(context_name="context")
def respond(context: Any, found: dict[str, Any]) -> Generator[Any, Any]:
    """Perform the activity for a failed run, and nothing for another one."""
    if found["data"]["runStatus"] == "Failed":
        yield context.call_activity("act", input=found)
    elif not context.is_replaying:
        note_end(found)


@app.activity_trigger(input_name="found")
def act(found: Any) -> str:
    """Note the end, and nothing else."""
    note_end(found)
    return "done"


def note_end(found: dict[str, Any]) -> None:
    """Write the line of one response."""
    with Path(__file__).with_name("ended.txt").open("a", encoding="utf-8") as file:
        file.write(f"{found['id']} {time.time()}\n")
