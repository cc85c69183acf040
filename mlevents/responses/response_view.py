"""The view of a response for people and programs, made from the state of its orchestration.

The view comes from the custom status, and lists read nothing else. If that is missing or out of date (before
the orchestration has run, after a crash between two writes), it comes from the output, or else from the
input. Lists fetch these only for such instances, because the inputs and outputs of thousands do not
fit into one gRPC answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from durabletask.client import OrchestrationState, OrchestrationStatus

from mlevents.canonical import canonical_resource_id
from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from mlevents.orchestration.json_message import Json, JsonMessage
from mlevents.orchestration.messages import Response
from mlevents.orchestration.start_policy import ENDED_BADLY
from mlevents.orchestration.step_record import StepRecord
from mlevents.orchestration.step_status import PhaseRecord, StepStatus
from mlevents.responses.hub_state import (
    failure_text,
    input_of,
    output_of,
    status_of,
)
from mlevents.responses.response_id import part_id
from mlevents.responses.response_outcome import NOTHING_KNOWN, EventOutline, ResponseOutcome
from mlevents.responses.response_record import first_records, outcome_of
from mlevents.responses.sweep_decision import Ended

UNSETTLED = ("running", "waiting")
Parts = Mapping[str, StepStatus]
"""The custom statuses of a response's sub-orchestrations by instance id, the oldest first."""
NO_PARTS: Parts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StepView(JsonMessage):
    """One step as the API shows it."""

    id: str
    uses: str
    status: str
    detail: str
    phases: tuple[PhaseRecord, ...] = ()
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseView(JsonMessage):
    """One response as the API shows it; `count` is its number of events, if that is not one.

    `attempt` counts how often it was run, if operators had it run again.
    """

    id: str
    rule: str | None
    event: EventOutline
    status: str
    because: str | None
    steps: tuple[StepView, ...]
    created: str
    updated: str
    steps_omitted: int = 0
    count: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class ListedResponse:
    """One response in a list: `topic` is its workspace's canonical id."""

    view: ResponseView
    topic: str
    created: datetime


def is_response(state: OrchestrationState) -> bool:
    """Whether the orchestration is a response, and not a part of one."""
    return bool(state.name == RESPOND_TO_EVENT)


def needs_payloads(state: OrchestrationState) -> bool:
    """Whether the custom status is not enough, so that input and output must be fetched."""
    status = status_of(state).get("status")
    if state.runtime_status is OrchestrationStatus.COMPLETED:
        return status in (None, *UNSETTLED)
    return not status or state.runtime_status in ENDED_BADLY


def view_response(state: OrchestrationState, parts: Parts = NO_PARTS) -> ListedResponse:
    """One response as lists show it; `parts` are those of its steps."""
    outcome = known_outcome(state)
    latest = [find_part(step, state.instance_id, parts, outcome.reruns) for step in outcome.steps]
    steps = tuple(map(view_step, outcome.steps, latest))
    created, updated = in_utc(state.created_at), in_utc(state.last_updated_at)
    said = (outcome.rule, outcome.event, outcome.status, outcome.because)
    view = ResponseView(state.instance_id, *said, steps, created, updated, outcome.omitted)
    view = replace(view, attempt=outcome.reruns + 1)
    waits = [
        f"{part.waiting}: {step.detail}"
        for step, part in zip(steps, latest, strict=True)
        if step.status == "running" and part.waiting
    ]
    if view.status == "running" and waits:
        view = replace(view, status="waiting", because=waits[0])
    if state.runtime_status in ENDED_BADLY:
        view = correct_ended(view, ended_of(state))
    return ListedResponse(view, canonical_resource_id(outcome.topic), state.created_at.replace(tzinfo=UTC))


def correct_ended(view: ResponseView, ended: Ended) -> ResponseView:
    """The view of a response that ended without an outcome, by what the sweeper makes of it."""
    over = {"running": "failed", "waiting": "skipped"}
    changes = {"running": "waiting"} if ended.change == "rerun" else over
    steps = tuple(replace(one, status=changes.get(one.status, one.status)) for one in view.steps)
    return replace(view, status="running" if ended.outlook else "failed", because=ended.because, steps=steps)


def add_count(view: ResponseView, count: int) -> ResponseView:
    """The first refused event of a topic with the count of all, and a reason that says so."""
    more = f"; {count - 1:,} more of this topic within the hour" if count > 1 else ""
    return replace(view, because=f"{view.because}{more}", count=max(count, 1))


def find_part(step: StepRecord, response_id: str, parts: Parts, reruns: int = 0) -> StepStatus:
    """What a step's sub-orchestration says of it: that of its last attempt is the last of `parts`."""
    own = part_id(response_id, step.id, reruns)
    found = [part for name, part in parts.items() if f"{name}.".startswith(f"{own}.")]
    return found[-1] if found else StepStatus()


def view_step(step: StepRecord, part: StepStatus) -> StepView:
    """A step with what its sub-orchestration says of it."""
    running = step.status == "running" and part.detail is not None
    detail = (running and part.detail) or step.detail
    return StepView(step.id, step.uses, step.status, detail, part.phases, part.log)


def ended_of(state: OrchestrationState) -> Ended:
    """An orchestration that ended without an outcome; the sweeper decides what becomes of it."""
    terminated = state.runtime_status is OrchestrationStatus.TERMINATED
    response = read_response(state)
    steps = read_outcome(status_of(state)).steps or tuple(first_records(response) if response else ())
    return Ended(response, terminated, failure_text(state), steps)


def known_outcome(state: OrchestrationState) -> ResponseOutcome:
    """What the orchestration says of itself, the latest first: its output, its custom status, its input."""
    for document in (output_of(state), status_of(state)):
        if document.get("status"):
            return read_outcome(document)
    response = read_response(state)
    if response is None:
        return NOTHING_KNOWN
    return outcome_of(response, "running", None, first_records(response))


def read_outcome(document: Json) -> ResponseOutcome:
    """The outcome in an output or a custom status, as far as it is there."""
    return ResponseOutcome.from_json({**NOTHING_KNOWN.to_json(), **document})


def read_response(state: OrchestrationState) -> Response | None:
    """The response in an input; None where there is none, or one of another form."""
    try:
        return Response.from_json(input_of(state))
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def in_utc(moment: datetime) -> str:
    """ISO 8601 with `Z`, as events write it; durabletask's times are UTC without saying so."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
