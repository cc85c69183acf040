"""The approvals of a response: those that it has asked for, and whether a token belongs to one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mlevents.api.intervention_state import InterventionState
from mlevents.api.operation import ApiError
from mlevents.gates.approve.link import ApprovalSubject
from mlevents.gates.approve.record import UNDECIDED, ApprovalRecord
from mlevents.gates.approve.terms import APPROVE
from mlevents.orchestration.messages import Response
from mlevents.responses.plan_digest import digest_rule
from mlevents.responses.response_view import read_response

FOREIGN_LINK = "this link belongs to no approval of this response: use the newest one that was sent"


@dataclass(frozen=True, slots=True)
class ResponseApprovals:
    """The approvals of the latest attempt of a response, the latest last."""

    response: Response
    approvals: Sequence[ApprovalRecord]

    @property
    def latest(self) -> ApprovalRecord | None:
        """The one that waits, else the last one."""
        waiting = [one for one in self.approvals if one.status == UNDECIDED]
        return next(reversed(waiting or self.approvals), None)

    def find(self, token: str | None) -> ApprovalRecord:
        """The approval of this token, else the latest; raises ApiError 403 or 409."""
        if token is not None:
            for one in self.approvals:
                if one.hash and self._subject(one).is_token(token, one.hash):
                    return one
            raise ApiError(403, FOREIGN_LINK)
        if self.latest is None:
            raise ApiError(409, f"response '{self.response.id}' asks for no approval")
        return self.latest

    def _subject(self, one: ApprovalRecord) -> ApprovalSubject:
        response = self.response
        plan = digest_rule(response, one.step)
        return ApprovalSubject(f"{response.id}~{response.reruns}", one.place, plan)


def read_approvals(state: InterventionState) -> ResponseApprovals:
    """The approvals of a response; raises ApiError 409 for one that this version cannot read."""
    response = read_response(state.state)
    if response is None:
        raise ApiError(409, f"response '{state.view.id}' cannot be read by this version")
    found = [
        ApprovalRecord.read(one.about, one.status, one.detail, one.until or "") for one in state.outcome.gates
    ]
    for about in state.step_approvals:
        status, detail, until = (str(about.get(name) or "") for name in ("status", "detail", "until"))
        found.append(ApprovalRecord.read(about, status, detail, until))
    return ResponseApprovals(response, [one for one in found if one])


def waits_for_approval(status: str, because: str | None) -> bool:
    """Whether a response with this status and reason waits for an approval, at the gate or in a rollout."""
    return status == "waiting" and (because or "").startswith(f"{APPROVE}:")


def describe_settled(one: ApprovalRecord, now: datetime) -> str:
    """Why an approval cannot be decided any more."""
    return "nobody decided in time" if one.status == UNDECIDED and one.is_over(now) else one.detail
