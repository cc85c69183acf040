"""Runs a response again at the wish of an operator: the same event and the same rule, as a new attempt.

The orchestration BeginRerun has an id for each attempt, so however often and however concurrently a rerun
is asked for, one attempt begins. Its activity replaces the ended response by the new attempt, which keeps the
outcome of all earlier ones.
"""

import json
from dataclasses import replace
from typing import Any

from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationState
from durabletask.task import OrchestrationContext

from mlevents.orchestration.durable import Durable
from mlevents.orchestration.function_names import RESPOND_TO_EVENT, RESTART_RESPONSE
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.messages import Response
from mlevents.orchestration.size_limits import REPORT_UNITS, cut_document
from mlevents.orchestration.start_policy import ENDED, REPLACE_ENDED, start
from mlevents.responses.hub_state import output_of
from mlevents.responses.response_view import in_utc, known_outcome, read_response
from mlevents.responses.sweep_decision import ATTEMPTS

MOST_PAST = 10
"""Earlier attempts that a response keeps."""


class RerunRefusedError(ValueError):
    """The response cannot be run again, or not from this step; the message says why."""


def rerun_id(response: str, reruns: int) -> str:
    """The id of the orchestration that begins one attempt."""
    return f"{response}.rerun-{reruns}"


def begin_rerun_orchestrator(context: OrchestrationContext, text: str) -> Durable[dict[str, str]]:
    """The orchestrator BeginRerun: begin the attempt whose input is this JSON text."""
    said = yield context.call_activity(RESTART_RESPONSE, input=text)
    return {"status": said}


async def restart_response(text: str, client: AsyncTaskHubGrpcClient) -> str:
    """The activity RestartResponse: replace the response by its next attempt, unless that has begun."""
    document = json.loads(text)
    wanted = Response.from_json(document)
    state = await client.get_orchestration_state(wanted.id)
    if state is None or state.runtime_status not in ENDED or known_outcome(state).reruns >= wanted.reruns:
        return "begun before, or gone"
    began = await start(client, RESPOND_TO_EVENT, text, wanted.id, REPLACE_ENDED)
    return "begun" if began else "begun before"


def plan_rerun(state: OrchestrationState, asked: Intervention, first: str | None = None) -> Response:
    """The input of the next attempt of an ended response, from the step `first` on.

    Raises RerunRefusedError.
    """
    response, outcome = read_rerunnable(state), known_outcome(state)
    return replace(
        response,
        status="running",
        because=None,
        alert=False,
        attempt=1,
        earlier=(),
        unfinished=(),
        log=(*outcome.log, asked),
        reruns=outcome.reruns + 1,
        past=(*response.past, describe_attempt(state))[-MOST_PAST:],
        kept=select_kept(state, response, first) if first else {},
    )


def read_rerunnable(state: OrchestrationState) -> Response:
    """The response as its event began it; raises RerunRefusedError for one that was settled then."""
    response = read_response(state)
    if response is None:
        raise RerunRefusedError("its input cannot be read by this version")
    if response.rule is None or (response.status != "running" and response.attempt <= ATTEMPTS):
        raise RerunRefusedError(
            f"it was settled as {response.status} when its event came, and another attempt would be too: "
            f"{response.because}"
        )
    return response


def select_kept(state: OrchestrationState, response: Response, first: str) -> dict[str, Json]:
    """The results of the steps before this one; raises RerunRefusedError unless all of them were done."""
    ids = [step.id for step in response.steps]
    if first not in ids:
        raise RerunRefusedError(f"it has no step '{first:.100}': its steps are {', '.join(ids)}")
    statuses = {step.id: step.status for step in known_outcome(state).steps}
    results: Any = output_of(state).get("results", {})
    before = ids[: ids.index(first)]
    for step in before:
        if statuses.get(step) not in ("done", "skipped"):
            raise RerunRefusedError(f"step '{step}' is {statuses.get(step)}, and comes before '{first}'")
        if step not in results:
            raise RerunRefusedError(f"the result of step '{step}' is not stored: rerun all steps")
    return {step: results[step] for step in before}


def describe_attempt(state: OrchestrationState) -> Json:
    """An ended attempt, as the API shows it later."""
    outcome = known_outcome(state)
    return {
        "attempt": outcome.reruns + 1,
        "status": outcome.status,
        "because": outcome.because,
        "steps": [step.to_json() for step in outcome.steps],
        "reports": cut_document(outcome.reports, REPORT_UNITS),
        "created": in_utc(state.created_at),
        "updated": in_utc(state.last_updated_at),
    }
