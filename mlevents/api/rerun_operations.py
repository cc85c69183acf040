"""The verb of operators for a response that has ended: run it again."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from mlevents.api.caller import identify_caller
from mlevents.api.intervention_operations import (
    LONGEST_VERB_REASON,
    InterventionView,
    refuse_verb,
    view_intervention,
)
from mlevents.api.intervention_state import InterventionState, read_intervention_state, wait_for_state
from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, RequestBody, operation
from mlevents.orchestration.function_names import BEGIN_RERUN
from mlevents.orchestration.intervention import RERUN, Intervention
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import ENDED_BADLY, REPLACE_NOTHING, start
from mlevents.responses.rerun import RerunRefusedError, plan_rerun, rerun_id

REPETITION = timedelta(minutes=1)
"""After a rerun that has succeeded, another one within this time is the same request once more."""


class RerunBody(RequestBody):
    """Why a response is run again, and from which step on; without `from`, all steps are performed."""

    reason: Annotated[str, Field(max_length=LONGEST_VERB_REASON)] = ""
    first: Annotated[str | None, Field(alias="from", min_length=1)] = None


@operation(
    "RerunResponse",
    body=RerunBody,
    answer=InterventionView,
    answers={202: InterventionView},
    errors=(409,),
)
async def rerun_ended_response(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Run an ended response again: the same event and the same rule, as a new attempt.

    The attempts before it stay in `attempts`. While the new attempt runs, and for a minute from its beginning
    if it succeeds, another request changes nothing.
    """
    before = await read_intervention_state(app.client, request.path["id"])
    latest = next((one for one in reversed(before.outcome.log) if one.verb == RERUN), None)
    if latest and (not before.has_ended or is_repetition(before, latest, app.now)):
        return ApiAnswer(view_intervention(before, latest, changed=False))
    if not before.has_ended:
        raise refuse_verb(before, "it has not ended")
    return await begin_rerun(app, before, request)


def is_repetition(before: InterventionState, latest: Intervention, now: datetime) -> bool:
    """Whether a request only repeats the rerun that has just succeeded."""
    began = datetime.fromisoformat(latest.time)
    return before.outcome.status == "done" and now - began < REPETITION


async def begin_rerun(app: AppState, before: InterventionState, request: ApiRequest) -> ApiAnswer:
    """Begin the next attempt, once; raises ApiError 409."""
    response_id, number = before.view.id, before.outcome.reruns + 1
    if before.state.runtime_status in ENDED_BADLY and before.view.status == "running":
        raise refuse_verb(before, "the app runs it again itself within minutes")
    by, reason = identify_caller(request.headers), " ".join(request.body.reason.split())
    effect = f"attempt {number + 1} begins"
    asked = Intervention(f"{RERUN}-{number}", RERUN, by, reason, app.now.isoformat(), effect=effect)
    try:
        attempt = plan_rerun(before.state, asked, request.body.first)
    except RerunRefusedError as error:
        raise refuse_verb(before, str(error)) from error
    text = to_text(attempt.to_json())
    began = await start(app.client, BEGIN_RERUN, text, rerun_id(response_id, number), REPLACE_NOTHING)
    after = await wait_for_state(app.client, response_id, lambda one: one.outcome.reruns >= number)
    entry = after.find_entry(asked.id)
    return ApiAnswer(view_intervention(after, entry or asked, began), 200 if entry else 202)
