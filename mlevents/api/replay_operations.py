"""The verb of operators for an event in quarantine: try its text again."""

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
from mlevents.orchestration.intervention import REPLAY, Intervention
from mlevents.orchestration.messages import Response
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import REPLACE_NOTHING, start
from mlevents.responses.quarantine_replay import describe_replay, find_replayable, plan_replayed
from mlevents.responses.rerun import rerun_id


class ReplayBody(RequestBody):
    """Why the text is tried again."""

    reason: Annotated[str, Field(max_length=LONGEST_VERB_REASON)] = ""


@operation(
    "ReplayResponse",
    body=ReplayBody,
    answer=InterventionView,
    answers={202: InterventionView},
    errors=(409,),
)
async def replay_quarantined_event(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Deliver the text of an event in quarantine again, to the rules and the code of now.

    Once it is understood, the record is `done`, and another request changes nothing. `effect` says what came
    of it.
    """
    before = await read_intervention_state(app.client, request.path["id"])
    record = find_replayable(before.state)
    if record is None or record.raw is None:
        raise refuse_verb(before, "only an event in quarantine has a text to replay")
    latest = next((one for one in reversed(before.outcome.log) if one.verb == REPLAY), None)
    if latest and before.outcome.status == "done":
        return ApiAnswer(view_intervention(before, latest, changed=False))
    if not before.has_ended:
        raise refuse_verb(before, "it has not ended")
    return await replay_text(app, before, record, request)


async def replay_text(
    app: AppState, before: InterventionState, record: Response, request: ApiRequest
) -> ApiAnswer:
    """Deliver the text, then record it; raises ApiError 409 while nothing is responded to."""
    if app.deliver is None or app.settings().mode == "disabled":
        raise refuse_verb(before, "MLEVENTS_MODE is disabled")
    delivery = await app.deliver(record.raw or "")
    response_id, number = before.view.id, before.outcome.reruns + 1
    by, reason = identify_caller(request.headers), " ".join(request.body.reason.split())
    effect = describe_replay(delivery)
    asked = Intervention(f"{REPLAY}-{number}", REPLAY, by, reason, app.now.isoformat(), effect=effect)
    text = to_text(plan_replayed(before.state, record, asked, delivery).to_json())
    began = await start(app.client, BEGIN_RERUN, text, rerun_id(response_id, number), REPLACE_NOTHING)

    def is_recorded(one: InterventionState) -> bool:
        return one.outcome.reruns >= number and one.has_ended

    after = await wait_for_state(app.client, response_id, is_recorded)
    entry = after.find_entry(asked.id)
    return ApiAnswer(view_intervention(after, entry or asked, began), 200 if entry else 202)
