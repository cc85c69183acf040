"""The API: one HTTP function for each address; the operation is imported at its first request."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df
import azure.functions as func

from mlevents.api.routes import ROUTES, Route
from mlevents.handlers.blueprint import Blueprint

if TYPE_CHECKING:
    from mlevents.api.operation import ApiAnswer

blueprint = Blueprint()
HEADERS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def add_operation(name: str, route: Route) -> None:
    """Register the function of one operation; only one that reads the task hub gets a client of it."""

    async def answer_with_hub(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
        return await answer_request(name, req, client)

    async def answer_alone(req: func.HttpRequest) -> func.HttpResponse:
        return await answer_request(name, req, None)

    with_client = blueprint.durable_client_input(client_name="client")
    function = with_client(answer_with_hub) if route.hub else answer_alone
    level = func.AuthLevel.ANONYMOUS if route.anonymous else func.AuthLevel.FUNCTION
    routed = blueprint.route(route.path, methods=[route.method], auth_level=level)(function)
    blueprint.function_name(name)(routed)


async def answer_request(name: str, req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """What the operation of this name answers."""
    from mlevents.api.operation import find_operation
    from mlevents.api.request_reading import HttpRequest, perform_operation
    from mlevents.handlers.request_state import make_app_state

    headers = {name.lower(): value for name, value in req.headers.items()}
    http = HttpRequest(req.route_params, req.params, req.get_body(), headers, req.url)
    return encode_answer(await perform_operation(find_operation(name), http, make_app_state(client)))


def encode_answer(answer: "ApiAnswer") -> func.HttpResponse:
    """The answer as the host takes it."""
    body = json.dumps(answer.document)
    return func.HttpResponse(
        body, status_code=answer.status, mimetype="application/json", headers=dict(HEADERS)
    )


for operation_name, operation_route in ROUTES.items():
    add_operation(operation_name, operation_route)
