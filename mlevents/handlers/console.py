"""Binds the console to HTTP: its pages, and their content where the host asks for a function key."""

import azure.durable_functions as df
import azure.functions as func

from mlevents.handlers.blueprint import Blueprint

METHODS = ["GET", "POST"]
blueprint = Blueprint()


@blueprint.function_name("Console")
@blueprint.route("console/{*place}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
@blueprint.durable_client_input(client_name="client")
async def show_console(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """A page, to a person who is signed in; else one that asks for a function key."""
    return await answer(req, client, guarded=False)


@blueprint.function_name("ConsoleContent")
@blueprint.route("console-content/{*place}", methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def show_console_content(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """The same page for a browser that has a function key."""
    return await answer(req, client, guarded=True)


async def answer(
    req: func.HttpRequest, client: df.DurableFunctionsClient, *, guarded: bool
) -> func.HttpResponse:
    """What the console answers."""
    from mlevents.console.console import BrowserRequest, answer_browser  # a cold start does not pay for it
    from mlevents.handlers.request_state import make_app_state

    headers = {name.lower(): value for name, value in req.headers.items()}
    place = (req.route_params.get("place") or "").strip("/")
    request = BrowserRequest(req.method, req.url, place, req.params, headers, req.get_body(), guarded)
    page = await answer_browser(request, make_app_state(client))
    return func.HttpResponse(page.body, status_code=page.status, headers=dict(page.headers))
