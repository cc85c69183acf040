"""What can be asked over HTTP: is it healthy, and what became of an event."""

import json
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask.client import OrchestrationQuery

from handlers.delivery import rules
from mlevents.errors import ConfigError
from mlevents.responses.function_names import RESPOND_TO_EVENT
from mlevents.responses.view import one, views

blueprint = df.Blueprint()

PAGE = 100
"""Orchestrations in one answer of the task hub, of which all are fetched."""


def answer(document: Any, status: int = 200) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(json.dumps(document), status_code=status, mimetype="application/json")


@blueprint.function_name("Health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 or 503, and no word why: anybody may ask."""
    healthy = not problems()
    return answer({"status": "ok" if healthy else "failing"}, 200 if healthy else 503)


@blueprint.function_name("HealthDetails")
@blueprint.route("health/details", methods=["GET"])
def health_details(req: func.HttpRequest) -> func.HttpResponse:
    """The same with the reasons, for those who hold a key."""
    found = problems()
    return answer({"status": "failing" if found else "ok", "problems": found}, 503 if found else 200)


def problems() -> list[str]:
    """Why deliveries are raising now; empty when they are not."""
    try:
        rules()
    except ConfigError as error:
        return str(error).splitlines()
    return []


@blueprint.function_name("ListResponses")
@blueprint.route("responses", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
async def list_responses(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """What became of events, the newest first; `?event_id=` and `?rule=` narrow it down."""
    rule = req.params.get("rule")
    query = OrchestrationQuery(max_instance_count=PAGE, instance_id_prefix=f"{rule}." if rule else None)
    states = await client.get_all_orchestration_states(query)
    return answer(views(states, req.params.get("event_id"), rule))


@blueprint.function_name("GetResponse")
@blueprint.route("responses/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
async def get_response(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """One response, with the text of an event that could not be understood in `raw`."""
    state = await client.get_orchestration_state(req.route_params["id"])
    if state is None or state.name != RESPOND_TO_EVENT:
        return answer({"error": f"no response has the id '{req.route_params['id']}'"}, 404)
    return answer(one(state))
