"""The verbs of operators for many responses at once: those that a filter of the list selects."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from pydantic import BeforeValidator, Field

from mlevents.api.intervention_operations import (
    LONGEST_VERB_REASON,
    InterventionBody,
    Reason,
    cancel_response,
)
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, RequestBody, operation
from mlevents.api.replay_operations import ReplayBody, replay_quarantined_event
from mlevents.api.rerun_operations import RerunBody, rerun_ended_response
from mlevents.api.response_operations import open_reader
from mlevents.api.response_query import STATUSES, ResponseQuery

MOST_IN_BULK = 100
"""Responses of one request; `continuation` leads to the others."""
_AT_ONCE = 8
_Text = Annotated[str | None, Field(min_length=1, pattern=r"\S")]
_Status = Annotated[str | None, Field(json_schema_extra={"enum": [*STATUSES, None]})]
_Time = Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]
_Perform = Callable[[ApiRequest, AppState], Awaitable[ApiAnswer]]


def _read_whole(value: object) -> object:
    """A whole number that JSON writes with a fraction, such as 36.0, which its schema allows."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class BulkBody(RequestBody):
    """Which responses: the parameters of the list. `dry_run` lists them, and does nothing."""

    status: _Status = None
    rule: _Text = None
    workspace: _Text = None
    event_id: _Text = None
    subject: _Text = None
    since: _Time = None
    until: _Time = None
    limit: Annotated[int, Field(ge=1, le=MOST_IN_BULK), BeforeValidator(_read_whole)] = MOST_IN_BULK
    continuation: _Text = None
    dry_run: bool = False

    def read_filter(self) -> ResponseQuery:
        """The query of the list; raises QueryError for a bad value."""
        names = ("status", "rule", "workspace", "event_id", "subject", "since", "until", "continuation")
        texts = {name: value for name in names if (value := getattr(self, name)) is not None}
        return replace(ResponseQuery.read(texts), limit=self.limit)


class BulkCancelBody(BulkBody):
    """Which responses are cancelled, and why."""

    reason: Reason


class BulkRerunBody(BulkBody):
    """Which responses are run again, and why; `from` as in the rerun of one."""

    reason: Annotated[str, Field(max_length=LONGEST_VERB_REASON)] = ""
    first: Annotated[str | None, Field(alias="from", min_length=1)] = None


class BulkReplayBody(BulkBody):
    """Which events in quarantine are replayed, and why."""

    reason: Annotated[str, Field(max_length=LONGEST_VERB_REASON)] = ""


@dataclass(frozen=True, slots=True)
class BulkItem:
    """What became of one response: `done`, `refused` or, in a dry run, `selected`; `error` says why not."""

    id: str
    result: str
    status: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """What became of each; `continuation` is for the next request, null when there are no more."""

    responses: list[BulkItem]
    continuation: str | None
    dry_run: bool


@operation("CancelResponses", body=BulkCancelBody, answer=BulkAnswer)
async def cancel_responses(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Cancel each response that the filter selects; one that has ended is refused, and stays as it is."""
    body = InterventionBody(reason=request.body.reason)
    return await perform_in_bulk(request, app, cancel_response, body)


@operation("RerunResponses", body=BulkRerunBody, answer=BulkAnswer)
async def rerun_responses(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Run each response again that the filter selects; one that has not ended is refused."""
    body = RerunBody.model_validate({"reason": request.body.reason, "from": request.body.first})
    return await perform_in_bulk(request, app, rerun_ended_response, body)


@operation("ReplayResponses", body=BulkReplayBody, answer=BulkAnswer)
async def replay_responses(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Deliver the text of each event in quarantine again that the filter selects; others are refused."""
    body = ReplayBody(reason=request.body.reason)
    return await perform_in_bulk(request, app, replay_quarantined_event, body)


async def perform_in_bulk(
    request: ApiRequest, app: AppState, perform: _Perform, body: RequestBody
) -> ApiAnswer:
    """Perform a verb for one page of responses, a few at a time."""
    views, following = await open_reader(app).page(request.body.read_filter())
    slots = asyncio.Semaphore(_AT_ONCE)

    async def perform_one(response_id: str, status: str) -> BulkItem:
        if request.body.dry_run:
            return BulkItem(response_id, "selected", status)
        own = replace(request, path={"id": response_id}, body=body)
        try:
            async with slots:
                answer = await perform(own, app)
        except ApiError as error:
            return BulkItem(response_id, "refused", error.details.get("state", status), str(error))
        return BulkItem(response_id, "done", answer.document["status"])

    items = await asyncio.gather(*(perform_one(one.id, one.status) for one in views))
    answered = BulkAnswer(list(items), following.to_text() if following else None, request.body.dry_run)
    return ApiAnswer(asdict(answered))
