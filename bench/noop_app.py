"""The least Durable Functions app that acts on an event: a function, an orchestrator and an activity.

`throughput` runs it on the sandbox beside ours: what it costs is the price of worker, host and task hub. It
writes the event's id and the time to `ENDED`, so that the end of each response is known.
"""

import shutil
from pathlib import Path

from sandbox.sandbox_process import ROOT

ENDED = "ended.txt"
SOURCE = f'''
import json, pathlib, time
import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
ended = open(pathlib.Path(__file__).parent / "{ENDED}", "a", buffering=1)

@app.function_name("RunStatusChanged")
@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def deliver(event: str, client: df.DurableFunctionsClient) -> None:
    found = json.loads(event)
    if found["data"]["runStatus"] != "Completed":
        await client.schedule_new_orchestration("respond", input=found, instance_id=found["id"])

@app.orchestration_trigger(context_name="context")
def respond(context, given):
    if given["data"]["runStatus"] == "Failed":
        yield context.call_activity("act", input=given)
    elif not context.is_replaying:
        note_end(given)

def note_end(given):
    ended.write(given["id"] + " " + str(time.time()) + chr(10))

@app.activity_trigger(input_name="given")
def act(given: dict) -> str:
    note_end(given)
    return "done"
'''


def write_noop_app(folder: Path) -> Path:
    """Write the app into this folder, with our host.json; gives the folder."""
    (folder / "function_app.py").write_text(SOURCE)
    shutil.copy(ROOT / "host.json", folder)
    return folder


def read_ends(folder: Path) -> dict[str, float]:
    """When the activity of each event ran, in seconds since the epoch, by the event's id."""
    file = folder / ENDED
    lines = file.read_text().splitlines() if file.exists() else []
    return {id: float(at) for id, at in (line.split() for line in lines if " " in line)}
