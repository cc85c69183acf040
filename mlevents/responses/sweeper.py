"""The sweeper: gives an outcome to each response, and to each step with its own orchestrator.

It may run at any time, run twice at once, and be stopped at any point: it never replaces a running instance,
and it can repeat everything else that it does.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from durabletask.client import (
    AsyncTaskHubGrpcClient,
    OrchestrationQuery,
    OrchestrationState,
    OrchestrationStatus,
)

from mlevents import telemetry
from mlevents.actions.action import action
from mlevents.orchestration.answer import Answer
from mlevents.orchestration.function_names import REPORT_FLOOD, RESPOND_TO_EVENT
from mlevents.orchestration.messages import Call, RecoveryRequest
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import (
    ENDED,
    ENDED_BADLY,
    REPLACE_ENDED_BADLY,
    REPLACE_NOTHING,
    start,
)
from mlevents.responses.hub_state import failure_text, input_of, output_of
from mlevents.responses.response_view import ended_of
from mlevents.responses.sweep_decision import Ended, rerun_response, settle_response

RECENT = timedelta(days=1)
"""Orchestrations of steps that ended earlier have been checked often enough."""
PAGE = 100
MOST_RECOVERIES = 3
"""How often a recovery is started for one orchestration, each taking over from the one before."""
LOCKS_EVERY = 6
"""Hours between two cleanups of entities."""
SWEPT = ".swept"

log = logging.getLogger("mlevents")


class Sweeper:
    """One sweep, at this time (UTC); `counted` says how often it did what."""

    def __init__(self, client: AsyncTaskHubGrpcClient, now: datetime) -> None:
        self.client, self.now = client, now
        self.counted: Counter[str] = Counter()
        orchestrations = [one.orchestration for _, one in action.items() if one.orchestration]
        self.steps = {one.name for one in orchestrations}
        self.recoveries = {one.recovery for one in orchestrations}

    async def sweep(self) -> Counter[str]:
        """Check everything that ended badly, the responses first: they restart their own steps."""
        states = [state async for state in self.find_ended_badly()]
        for state in sorted(states, key=lambda one: one.name != RESPOND_TO_EVENT):
            try:
                done = await self.sweep_one(state)
            except Exception:
                log.exception("sweeping %s failed: it is tried again at the next sweep", state.instance_id)
                done = "error"
            if done:
                self.counted[done] += 1
                telemetry.count_sweep(done)
        if self.now.hour % LOCKS_EVERY == 0 and self.now.minute < 5:
            await self.clean_entities()
        return self.counted

    async def find_ended_badly(self) -> AsyncIterator[OrchestrationState]:
        """Ours that are Failed or Terminated, without their inputs."""
        query = OrchestrationQuery(runtime_status=list(ENDED_BADLY), max_instance_count=PAGE)
        ours = {RESPOND_TO_EVENT, REPORT_FLOOD, *self.steps, *self.recoveries}
        for state in await self.client.get_all_orchestration_states(query):
            if state.name in ours:
                yield state

    async def sweep_one(self, state: OrchestrationState) -> str | None:
        """Do what is needed about one; says what in a word, None for nothing."""
        if state.name == RESPOND_TO_EVENT:
            return await self.complete(state)
        if state.name == REPORT_FLOOD:
            return await self.report_again(state)
        recent = state.last_updated_at.replace(tzinfo=UTC) > self.now - RECENT
        return await self.recover(state.instance_id) if recent else None

    async def complete(self, state: OrchestrationState) -> str | None:
        """Run a response again, or have it end with a notification."""
        fetched = await self.client.get_orchestration_state(state.instance_id)
        if fetched is None or fetched.runtime_status not in ENDED_BADLY:
            return None
        ended = ended_of(fetched)
        if ended.response is None or ended.change == "leave":
            return self.leave(state, ended)
        if ended.change == "rerun":
            response = rerun_response(ended.response, ended)
        else:
            unfinished = [one async for one in self.find_unfinished(state.instance_id)]
            response = settle_response(ended.response, ended, tuple(unfinished))
        text = to_text(response.to_json())
        if not await start(self.client, RESPOND_TO_EVENT, text, state.instance_id, REPLACE_ENDED_BADLY):
            return None
        log.warning(
            "response %s ended without an outcome (%s): %s", state.instance_id, ended.why, ended.change
        )
        return ended.change

    async def report_again(self, state: OrchestrationState) -> str | None:
        """Run the report of a flood again that Failed; one that was terminated is no longer wanted.

        After its last attempt, the next event in quarantine starts another one.
        """
        fetched = await self.client.get_orchestration_state(state.instance_id)
        if fetched is None or fetched.runtime_status != OrchestrationStatus.FAILED:
            return None
        ended = ended_of(fetched)
        if ended.response is None or ended.change != "rerun":
            return self.leave(state, ended)
        text = to_text(rerun_response(ended.response, ended).to_json())
        started = await start(self.client, REPORT_FLOOD, text, state.instance_id, REPLACE_ENDED_BADLY)
        return "rerun" if started else None

    def leave(self, state: OrchestrationState, ended: Ended) -> str | None:
        """Not even the notification ended with an outcome: log that while it is new."""
        if state.last_updated_at.replace(tzinfo=UTC) < self.now - timedelta(minutes=15):
            return None
        log.error("%s has no outcome after its last attempt: %s", state.instance_id, ended.why)
        return "leave"

    async def find_unfinished(self, response: str) -> AsyncIterator[RecoveryRequest]:
        """What steps of a response may have left; the orchestration of one that runs is terminated."""
        query = OrchestrationQuery(instance_id_prefix=f"{response}.", max_instance_count=PAGE)
        for state in await self.client.get_all_orchestration_states(query):
            if state.name not in self.steps:
                continue
            fetched = await self.client.get_orchestration_state(state.instance_id)
            if fetched is None or has_left_nothing(fetched):
                continue
            if fetched.runtime_status not in ENDED:
                await self.client.terminate_orchestration(state.instance_id, output="its response has ended")
            yield RecoveryRequest(Call.from_json(input_of(fetched)), (state.instance_id,))

    async def recover(self, instance: str) -> str | None:
        """Start a recovery for a step's orchestration, or a recovery, that no response waits for any more."""
        state = await self.client.get_orchestration_state(instance)
        if state is None or state.runtime_status not in ENDED_BADLY:
            return None
        request = self.read_request(state)
        call, orchestration = request.call, request.call.step.orchestration
        parent = await self.client.get_orchestration_state(call.response.id, fetch_payloads=False)
        if (parent is not None and parent.runtime_status not in ENDED) or await self.is_recovered(instance):
            return None
        if instance.count(SWEPT) >= MOST_RECOVERIES or orchestration is None:
            log.error("what %s changed could not be put back: %s", instance, failure_text(state))
            return "leave"
        name, text = orchestration.recovery, to_text(request.to_json())
        started = await start(self.client, name, text, instance + SWEPT, REPLACE_NOTHING)
        return "restore" if started else None

    def read_request(self, state: OrchestrationState) -> RecoveryRequest:
        """The request for the recovery of an orchestration, from its input."""
        if state.name in self.recoveries:
            request = RecoveryRequest.from_json(input_of(state))
            return RecoveryRequest(request.call, (*request.holders, state.instance_id))
        return RecoveryRequest(Call.from_json(input_of(state)), (state.instance_id,))

    async def is_recovered(self, instance: str) -> bool:
        """Whether another orchestration already puts back, or has put back, what this one left."""
        for suffix in (SWEPT, ".restore"):
            state = await self.client.get_orchestration_state(instance + suffix, fetch_payloads=False)
            if state is not None and (suffix == SWEPT or state.runtime_status not in ENDED_BADLY):
                return True
        return False

    async def clean_entities(self) -> None:
        """Free the locks that ended orchestrations of earlier releases left, and drop empty entities."""
        cleaned = await self.client.clean_entity_storage(release_orphaned_locks=True)
        if cleaned.orphaned_locks_released:
            log.warning("%d orphaned entity locks were released", cleaned.orphaned_locks_released)
            self.counted["unlock"] += cleaned.orphaned_locks_released


def has_left_nothing(state: OrchestrationState) -> bool:
    """Whether a step's orchestration has completed, and did not leave the restoring to its response."""
    completed = state.runtime_status == OrchestrationStatus.COMPLETED
    return completed and not Answer.from_json(output_of(state)).unrestored
