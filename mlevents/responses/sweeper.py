"""The sweeper: no response and no rollout stays without an outcome, whatever ended it.

It may run at any time, twice at once, and be ended in between: an instance that runs is never replaced, and
everything else that it does can be done twice.
"""

import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from durabletask.client import (
    AsyncTaskHubGrpcClient,
    OrchestrationQuery,
    OrchestrationState,
    OrchestrationStatus,
)

from mlevents import telemetry
from mlevents.actions.deploy_model.restore_orchestrator import request
from mlevents.orchestration import function_names
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_policy import (
    ENDED,
    ENDED_BADLY,
    REPLACE_ENDED_BADLY,
    REPLACE_NOTHING,
    start,
)
from mlevents.responses.response_view import ended_of, failure_text, lines_of, output_of
from mlevents.responses.sweep_decision import Ended, rerun, settle

RECENT = timedelta(days=1)
"""Rollouts that ended earlier were looked at often enough."""
PAGE = 100
MOST_RESTORES = 3
"""How often RestoreTraffic is started for one rollout, each taking over from the one before."""
LOCKS_EVERY = 6
"""Hours between two cleanings of entities."""
SWEPT = ".swept"

log = logging.getLogger("mlevents")


class Sweeper:
    """One sweep, at this time (UTC); `counted` says how often it did what."""

    def __init__(self, client: AsyncTaskHubGrpcClient, now: datetime) -> None:
        self.client, self.now = client, now
        self.counted: Counter[str] = Counter()

    async def sweep(self) -> Counter[str]:
        """Look at everything that ended badly, the responses first: they restart their own rollouts."""
        states = [state async for state in self.ended_badly()]
        for state in sorted(states, key=lambda one: one.name != function_names.RESPOND_TO_EVENT):
            try:
                done = await self.look_at(state)
            except Exception:
                log.exception("sweeping %s failed: it is tried again at the next sweep", state.instance_id)
                done = "error"
            if done:
                self.counted[done] += 1
                telemetry.swept(done)
        if self.now.hour % LOCKS_EVERY == 0 and self.now.minute < 5:
            await self.clean_entities()
        return self.counted

    async def ended_badly(self) -> AsyncIterator[OrchestrationState]:
        """Ours that are Failed or Terminated, without their inputs."""
        query = OrchestrationQuery(runtime_status=list(ENDED_BADLY), max_instance_count=PAGE)
        ours = (
            function_names.RESPOND_TO_EVENT,
            function_names.ROLL_OUT_MODEL,
            function_names.RESTORE_TRAFFIC,
            function_names.REPORT_FLOOD,
        )
        for state in await self.client.get_all_orchestration_states(query):
            if state.name in ours:
                yield state

    async def look_at(self, state: OrchestrationState) -> str | None:
        """Do what is to be done about one; says what in a word, None for nothing."""
        if state.name == function_names.RESPOND_TO_EVENT:
            return await self.complete(state)
        if state.name == function_names.REPORT_FLOOD:
            return await self.report_again(state)
        recent = state.last_updated_at.replace(tzinfo=UTC) > self.now - RECENT
        return await self.restore(state.instance_id) if recent else None

    async def complete(self, state: OrchestrationState) -> str | None:
        """Run a response again, or have it end with a notification."""
        whole = await self.client.get_orchestration_state(state.instance_id)
        if whole is None or whole.runtime_status not in ENDED_BADLY:
            return None
        ended = ended_of(whole, lines_of(whole))
        if ended.change == "leave":
            return self.leave(state, ended)
        if ended.change == "rerun":
            document = rerun(ended)
        else:
            document = settle(ended, [one async for one in self.unfinished(state.instance_id)])
        name, text = function_names.RESPOND_TO_EVENT, to_text(document)
        if not await start(self.client, name, text, state.instance_id, REPLACE_ENDED_BADLY):
            return None
        log.warning(
            "response %s ended without an outcome (%s): %s", state.instance_id, ended.why, ended.change
        )
        return ended.change

    async def report_again(self, state: OrchestrationState) -> str | None:
        """Run the report of a flood again that Failed; one that was terminated is wanted no more.

        After its last attempt, the next event in quarantine begins another one.
        """
        whole = await self.client.get_orchestration_state(state.instance_id)
        if whole is None or whole.runtime_status != OrchestrationStatus.FAILED:
            return None
        ended = ended_of(whole)
        if ended.change != "rerun":
            return self.leave(state, ended)
        name, text = function_names.REPORT_FLOOD, to_text(rerun(ended))
        started = await start(self.client, name, text, state.instance_id, REPLACE_ENDED_BADLY)
        return "rerun" if started else None

    def leave(self, state: OrchestrationState, ended: Ended) -> str | None:
        """Not even the notification ended with an outcome: say so while it is news."""
        if state.last_updated_at.replace(tzinfo=UTC) < self.now - timedelta(minutes=15):
            return None
        log.error("%s has no outcome after its last attempt: %s", state.instance_id, ended.why)
        return "leave"

    async def unfinished(self, response: str) -> AsyncIterator[dict[str, Any]]:
        """The rollouts of a response that may have left traffic; one that runs is terminated."""
        query = OrchestrationQuery(instance_id_prefix=f"{response}.", max_instance_count=PAGE)
        for state in await self.client.get_all_orchestration_states(query):
            if state.name != function_names.ROLL_OUT_MODEL:
                continue
            whole = await self.client.get_orchestration_state(state.instance_id)
            if whole is None or has_restored(whole):
                continue
            if whole.runtime_status not in ENDED:
                await self.client.terminate_orchestration(state.instance_id, output="its response has ended")
            yield {"holders": [state.instance_id], "call": json.loads(whole.get_input())}

    async def restore(self, instance: str) -> str | None:
        """Start RestoreTraffic for a rollout, or a RestoreTraffic, that nobody waits for any more."""
        whole = await self.client.get_orchestration_state(instance)
        if whole is None or whole.runtime_status not in ENDED_BADLY:
            return None
        document = json.loads(whole.get_input())
        call, holders = document.get("call", document), [*document.get("holders", []), instance]
        parent = await self.client.get_orchestration_state(call["response"]["id"], fetch_payloads=False)
        if (parent is not None and parent.runtime_status not in ENDED) or await self.is_restored(instance):
            return None
        if instance.count(SWEPT) >= MOST_RESTORES:
            log.error("the traffic of %s could not be put back: %s", instance, failure_text(whole))
            return "leave"
        name, text = function_names.RESTORE_TRAFFIC, request(call, holders)
        started = await start(self.client, name, text, instance + SWEPT, REPLACE_NOTHING)
        return "restore" if started else None

    async def is_restored(self, instance: str) -> bool:
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


def has_restored(rollout: OrchestrationState) -> bool:
    """Whether a rollout has completed, and did not leave its traffic to its response."""
    completed = rollout.runtime_status == OrchestrationStatus.COMPLETED
    return completed and not output_of(rollout).get("unrestored")
