"""What is purged when its retention is over, and what is not."""

import json
from datetime import timedelta
from typing import Any

from durabletask.entities import EntityInstanceId

from mlevents.orchestration.endpoint_lease import is_idle
from mlevents.orchestration.lease_messages import Holder, LeaseState, StatementNumber
from mlevents.orchestration.serialization import to_text
from mlevents.responses.gate_state import StoredState, gate_state
from mlevents.responses.model_tags import write_records
from mlevents.responses.retention import BATCH, MOST_PAGES_READ, Purger
from mlevents.responses.tag_record import TagState, VersionRecord
from tests.unit.actions.deploy_model.durable_stand_in import EntityCall
from tests.unit.handlers.task_hub import NOW, Hub, on_hub, response

DAY = 1440.0
RETENTION = 30 * 86_400.0


async def purge(hub: Hub) -> dict[str, int]:
    return dict(await Purger(hub.client, NOW, RETENTION).purge())


async def ended(hub: Hub, instance: str, days: float, name: str = "RespondToEvent", **more: Any) -> None:
    await hub.start(response(id=instance), name)
    hub.set(instance, more.get("status", "COMPLETED"))
    hub.age(instance, days * DAY)


def left(hub: Hub) -> set[str]:
    return set(hub.hub._instances)


def test_what_ended_before_the_retention_is_purged_and_nothing_else():
    async def test(hub: Hub) -> None:
        await ended(hub, "deploy.old", 31)
        await ended(hub, "deploy.failed", 31, status="FAILED")
        await ended(hub, "deploy.new", 29)
        await ended(hub, "deploy.runs", 400, status="RUNNING")
        await ended(hub, "theirs.old", 400, name="SomebodyElses")
        assert await purge(hub) == {"response": 2}
        assert left(hub) == {"deploy.new", "deploy.runs", "theirs.old"}
        assert await purge(hub) == {}

    on_hub(test)


def test_a_response_that_began_long_ago_and_ended_lately_stays():
    async def test(hub: Hub) -> None:
        await ended(hub, "deploy.long", 60)
        hub.hub._instances["deploy.long"].last_updated_at = NOW - timedelta(days=2)
        assert await purge(hub) == {}

    on_hub(test)


def test_the_orchestration_of_a_step_is_purged_after_its_response():
    async def test(hub: Hub) -> None:
        for instance, status in (("deploy.runs", "RUNNING"), ("deploy.done", "COMPLETED")):
            await ended(hub, instance, 40, status=status)
            await ended(hub, f"{instance}.deploy", 40, name="RollOutModel")
        assert await purge(hub) == {"response": 1, "part": 1}
        assert left(hub) == {"deploy.runs", "deploy.runs.deploy"}

    on_hub(test)


def test_quarantine_is_kept_three_times_as_long():
    async def test(hub: Hub) -> None:
        await ended(hub, "quarantine.89", 89)
        await ended(hub, "quarantine.91", 91)
        assert await purge(hub) == {"response": 1}
        assert left(hub) == {"quarantine.89"}

    on_hub(test)


def test_one_run_purges_a_batch_and_the_next_ones_the_rest():
    async def test(hub: Hub) -> None:
        most = BATCH * MOST_PAGES_READ
        for number in range(most + 10):
            await ended(hub, f"deploy.{number}", 31)
        assert await purge(hub) == {"response": most}
        assert await purge(hub) == {"response": 10}

    on_hub(test)


def test_the_hub_purges_also_what_runs_as_azure_storage_does():
    async def test(hub: Hub) -> None:
        await hub.start(response(id="deploy.runs"))
        await hub.start(response(id="deploy.runs.deploy"), "RollOutModel")
        assert (await hub.client.purge_orchestration("deploy.runs")).deleted_instance_count == 1
        assert (await hub.client.purge_orchestration("deploy.runs")).deleted_instance_count == 0
        assert left(hub) == {"deploy.runs.deploy"}

    on_hub(test)


def test_a_lease_is_idle_only_if_nobody_holds_it_or_waits():
    number = StatementNumber("2026-01-01", 1)
    held = LeaseState(Holder("deploy.1", number), None, {}, {})
    free = LeaseState(None, None, {}, {"deploy.1": number})
    completed = LeaseState(None, {"answer": {}}, {}, {"deploy.1": number}, "deploy.1")
    assert [is_idle(one) for one in (held, free, completed)] == [False, True, True]


def test_idle_entities_are_emptied_and_others_are_not():
    async def test(hub: Hub) -> None:
        old = NOW - timedelta(days=31)
        states: dict[str, Any] = {}
        free = LeaseState(None, None, {}, {}).to_json()
        held = LeaseState(Holder("deploy.1", StatementNumber("2026-01-01", 1)), None, {}, {}).to_json()
        for name, state in (("eventflood", ["aa"]), ("endpointlease", free)):
            states[f"@{name}@old"] = json.dumps(state)
        states["@newestversion@old"] = "3"
        for name, day in (("old", "2025-11-30"), ("looked-at", "2025-12-20")):
            states[f"@modeltags@{name}"] = write_records({"7": VersionRecord(TagState(), day, day)})
        states["@endpointlease@held"] = json.dumps(held)
        for entity, state in states.items():
            await hub.client.signal_entity(EntityInstanceId.parse(entity), "begin")
            found = hub.hub._entities[entity]
            found.pending_operations.clear()
            found.serialized_state, found.last_modified_at = json.dumps(state), old
        assert await purge(hub) == {"entity": 4}
        asked = {entity for entity in states if hub.hub._entities[entity].pending_operations}
        assert asked == {"@eventflood@old", "@endpointlease@old", "@newestversion@old", "@modeltags@old"}
        for entity in ("@newestversion@old", "@endpointlease@old"):
            [forget] = hub.hub._entities[entity].pending_operations
            assert json.loads(forget.entityOperationSignaled.input.value) == states[entity]

    on_hub(test)


def test_the_state_of_a_gate_goes_when_it_is_over_and_not_before():
    async def test(hub: Hub) -> None:
        over, lasts = [
            to_text(StoredState({"n": 1}, (NOW + timedelta(minutes=one)).isoformat()).to_json())
            for one in (-1, 1)
        ]
        states = {"throttle.over": over, "budget.lasts": lasts, "group.for-good": to_text({"state": {}})}
        for key, state in states.items():
            entity = EntityInstanceId("GateState", key)
            await hub.client.signal_entity(entity, "begin")
            found = hub.hub._entities[str(entity)]
            found.pending_operations.clear()
            found.serialized_state = json.dumps(state)
            found.last_modified_at = NOW - timedelta(minutes=2)
        assert await purge(hub) == {"entity": 1}
        asked = {key: one.pending_operations for key, one in hub.hub._entities.items()}
        assert {key for key, operations in asked.items() if operations} == {"@gatestate@throttle.over"}
        [forget] = asked["@gatestate@throttle.over"]
        assert json.loads(forget.entityOperationSignaled.input.value) == over

    on_hub(test)


def test_a_state_that_has_changed_since_is_not_forgotten():
    store: dict[str, Any] = {"@gatestate@throttle.k": "new"}
    forget: Any = EntityCall(store, "@gatestate@throttle.k", "forget")
    gate_state(forget, "old")
    assert store["@gatestate@throttle.k"] == "new"
    gate_state(forget, "new")
    assert store["@gatestate@throttle.k"] is None
