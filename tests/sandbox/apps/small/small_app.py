"""A small function app with one of everything that the sandbox serves."""

import asyncio
import json
import logging
import os
import threading
import time
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask import task
from durabletask.entities import EntityInstanceId

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
SEEN: list[Any] = []
CALLS: list[tuple[str, float]] = []
GATE = threading.Event()
log = logging.getLogger("small")


@app.function_name("Raw")
@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def raw(event: str, client: df.DurableFunctionsClient) -> None:
    document = json.loads(event)
    SEEN.append(document)
    if document.get("subject") == "boom":
        raise ValueError("it went boom\nand a second line")
    if document.get("subject") == "stall":
        await asyncio.sleep(10)
    if document.get("subject") == "start":
        data = document["data"]
        name, given = data["orchestrator"], data.get("input")
        await client.schedule_new_orchestration(name, input=given, instance_id=document["id"])


@app.function_name("Typed")
@app.event_grid_trigger(arg_name="event")
def typed(event: func.EventGridEvent) -> None:
    SEEN.append((type(event).__name__, event.id))


@app.orchestration_trigger(context_name="context")
def fan(context: task.OrchestrationContext, given: Any):
    first = yield context.call_activity("note", input=given)
    many = yield task.when_all([context.call_activity("note", input=i) for i in range(3)])
    return [first, *many]


@app.orchestration_trigger(context_name="context")
def hourly(context: task.OrchestrationContext, given: Any):
    began = context.current_utc_datetime
    for _ in range(2):
        yield context.create_timer(timedelta(hours=1))
    return (context.current_utc_datetime - began).total_seconds()


@app.orchestration_trigger(context_name="context")
def napping(context: task.OrchestrationContext, given: Any):
    context.set_custom_status("napping")
    yield context.create_timer(timedelta(minutes=2))
    return "awake"


@app.orchestration_trigger(context_name="context")
def failing(context: task.OrchestrationContext, given: Any):
    try:
        yield context.call_activity("fail", input=given)
    except task.TaskFailedError as error:
        return [error.details.error_type, error.details.message]


@app.orchestration_trigger(context_name="context")
def broken(context: task.OrchestrationContext, given: Any):
    yield context.call_activity("no_such_activity")


@app.orchestration_trigger(context_name="context")
def parent(context: task.OrchestrationContext, given: Any):
    hours = yield context.call_sub_orchestrator("hourly", input=None)
    try:
        yield context.call_sub_orchestrator("broken", input=None)
    except task.TaskFailedError as error:
        return [hours, error.details.message]


@app.orchestration_trigger(context_name="context")
def locked(context: task.OrchestrationContext, given: Any):
    entity = EntityInstanceId("counter", "shared")
    with (yield context.lock_entities([entity])):
        before = yield context.call_entity(entity, "get")
        yield context.create_timer(timedelta(seconds=30))
        yield context.call_entity(entity, "set", before + 1)
    return before


@app.orchestration_trigger(context_name="context")
def critical(context: task.OrchestrationContext, given: Any):
    with (yield context.lock_entities([EntityInstanceId("counter", given["key"])])):
        context.set_custom_status({"waiting": "approval"})
        yield context.wait_for_external_event("approval")
        if given.get("fails"):
            raise ValueError("inside the critical section")
    return "left"


@app.orchestration_trigger(context_name="context")
def adding_to(context: task.OrchestrationContext, given: Any):
    return (yield context.call_entity(EntityInstanceId("counter", given), "add", 1))


@app.orchestration_trigger(context_name="context")
def family(context: task.OrchestrationContext, given: Any):
    return (yield context.call_sub_orchestrator("waiting", input=None, instance_id=given))


@app.orchestration_trigger(context_name="context")
def locking_later(context: task.OrchestrationContext, given: Any):
    yield context.create_timer(timedelta(hours=1))
    before = str(context.new_uuid())
    seen = yield context.call_sub_orchestrator("locked", input=None)
    with (yield context.lock_entities([EntityInstanceId("counter", "mine")])):
        yield context.create_timer(timedelta(hours=1))
    return [before, seen]


@app.orchestration_trigger(context_name="context")
def adding(context: task.OrchestrationContext, given: Any):
    return (yield context.call_entity(EntityInstanceId("counter", "shared"), "add", given))


@app.orchestration_trigger(context_name="context")
def stalling(context: task.OrchestrationContext, given: Any):
    yield context.call_entity(EntityInstanceId("counter", "stalled"), "stall")


@app.orchestration_trigger(context_name="context")
def careful(context: task.OrchestrationContext, given: Any):
    try:
        return (yield context.call_entity(EntityInstanceId("counter", "shared"), "add", given))
    except Exception as error:  # noqa: BLE001 - the test is that it cannot be caught
        return repr(error)


