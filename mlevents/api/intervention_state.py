"""The state of a response as the verbs of operators see it, and what a verb led to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationQuery, OrchestrationState

from mlevents.actions.action import action
from mlevents.api.operation import ApiError
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.start_policy import ENDED
from mlevents.orchestration.step_status import StepStatus
from mlevents.registry import UnknownNameError
from mlevents.responses.hub_state import status_of
from mlevents.responses.response_outcome import ResponseOutcome
from mlevents.responses.response_view import (
    ResponseView,
    find_part,
    is_response,
    known_outcome,
    view_response,
)

_LONGEST_WAIT, _LOOK = 5.0, 0.1
"""Seconds for which an answer waits for the effect of a verb, and between two looks."""
_PARTS = 50
_NOT_BEGUN = ("waiting", "skipped")


@dataclass(frozen=True, slots=True)
class RunningRollout:
    """A step with an orchestrator of its own that runs: `phase` is the number of one that may be promoted."""

    step: str
    phase: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class InterventionState:
    """A response at one moment; `step_approvals` are those that its steps asked for."""

    state: OrchestrationState
    outcome: ResponseOutcome
    view: ResponseView
    rollout: RunningRollout | None
    step_approvals: tuple[Json, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether its orchestration has ended, with an outcome or without one."""
        return self.state.runtime_status in ENDED

    def find_entry(self, intervention: str) -> Intervention | None:
        """The entry of the log with this id."""
        return next((one for one in self.outcome.log if one.id == intervention), None)


async def read_intervention_state(client: AsyncTaskHubGrpcClient, response_id: str) -> InterventionState:
    """The state of a response; raises ApiError 404 when there is none."""
    state = await client.get_orchestration_state(response_id)
    if state is None or not is_response(state):
        raise ApiError(404, f"no response has the id '{response_id:.200}'")
    outcome, parts = known_outcome(state), {}
    if any(one.status not in _NOT_BEGUN and _is_orchestrated(one.uses) for one in outcome.steps):
        query = OrchestrationQuery(instance_id_prefix=f"{response_id}.", max_instance_count=_PARTS)
        found = await client.get_all_orchestration_states(query)
        ordered = sorted(found, key=lambda one: one.created_at)
        parts = {one.instance_id: StepStatus.from_json(status_of(one)) for one in ordered}
    latest = (find_part(one, response_id, parts, outcome.reruns) for one in outcome.steps)
    asked = tuple(part.approval for part in latest if part.approval)
    rollout = None
    for one in outcome.steps:
        if one.status == "running" and _is_orchestrated(one.uses):
            part = find_part(one, response_id, parts, outcome.reruns)
            rollout = RunningRollout(one.id, part.watched, part.detail or one.detail)
    return InterventionState(state, outcome, view_response(state, parts).view, rollout, asked)


async def wait_for_state(
    client: AsyncTaskHubGrpcClient, response_id: str, is_reached: Callable[[InterventionState], bool]
) -> InterventionState:
    """The first state that is reached, or the last one after `_LONGEST_WAIT`."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _LONGEST_WAIT
    while True:
        found = await read_intervention_state(client, response_id)
        if is_reached(found) or clock() > deadline:
            return found
        await asyncio.sleep(_LOOK)


def _is_orchestrated(uses: str) -> bool:
    try:
        return action.find(uses).orchestration is not None
    except UnknownNameError:
        return False
