"""The callback of a service for which a step waits."""

import hmac
import json

from pydantic import ConfigDict

from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, RequestBody, operation
from mlevents.orchestration.callback import make_callback_token, name_callback
from mlevents.orchestration.instances import raise_event
from mlevents.responses.response_view import is_response, known_outcome
from mlevents.responses.step_key import step_key

LONGEST_CALLBACK = 32_000
"""Characters of JSON that a callback may have: the history of the response stores it."""
_UNKNOWN = "this is not the address of a callback of this app"


class CallbackBody(RequestBody):
    """What the service says: any JSON object; its `status` may say that the work has failed."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


@operation(
    "EndStep",
    body=CallbackBody,
    answers={202: dict},
    errors=(403, 410, 413),
)
async def end_step(request: ApiRequest, app: AppState) -> ApiAnswer:
    """End the wait of a step with what a service says; the address is in the call that the step sent.

    202: it is stored, and the step goes on. 403: the address is not one of this app. 410: the step does not
    wait any more.
    """
    response, step = request.path["id"], request.path["step"]
    state = await app.client.get_orchestration_state(response)
    secret = app.settings().secret
    if state is None or not is_response(state) or not secret:
        raise ApiError(403, _UNKNOWN)
    outcome = known_outcome(state)
    wanted = make_callback_token(secret, step_key(secret, response, step, outcome.reruns))
    if not hmac.compare_digest(request.path["token"].encode(), wanted.encode()):
        raise ApiError(403, _UNKNOWN)
    said = json.dumps(request.body.model_dump())
    if len(said) > LONGEST_CALLBACK:
        raise ApiError(
            413, f"the body has {len(said):,} characters of JSON: send at most {LONGEST_CALLBACK:,}"
        )
    waits = any(one.id == step and one.status == "running" for one in outcome.steps)
    if not waits or not await raise_event(app.client, response, said, name_callback(step)):
        raise ApiError(410, f"the step '{step}' does not wait any more")
    return ApiAnswer({"step": step, "status": "accepted"}, 202)
