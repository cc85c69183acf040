"""Reads approvals: those that wait, and one with what a person needs to know to decide."""

from dataclasses import asdict, dataclass
from typing import Any

from mlevents.api.approval_evidence import ModelEvidence, gather_evidence
from mlevents.api.approval_state import read_approvals, waits_for_approval
from mlevents.api.intervention_state import InterventionState, read_intervention_state
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, operation
from mlevents.api.query_parameter import limit_parameter
from mlevents.api.response_details import GateView, TraceView, view_gates
from mlevents.api.response_operations import open_reader
from mlevents.api.response_query import ResponseQuery
from mlevents.gates.approve.record import UNDECIDED, ApprovalRecord
from mlevents.gates.approve.request import describe_steps
from mlevents.orchestration.step_status import PhaseRecord
from mlevents.responses.operated_response import LATE_WORDS
from mlevents.responses.response_outcome import EventOutline

_MOST = 50


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval: `id` is the response's. `status` is waiting, passed, stopped or failed; `detail` says why.

    `place` is the gate `approve`, or a phase of a rollout. `steps` are what would happen. `by` and `not_by`
    are the rule's terms, `author` who registered the model, where the terms ask for it. `decided` is when a
    person decided (ISO 8601); `detail` has who, and the comment.
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
    decided: str | None
    steps: list[str]


@dataclass(frozen=True, slots=True)
class ApprovalDetails(ApprovalView):
    """An approval with the evidence: why the rule matched, the model against what serves, the checks."""

    because: str | None
    explanation: list[TraceView]
    evidence: ModelEvidence
    phases: list[PhaseRecord]
    gates: list[GateView]


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """What waits for an approval, the newest response first; `more` says that there are others."""

    approvals: list[ApprovalView]
    more: bool


@operation("ListApprovals", parameters=(limit_parameter(_MOST, _MOST),), answer=ApprovalPage)
async def list_approvals(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Every response that waits for an approval."""
    limit = int(request.query.get("limit", _MOST))
    waiting, following = await open_reader(app).page(ResponseQuery(status="waiting", limit=500))
    found: list[dict[str, Any]] = []
    for view in waiting:
        if waits_for_approval(view.status, view.because):
            found += await _view_waiting(view.id, app)
        if len(found) > limit:
            break
    return ApiAnswer({"approvals": found[:limit], "more": len(found) > limit or following is not None})


@operation("GetApproval", answer=ApprovalDetails)
async def get_approval(request: ApiRequest, app: AppState) -> ApiAnswer:
    """The approval that a response waits for, or its last one, with all that helps to decide.

    What would happen, why, the model against what serves now, and the checks so far. It decides nothing.
    """
    found, _ = await describe_approval(request.path["id"], app)
    return ApiAnswer(found)


async def describe_approval(
    response_id: str, app: AppState, token: str | None = None
) -> tuple[dict[str, Any], ApprovalRecord]:
    """The details of the approval of this token, else of the latest, and its record.

    Raises ApiError 404 where there is none, and 403 for a token of another one.
    """
    state = await read_intervention_state(app.client, response_id)
    approvals = read_approvals(state)
    if token is None and approvals.latest is None:
        raise ApiError(404, f"response '{state.view.id}' asks for no approval")
    asked, response = approvals.find(token), approvals.response
    evidence = await gather_evidence(response, app)
    more = {
        "because": state.view.because,
        "explanation": list(response.explanation),
        "evidence": asdict(evidence),
        "phases": [phase.to_json() for step in state.view.steps for phase in step.phases],
        "gates": list(view_gates([one.to_json() for one in state.outcome.gates])),
    }
    return view_approval(state, asked) | more, asked


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
        "decided": _find_decision_time(state, asked),
        "steps": list(asked.would or describe_steps(steps, response.event.names)),
    }


def _find_decision_time(state: InterventionState, asked: ApprovalRecord) -> str | None:
    said = state.find_entry(f"{asked.verb}-{asked.key}")
    counts = said and asked.status != UNDECIDED and not said.effect.startswith(LATE_WORDS)
    return said.time if said and counts else None


async def _view_waiting(response_id: str, app: AppState) -> list[dict[str, Any]]:
    try:
        state = await read_intervention_state(app.client, response_id)
        found = read_approvals(state)
    except ApiError:  # it is gone meanwhile
        return []
    return [view_approval(state, one) for one in found.approvals if one.is_open(app.now)]
