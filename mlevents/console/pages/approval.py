"""The page on which a person approves or rejects what a response waits with. Only a POST decides."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlevents.actions.deploy_model.metric_totals import spell_metric, spell_value
from mlevents.api.approval_list import describe_approval
from mlevents.api.approval_state import describe_settled
from mlevents.api.approver import refuse_approver
from mlevents.api.operation import ApiError
from mlevents.console.page import PageAnswer, PageError, PageRequest, page
from mlevents.console.pages.response import to_json_text
from mlevents.explanations.rule_explanation import describe_line
from mlevents.gates.approve.terms import APPROVE, REJECT
from mlevents.matching.match_trace import TraceLine

_VERBS = {APPROVE: "ApproveResponse", REJECT: "RejectResponse"}
_PRIVATE: Mapping[str, str] = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
"""The address of the page holds the token: no other page may learn it."""
_GONE = 410


@page("GET approvals/{id}")
async def show_approval(request: PageRequest) -> PageAnswer:
    """The approval of a response, for operators who found it in the console."""
    return await _show(request, None)


@page("GET approvals/{id}/{token}")
async def show_approval_of_link(request: PageRequest) -> PageAnswer:
    """The approval of a link; it changes nothing, because mail scanners follow links."""
    return await _show(request, request.path["token"])


@page("POST approvals/{id}")
async def decide_approval(request: PageRequest) -> PageAnswer:
    """Decide it."""
    return await _decide(request, None)


@page("POST approvals/{id}/{token}")
async def decide_approval_of_link(request: PageRequest) -> PageAnswer:
    """Decide it with the token of the link."""
    return await _decide(request, request.path["token"])


async def _show(request: PageRequest, token: str | None, status: int = 200, **names: Any) -> PageAnswer:
    try:
        found, asked = await describe_approval(request.path["id"], request.app, token)
    except ApiError as error:
        raise PageError(error.status, str(error)) from error
    is_open = asked.is_open(request.now)
    answer = request.show(
        "approval.html",
        "responses",
        status if is_open or token is None else _GONE,
        approval=found,
        is_open=is_open,
        settled=describe_settled(asked, request.now),
        refusal=refuse_approver(asked, request.headers) if is_open else None,
        explanation=[describe_line(TraceLine(**line)) for line in found["explanation"]],
        event_text=to_json_text(found["event"]),
        has_token=token is not None,
        place=[request.path["id"], *([] if token is None else [token])],
        spell_metric=spell_metric,
        spell_value=spell_value,
        **names,
    )
    return replace(answer, headers={**answer.headers, **_PRIVATE})


async def _decide(request: PageRequest, token: str | None) -> PageAnswer:
    verb = request.read_field("decision")
    if verb not in _VERBS:
        raise PageError(400, "Nothing was decided: press Approve or Reject.")
    reason = " ".join(request.read_field("reason").split())
    if verb == REJECT and not reason:
        return await _show(request, token, 400, missing="Say in the comment why you reject it.")
    body = {"reason": reason, **({} if token is None else {"token": token})}
    try:
        await request.call(_VERBS[verb], {"id": request.path["id"]}, body=body)
    except PageError as error:
        return await _show(
            request, token, error.status, missing=f"Nothing was decided: {error}", reason=reason
        )
    return request.lead("approvals", request.path["id"])
