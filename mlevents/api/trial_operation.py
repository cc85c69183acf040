"""The verb of operators for a connection: send a test message through it, from the app itself."""

import asyncio
import logging
from typing import Annotated

from pydantic import Field

from mlevents.api.caller import identify_caller
from mlevents.api.doctor_operation import DoctorFinding
from mlevents.api.intervention_operations import LONGEST_VERB_REASON
from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, RequestBody, operation
from mlevents.errors import ConfigError

log = logging.getLogger("mlevents")


class TrialBody(RequestBody):
    """Why a test message is sent."""

    reason: Annotated[str, Field(max_length=LONGEST_VERB_REASON)] = ""


@operation(
    "TryConnection",
    body=TrialBody,
    answer=DoctorFinding,
    errors=(404,),
)
async def try_connection(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Send a test message through a connection, with the settings and the network of the app.

    People receive it. The app's log says who sent it; `ok` and `said` say what came of it.
    """
    from mlevents.doctor.connection_trial import ConnectionTrial  # a cold start does not pay for it

    name, who = request.path["name"], identify_caller(request.headers)
    trial = ConnectionTrial(app.rules(), app.settings(), f"the app ({who})", app.now)
    try:
        trial.find_type(name)
    except ConfigError as error:
        raise ApiError(404, str(error)) from error
    found = (await asyncio.to_thread(trial.send, name)).to_json()
    why = " ".join(request.body.reason.split()) or "no reason given"
    log.info("test message through connection '%s', by %s: %s; %s", name, who, why, found["said"])
    return ApiAnswer(found)
