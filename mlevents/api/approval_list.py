"""Reads approvals: those that wait, and one with what a person needs to know to decide."""

from dataclasses import dataclass
from typing import Any

from mlevents.api.approval_state import read_approvals
from mlevents.api.intervention_state import InterventionState, read_intervention_state
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, operation
from mlevents.api.query_parameter import limit_parameter
from mlevents.api.response_operations import open_reader
from mlevents.api.response_query import ResponseQuery
from mlevents.gates.approve.record import ApprovalRecord
from mlevents.gates.approve.request import describe_steps
from mlevents.responses.response_outcome import EventOutline

_MOST = 50


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval: `id` is the response's. `status` is waiting, passed, stopped or failed; `detail` says why.

    `place` is the gate `approve`, or a phase of a rollout. `steps` are what would happen. `by` and `not_by`
    are the rule's terms, `author` who registered the model, where the terms ask for it.
    """

    id: str
    rule: str | None
    event: EventOutline
    place: str
    status: str
    detail: str
    until: str
    by: list[str]
    not_by: str | None
    author: str | None
    steps: list[str]


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """What waits for an approval, the newest response first; `more` says that there are others."""

    approvals: list[ApprovalView]
    more: bool


@operation(
    "ListApprovals", "GET v1/approvals", parameters=(limit_parameter(_MOST, _MOST),), answer=ApprovalPage
)
async def list_approvals(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Every response that waits for an approval."""
    limit = int(request.query.get("limit", _MOST))
    waiting, following = await open_reader(app).page(ResponseQuery(status="waiting", limit=500))
    found: list[dict[str, Any]] = []
    for view in waiting:
        if (view.because or "").startswith("approve"):
            found += await _view_waiting(view.id, app)
        if len(found) > limit:
            break
    return ApiAnswer({"approvals": found[:limit], "more": len(found) > limit or following is not None})


@operation("GetApproval", "GET v1/approvals/{id}", answer=ApprovalView)
async def get_approval(request: ApiRequest, app: AppState) -> ApiAnswer:
    """The approval of a response that it waits for, or the last one: what would happen, and until when."""
    state = await read_intervention_state(app.client, request.path["id"])
    asked = read_approvals(state).latest
    if asked is None:
        raise ApiError(404, f"response '{state.view.id}' asks for no approval")
    return ApiAnswer(view_approval(state, asked))


def view_approval(state: InterventionState, asked: ApprovalRecord) -> dict[str, Any]:
    """An approval as JSON."""
    response, author = read_approvals(state).response, asked.author
    steps = [{"id": one.id, "uses": one.uses, "with": one.with_} for one in response.steps]
    return {
        "id": state.view.id,
        "rule": response.rule,
        "event": state.view.event.to_json(),
        "place": asked.place,
        "status": asked.status,
        "detail": asked.detail,
        "until": asked.until,
        "by": list(asked.by),
        "not_by": asked.not_by,
        "author": author and f"{author.get('name') or 'unknown'} ({author.get('type') or 'unknown'})",
        "steps": list(describe_steps(steps, response.event.names)),
    }


async def _view_waiting(response_id: str, app: AppState) -> list[dict[str, Any]]:
    try:
        state = await read_intervention_state(app.client, response_id)
        found = read_approvals(state)
    except ApiError:  # it is gone meanwhile
        return []
    return [view_approval(state, one) for one in found.approvals if one.is_open(app.now)]
