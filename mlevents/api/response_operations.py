"""What became of events: the list of responses, and one of them."""

from dataclasses import dataclass
from typing import Any

from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, operation
from mlevents.api.query_parameter import text_parameter
from mlevents.api.response_details import ResponseDetails
from mlevents.api.response_query import RESPONSE_PARAMETERS, ResponseQuery
from mlevents.api.response_reader import ResponseReader
from mlevents.errors import ConfigError
from mlevents.responses.response_view import ResponseView


@dataclass(frozen=True, slots=True)
class ResponsePage:
    """One page of responses; `continuation` is the parameter that gives the next one."""

    responses: list[ResponseView]
    continuation: str | None


@operation("ListResponses", parameters=RESPONSE_PARAMETERS, answer=ResponsePage)
async def list_responses(request: ApiRequest, app: AppState) -> ApiAnswer:
    """A page of responses, the newest first.

    A response matches all of the parameters.
    """
    found, following = await open_reader(app).page(ResponseQuery(**request.query))
    responses = [view.to_json() for view in found]
    return ApiAnswer({"responses": responses, "continuation": following and following.to_text()})


@operation(
    "ListResponsesUnversioned",
    parameters=(
        text_parameter("event_id", "Those of one event."),
        text_parameter("rule", "Those of one rule."),
    ),
    answer=list[ResponseView],
    deprecated=True,
)
async def list_every_response(request: ApiRequest, app: AppState) -> ApiAnswer:
    """All responses as a plain list, the newest first."""
    views = await open_reader(app).every(ResponseQuery(**request.query))
    return ApiAnswer([view.to_json() for view in views])


@operation("GetResponse", answer=ResponseDetails)
async def get_response(request: ApiRequest, app: AppState) -> ApiAnswer:
    """One response with all that is stored of it.

    Its whole event, plan, phases and checks, log, results, duration, links to the Studio, and why the rule
    matched.
    """
    return ApiAnswer(await find_response(request.path["id"], app))


@operation("GetResponseUnversioned", answer=ResponseDetails, deprecated=True)
async def get_response_unversioned(request: ApiRequest, app: AppState) -> ApiAnswer:
    """The same at its older address."""
    return ApiAnswer(await find_response(request.path["id"], app))


async def find_response(response_id: str, app: AppState) -> dict[str, Any]:
    """The response of this id; raises ApiError 404 when there is none."""
    found = await open_reader(app).one(response_id, app.now, find_tenant(app))
    if found is None:
        raise ApiError(404, f"no response has the id '{response_id:.200}'")
    return found


def find_tenant(app: AppState) -> str:
    """The tenant of the app's identity, if its settings name it."""
    try:
        return app.settings().values.get("AZURE_TENANT_ID", "")
    except ConfigError:
        return ""


def open_reader(app: AppState) -> ResponseReader:
    """The reader of responses, which knows the workspaces of the rule file; none while it is broken."""
    try:
        workspaces = dict(app.rules().workspaces)
    except ConfigError:
        workspaces = {}
    return ResponseReader(app.client, workspaces)
