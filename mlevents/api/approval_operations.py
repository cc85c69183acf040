"""Approvals: what waits for one, what a person needs to know to decide, and the decision."""

from typing import Any

from pydantic import Field

from mlevents.api.approval_state import ResponseApprovals, describe_settled, read_approvals
from mlevents.api.approver import refuse_approver
from mlevents.api.caller import identify_caller
from mlevents.api.intervention_operations import (
    LONGEST_VERB_REASON,
    InterventionView,
    Reason,
    refuse_verb,
    view_intervention,
)
from mlevents.api.intervention_state import InterventionState, read_intervention_state, wait_for_state
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, RequestBody, operation
from mlevents.gates.approve.record import ApprovalRecord
from mlevents.gates.approve.terms import APPROVE, REJECT
from mlevents.orchestration.instances import raise_event
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.serialization import to_text

_LONGEST_TOKEN = 200


class DecisionBody(RequestBody):
    """A decision: `token` is the end of the link, where a person follows one."""

    reason: str = Field(default="", max_length=LONGEST_VERB_REASON)
    token: str | None = Field(default=None, max_length=_LONGEST_TOKEN)


class RejectionBody(RequestBody):
    """A rejection, and its reason; `token` is as in an approval."""

    reason: Reason
    token: str | None = Field(default=None, max_length=_LONGEST_TOKEN)


_DECISION: dict[str, Any] = {
    "answer": InterventionView,
    "answers": {202: InterventionView},
    "errors": (403, 409),
}


@operation("ApproveResponse", body=DecisionBody, **_DECISION)
async def approve_response(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Approve what a response waits with: it goes on.

    403 says why an approval by the sender does not count; 409 that it came too late. 202 says that the
    decision is stored, and takes effect soon.
    """
    return await _decide(request, app, APPROVE)


@operation("RejectResponse", body=RejectionBody, **_DECISION)
async def reject_response(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Reject what a response waits with, for a reason: it stops; a rollout restores the traffic first."""
    return await _decide(request, app, REJECT)


async def _decide(request: ApiRequest, app: AppState, verb: str) -> ApiAnswer:
    """Pass a decision on to the response, and answer with what it led to; raises ApiError 403 or 409."""
    before = await read_intervention_state(app.client, request.path["id"])
    asked = read_approvals(before).find(request.body.token)
    if before.has_ended or not asked.is_open(app.now):
        return answer_settled(before, asked, verb, request, app)
    if verb == APPROVE and (refusal := refuse_approver(asked, request.headers)):
        raise ApiError(403, refusal)
    reason = " ".join(request.body.reason.split())
    by = identify_caller(request.headers)
    wanted = Intervention(f"{verb}-{asked.key}", verb, by, reason, app.now.isoformat())
    if not await raise_event(app.client, before.view.id, to_text(wanted.to_json())):
        raise refuse_verb(await read_intervention_state(app.client, before.view.id), "it has just ended")
    return await _answer_decision(app, before.view.id, wanted)


def answer_settled(
    before: InterventionState, asked: ApprovalRecord, verb: str, request: ApiRequest, app: AppState
) -> ApiAnswer:
    """The answer to a decision about what is decided: the same one again changes nothing, a link never does.

    Raises ApiError 409.
    """
    said = before.find_entry(f"{verb}-{asked.key}")
    if said is None or asked.verb != verb or request.body.token is not None:
        raise refuse_verb(before, f"the decision came too late: {describe_settled(asked, app.now)}")
    return ApiAnswer(view_intervention(before, said, changed=False))


async def _answer_decision(app: AppState, response_id: str, wanted: Intervention) -> ApiAnswer:
    def is_heard(now: InterventionState) -> bool:
        entry = now.find_entry(wanted.id)
        return now.has_ended or (entry is not None and bool(entry.effect))

    after = await wait_for_state(app.client, response_id, is_heard)
    entry = after.find_entry(wanted.id)
    asked = _find(read_approvals(after), wanted)
    if asked and asked.status != "waiting" and asked.verb != wanted.verb:
        raise refuse_verb(after, f"the decision came too late: {asked.detail}")
    changed = entry is None or entry.time == wanted.time
    return ApiAnswer(view_intervention(after, entry or wanted, changed), 200 if entry else 202)


def _find(found: ResponseApprovals, wanted: Intervention) -> ApprovalRecord | None:
    return next((one for one in found.approvals if wanted.id.endswith(one.key)), None)
