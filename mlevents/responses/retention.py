"""Purges what has ended and is older than the retention: responses, orchestrations of steps, idle entities.

It may run at any time, twice at once, and be stopped at any point. A purge by id deletes whatever is there,
also a running instance (DurableTask.AzureStorage, AzureTableTrackingStore.PurgeInstanceHistoryAsync), so the
status is read again just before; and it leaves sub-orchestrations, so each is purged by its own age.
"""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta

from durabletask.client import AsyncTaskHubGrpcClient, EntityQuery, OrchestrationQuery, OrchestrationState

from mlevents import telemetry
from mlevents.actions.action import action
from mlevents.orchestration.endpoint_lease import FORGET, is_idle, read_state
from mlevents.orchestration.function_names import (
    BEGIN_RERUN,
    ENDPOINT_LEASE,
    EVENT_FLOOD,
    GATE_STATE,
    MODEL_TAGS,
    NEWEST_VERSION,
    RELEASE_RESPONSES,
    REPORT_FLOOD,
    RESPOND_TO_EVENT,
)
from mlevents.orchestration.start_policy import ENDED
from mlevents.responses.flood_report import INSTANCE
from mlevents.responses.gate_state import read_stored_state
from mlevents.responses.hub_page import read_hub_page
from mlevents.responses.model_tags import is_abandoned
from mlevents.rules.syntax import QUARANTINE

QUARANTINE_FACTOR = 3
"""Events in quarantine are kept this many times as long, because people have not looked at them yet."""
BATCH, MOST_PAGES_READ = 100, 5
"""Instances of a page, and pages that one run reads."""

log = logging.getLogger("mlevents")


class Purger:
    """One run, at this time (UTC); `retention` is in seconds. `counted` says how many of what it purged."""

    def __init__(self, client: AsyncTaskHubGrpcClient, now: datetime, retention: float) -> None:
        self.client, self.now = client, now
        self.retention = timedelta(seconds=retention)
        self.counted: Counter[str] = Counter()
        orchestrations = [one.orchestration for _, one in action.items() if one.orchestration]
        names = {name for one in orchestrations for name in (one.name, one.recovery)}
        self.ours = {RESPOND_TO_EVENT, REPORT_FLOOD, BEGIN_RERUN, RELEASE_RESPONSES, *names}

    async def purge(self) -> Counter[str]:
        """Purge one batch of instances, then the states of gates that are over, and the idle entities."""
        await self.purge_instances()
        await self.forget_gate_states()
        await self.forget_entities()
        if self.counted:
            log.info("purged what is older than the retention: %s", dict(self.counted))
        return self.counted

    async def purge_instances(self) -> None:
        """Purge old instances, at most those of a few pages; after a purge, the list begins anew."""
        created = self.now - self.retention
        query = OrchestrationQuery(
            created_time_to=created, runtime_status=list(ENDED), max_instance_count=BATCH
        )
        token: str | None = None
        for _ in range(MOST_PAGES_READ):
            page = await read_hub_page(self.client, query, token)
            purged = [await self.purge_one(state) for state in page.items if self.is_over(state)]
            token = None if any(purged) else page.continuation_token
            if not any(purged) and token is None:
                return

    def is_over(self, state: OrchestrationState) -> bool:
        """Whether an instance is ours, and its retention is over."""
        kept = self.retention * (QUARANTINE_FACTOR if is_kept_longer(state.instance_id) else 1)
        return state.name in self.ours and state.last_updated_at.replace(tzinfo=UTC) <= self.now - kept

    async def purge_one(self, state: OrchestrationState) -> bool:
        """Purge an instance, unless it, or the response to which it belongs, runs; says whether it did."""
        response = ".".join(state.instance_id.split(".")[:2])
        for instance in {state.instance_id, response}:
            found = await self.client.get_orchestration_state(instance, fetch_payloads=False)
            if found is not None and found.runtime_status not in ENDED:
                return False
        result = await self.client.purge_orchestration(state.instance_id, recursive=False)
        purged = result.deleted_instance_count > 0
        if purged:
            what = "response" if state.name == RESPOND_TO_EVENT else "part"
            self.counted[what] += 1
            telemetry.count_sweep(f"purge {what}")
        return purged

    async def forget_gate_states(self) -> None:
        """Empty the states of gates that are over, also those that changed within the retention.

        It costs a request of the table storage for each page of states, in use or not, and an entity
        message for each that is over. One that has changed since it was read stays.
        """
        prefix = f"@{GATE_STATE.lower()}@"
        query = EntityQuery(instance_id_starts_with=prefix, last_modified_to=self.now, page_size=BATCH)
        found = [(one.id, one.get_typed_state(str)) for one in await self.client.get_all_entities(query)]
        over = [(entity, state) for entity, state in found if state and is_expired(state, self.now)]
        for entity, state in over[: BATCH * MOST_PAGES_READ]:
            await self.client.signal_entity(entity, FORGET, state)
            self.counted["entity"] += 1

    async def forget_entities(self) -> None:
        """Empty old counts of floods, unused leases, newest versions and tags; the cleanup removes them.

        One that has changed since it was read stays: a rollout may just have left its answer with a lease.
        """
        query = EntityQuery(last_modified_to=self.now - self.retention, page_size=BATCH)
        for one in (await self.client.get_all_entities(query))[: BATCH * MOST_PAGES_READ]:
            kind, state = one.id.entity.casefold(), one.get_typed_state(str)
            if not state:
                continue
            if kind == EVENT_FLOOD.casefold():
                await self.client.signal_entity(one.id, FORGET)
            elif (
                kind == NEWEST_VERSION.casefold()
                or (kind == MODEL_TAGS.casefold() and is_abandoned(state, self.now.date().isoformat()))
                or (kind == ENDPOINT_LEASE.casefold() and is_idle(read_state(state)))
            ):
                await self.client.signal_entity(one.id, FORGET, state)
            else:
                continue
            self.counted["entity"] += 1


def is_kept_longer(instance: str) -> bool:
    """Whether an instance belongs to an event in quarantine; the report of floods has no event's text."""
    return f"{instance}.".startswith(f"{QUARANTINE}.") and not f"{instance}.".startswith(f"{INSTANCE}.")


def is_expired(text: str, now: datetime) -> bool:
    """Whether the state of a gate is over."""
    stored = read_stored_state(text)
    return stored is not None and stored.is_over(now)
