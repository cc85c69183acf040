"""The API, version 1: is it healthy, and what became of an event.

The addresses without `v1` are older; they stay until version 1.0.
"""

import json
from contextlib import suppress
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from mlevents.api.response_query import QueryError, ResponseQuery
from mlevents.api.response_reader import ResponseReader
from mlevents.errors import ConfigError
from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import failures, rules
from mlevents.settings import find_unresolved_references

blueprint = Blueprint()


def answer(document: Any, status: int = 200) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(json.dumps(document), status_code=status, mimetype="application/json")


@blueprint.function_name("Health")
@blueprint.route("v1/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 or 503, and no word why: anybody may ask."""
    healthy = not problems()
    return answer({"status": "ok" if healthy else "failing"}, 200 if healthy else 503)


@blueprint.function_name("HealthUnversioned")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health_unversioned(req: func.HttpRequest) -> func.HttpResponse:
    """The same at its older address."""
    healthy = not problems()
    return answer({"status": "ok" if healthy else "failing"}, 200 if healthy else 503)


@blueprint.function_name("HealthDetails")
@blueprint.route("health/details", methods=["GET"])
def health_details(req: func.HttpRequest) -> func.HttpResponse:
    """The same with the reasons, for those who hold a key."""
    found = problems()
    return answer({"status": "failing" if found else "ok", "problems": found}, 503 if found else 200)


@blueprint.function_name("ListResponses")
@blueprint.route("v1/responses", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
async def list_responses(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """A page of responses, narrowed down by the parameters of `ResponseQuery`."""
    try:
        query = ResponseQuery.read(req.params)
    except QueryError as error:
        return answer({"error": str(error)}, 400)
    found, following = await ResponseReader(client, workspaces()).page(query)
    responses = [view.to_json() for view in found]
    return answer({"responses": responses, "continuation": following and following.to_text()})


@blueprint.function_name("ListResponsesUnversioned")
@blueprint.route("responses", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
async def list_every_response(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """All responses as a plain list, the newest first; `?event_id=` and `?rule=` narrow it down."""
    query = ResponseQuery(event_id=req.params.get("event_id"), rule=req.params.get("rule"))
    return answer([view.to_json() for view in await ResponseReader(client, workspaces()).every(query)])


@blueprint.function_name("GetResponse")
@blueprint.route("v1/responses/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
async def get_response(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """One response, with its whole event, and the text of one that could not be understood in `raw`."""
    return await one_response(req.route_params["id"], client)


@blueprint.function_name("GetResponseUnversioned")
@blueprint.route("responses/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
async def get_response_unversioned(
    req: func.HttpRequest, client: df.DurableFunctionsClient
) -> func.HttpResponse:
    """The same at its older address."""
    return await one_response(req.route_params["id"], client)


async def one_response(response_id: str, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """The response of this id, or 404."""
    found = await ResponseReader(client, workspaces()).one(response_id)
    return answer(found) if found else answer({"error": f"no response has the id '{response_id}'"}, 404)


def workspaces() -> dict[str, str]:
    """The workspaces of the rule file by name; none while it is broken."""
    try:
        return dict(rules().workspaces)
    except ConfigError:
        return {}


def problems() -> list[str]:
    """Why deliveries are raising now; empty when they are not."""
    found, waiting = faults_of_rules(), find_unresolved_references()
    return [*found, *(line for line in waiting if not any(line in one for one in found))]


def faults_of_rules() -> list[str]:
    """Why the rule file cannot be used.

    A file that could not be loaded is read again by deliveries alone: whoever asks here costs nothing.
    """
    if not failures:
        with suppress(ConfigError):
            rules()
    return str(failures[0]).splitlines() if failures else []
