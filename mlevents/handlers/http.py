"""The API: one HTTP function for each operation that `mlevents.api` declares."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from mlevents.api.operation import ApiAnswer, AppState, Operation, operations
from mlevents.api.request_reading import HttpRequest, perform_operation
from mlevents.errors import ConfigError
from mlevents.handlers.blueprint import Blueprint
from mlevents.handlers.delivery import deliver, failures, rules, settings
from mlevents.settings import find_unresolved_references

blueprint = Blueprint()
HEADERS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def add_operation(one: Operation) -> None:
    """Register the function of one operation; only one that reads the task hub gets a client of it."""

    async def answer_with_hub(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
        return await answer_request(one, req, client)

    async def answer_alone(req: func.HttpRequest) -> func.HttpResponse:
        return await answer_request(one, req, None)

    with_client = blueprint.durable_client_input(client_name="client")
    function = with_client(answer_with_hub) if one.hub else answer_alone
    level = func.AuthLevel.ANONYMOUS if one.anonymous else func.AuthLevel.FUNCTION
    routed = blueprint.route(one.path, methods=[one.method], auth_level=level)(function)
    blueprint.function_name(one.name)(routed)


async def answer_request(one: Operation, req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """What the operation answers."""
    headers = {name.lower(): value for name, value in req.headers.items()}
    http = HttpRequest(req.route_params, req.params, req.get_body(), headers, req.url)
    app = AppState(client, datetime.now(UTC), rules, settings, problems, partial(deliver, client=client))
    return encode_answer(await perform_operation(one, http, app))


def encode_answer(answer: ApiAnswer) -> func.HttpResponse:
    """The answer as the host takes it."""
    body = json.dumps(answer.document)
    return func.HttpResponse(
        body, status_code=answer.status, mimetype="application/json", headers=dict(HEADERS)
    )


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
    return [line for error in failures for line in str(error).splitlines()]


for _, declared_operation in operations.items():
    add_operation(declared_operation)
