"""The verbs of operators for a response that runs: cancel it, promote or abort its rollout."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from mlevents.api.caller import identify_caller
from mlevents.api.intervention_state import InterventionState, read_intervention_state, wait_for_state
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, RequestBody, operation
from mlevents.orchestration.instances import raise_event
from mlevents.orchestration.intervention import ABORT, CANCEL, PROMOTE, Intervention
from mlevents.orchestration.serialization import to_text
from mlevents.responses.operated_response import LATE_WORDS

LONGEST_VERB_REASON = 500
_OUTCOMES = {CANCEL: "stopped", ABORT: "failed"}
"""The status with which a response ends by a verb."""


def require_words(text: str) -> str:
    """The text in one line; raises ValueError for an empty one."""
    if not (words := " ".join(text.split())):
        raise ValueError("say why")
    return words


type Reason = Annotated[
    str, Field(min_length=1, max_length=LONGEST_VERB_REASON, pattern=r"\S"), AfterValidator(require_words)
]


class InterventionBody(RequestBody):
    """Why an operator intervenes; required, because an endpoint may change."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class InterventionView:
    """What a verb led to: the response's status now, and who asked for what.

    `changed` is false where the same verb was there before, or had its effect already.
    """

    id: str
    status: str
    because: str | None
    verb: str
    by: str
    reason: str
    effect: str
    changed: bool


_INTERVENTION: dict[str, Any] = {
    "body": InterventionBody,
    "answer": InterventionView,
    "answers": {202: InterventionView},
    "errors": (409,),
}


@operation("CancelResponse", **_INTERVENTION)
async def cancel_response(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Cancel a response that runs or waits: it ends as `stopped`.

    A rollout restores the traffic first. 202 says that the verb is stored, and takes effect soon.
    """
    before = await read_intervention_state(app.client, request.path["id"])
    return await intervene(app, before, make_intervention(request, app, CANCEL))


@operation("AbortRollout", **_INTERVENTION)
async def abort_rollout(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Abort the rollout of a response: the traffic is restored, and the response fails."""
    before = await read_intervention_state(app.client, request.path["id"])
    if not before.has_ended and before.rollout is None:
        raise refuse_verb(before, "no rollout of it is running")
    return await intervene(app, before, make_intervention(request, app, ABORT))


@operation("PromoteRollout", **_INTERVENTION)
async def promote_rollout(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Leave the current phase of a rollout early, and go on with the next one.

    The checks are read once more. One that has failed for good still fails the rollout; anything else that
    speaks against the promotion is recorded with the phase.
    """
    before = await read_intervention_state(app.client, request.path["id"])
    if before.has_ended:
        raise refuse_verb(before, "it has ended")
    if before.rollout is None or before.rollout.phase is None:
        now = f", now: {before.rollout.detail}" if before.rollout else ""
        raise refuse_verb(before, f"no phase of a rollout holds{now}")
    phase = before.rollout.phase
    return await intervene(app, before, make_intervention(request, app, PROMOTE, phase))


def make_intervention(
    request: ApiRequest, app: AppState, verb: str, phase: int | None = None
) -> Intervention:
    """The verb with who and why; two for the same thing have one id, so that they act once."""
    name = verb if phase is None else f"{verb}-{phase}"
    by = identify_caller(request.headers)
    return Intervention(name, verb, by, request.body.reason, app.now.isoformat(), phase)


async def intervene(app: AppState, before: InterventionState, wanted: Intervention) -> ApiAnswer:
    """Store the verb with the response, and answer with what it led to; raises ApiError 409."""
    response_id = before.view.id
    known = before.find_entry(wanted.id)
    if before.has_ended:
        if known is None or before.outcome.status != _OUTCOMES.get(wanted.verb):
            raise refuse_verb(before, "it has ended")
        return ApiAnswer(view_intervention(before, known, changed=False))
    if known is None and not await raise_event(app.client, response_id, to_text(wanted.to_json())):
        raise refuse_verb(await read_intervention_state(app.client, response_id), "it has just ended")
    after = await wait_for_state(app.client, response_id, lambda one: has_acted(one, wanted))
    entry = after.find_entry(wanted.id)
    if after.has_ended and (entry is None or entry.effect.startswith(LATE_WORDS)):
        raise refuse_verb(after, "it ended before this took effect")
    changed = known is None and (entry is None or entry.time == wanted.time)
    return ApiAnswer(view_intervention(after, entry or wanted, changed), 200 if entry else 202)


def has_acted(now: InterventionState, wanted: Intervention) -> bool:
    """Whether there is nothing more to wait for before an answer."""
    if now.has_ended:
        return True
    entry = now.find_entry(wanted.id)
    if entry is None or not entry.effect:
        return False
    if wanted.verb == PROMOTE:
        return now.rollout is None or now.rollout.phase != wanted.phase
    return now.rollout is not None  # the traffic goes back, which takes its time


def view_intervention(now: InterventionState, entry: Intervention, changed: bool) -> dict[str, Any]:
    """The answer to a verb."""
    view = now.view
    return {
        "id": view.id,
        "status": view.status,
        "because": view.because,
        "verb": entry.verb,
        "by": entry.by,
        "reason": entry.reason,
        "effect": entry.effect,
        "changed": changed,
    }


def refuse_verb(now: InterventionState, fact: str) -> ApiError:
    """The error for a response in another state than the verb needs."""
    state = now.view.status
    return ApiError(409, f"response '{now.view.id}' is {state}: {fact}", state=state)