@app.orchestration_trigger(context_name="context")
def missing_entity(context: task.OrchestrationContext, given: Any):
    yield context.call_entity(EntityInstanceId("nothing", "here"), "get")


@app.orchestration_trigger(context_name="context")
def refused(context: task.OrchestrationContext, given: Any):
    try:
        yield context.call_entity(EntityInstanceId("counter", "other"), "no_such_operation")
    except task.TaskFailedError as error:
        return error.details.message


@app.orchestration_trigger(context_name="context")
def waiting(context: task.OrchestrationContext, given: Any):
    context.set_custom_status({"waiting": "approval"})
    return (yield context.wait_for_external_event("approval"))


@app.orchestration_trigger(context_name="context")
def versioned(context: task.OrchestrationContext, given: Any):
    context.set_custom_status({"waiting": "approval"})
    yield context.wait_for_external_event("approval")
    without = yield context.call_sub_orchestrator("its_version", input=None)
    passed = yield context.call_sub_orchestrator("its_version", input=None, version=context.version)
    return [context.version, without, passed]


@app.orchestration_trigger(context_name="context")
def its_version(context: task.OrchestrationContext, given: Any):
    return context.version


@app.entity_trigger(context_name="context")  # type: ignore[arg-type]  # the form of version 1
def counter(context: df.DurableEntityContext) -> None:
    value = context.get_state(initializer=lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
    elif context.operation_name == "set":
        value = context.get_input()
    elif context.operation_name == "stall":
        GATE.wait(10)
    elif context.operation_name != "get":
        raise LookupError(f"no operation '{context.operation_name}'")
    context.set_state(value)
    context.set_result(value)


@app.activity_trigger(input_name="given")
def note(given: Any) -> str:
    CALLS.append(("note", time.monotonic()))
    print(f"note {given}")
    return f"noted {given}"


@app.activity_trigger(input_name="given")
def fail(given: Any) -> str:
    CALLS.append(("fail", time.monotonic()))
    raise PermissionError(given)


@app.activity_trigger(input_name="given")
def block(given: Any) -> str:
    GATE.wait(10)
    return "unblocked"


@app.orchestration_trigger(context_name="context")
def blocking(context: task.OrchestrationContext, given: Any):
    return (yield context.call_activity("block"))


@app.route(route="echo/{name}/{number:int?}", methods=["GET", "POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    answer = {
        "method": req.method,
        "url": req.url,
        "route": dict(req.route_params),
        "query": dict(req.params),
        "agent": req.headers.get("User-Agent"),
        "body": req.get_body().decode(),
    }
    response = func.HttpResponse(json.dumps(answer), mimetype="application/json", status_code=201)
    response.headers["X-Small"] = "yes"
    response.headers["Set-Cookie"] = "seen=1; Path=/; HttpOnly; SameSite=Strict"
    return response


@app.route(route="echo/before")
def Before(req: func.HttpRequest) -> str:  # noqa: N802 — upper case: the host sorts names without case
    return "before"


@app.route(route="echo/fixed")
def fixed(req: func.HttpRequest) -> str:
    return "fixed"


@app.route()
def nothing(req: func.HttpRequest) -> func.HttpResponse:
    raise KeyError("nothing")


@app.route(route="recorded/{what}", methods=["GET", "DELETE"])
def recorded(req: func.HttpRequest) -> str:
    found = {"SEEN": SEEN, "CALLS": CALLS}[req.route_params["what"]]
    if req.method == "DELETE":
        found.clear()
    return json.dumps(found)


@app.route(route="gate/{way}", methods=["POST"])
def gate(req: func.HttpRequest) -> str:
    (GATE.set if req.route_params["way"] == "open" else GATE.clear)()
    return "done"


@app.route(route="settings/{name}")
def setting(req: func.HttpRequest) -> str:
    return json.dumps(os.environ.get(req.route_params["name"]))


@app.route(route="clean", methods=["POST"])
@app.durable_client_input(client_name="client")
async def clean(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    result = await client.clean_entity_storage(remove_empty_entities=False, release_orphaned_locks=True)
    return func.HttpResponse(json.dumps(result.orphaned_locks_released))


@app.route(route="state/{id}", methods=["GET", "POST", "DELETE"])
@app.durable_client_input(client_name="client")
async def state(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    found = await client.get_orchestration_state(req.route_params["id"])
    if found is None:
        return func.HttpResponse(status_code=404)
    if req.method == "POST":
        await client.raise_orchestration_event(req.route_params["id"], "approval", data=req.get_json())
    if req.method == "DELETE":
        await client.terminate_orchestration(req.route_params["id"])
    answer = {
        "status": found.runtime_status.name,
        "output": found.serialized_output,
        "failure": found.failure_details and found.failure_details.message,
        "kind": found.failure_details and found.failure_details.error_type,
        "custom": found.serialized_custom_status,
    }
    return func.HttpResponse(json.dumps(answer), mimetype="application/json")
