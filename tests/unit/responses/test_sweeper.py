"""The sweeper on a real task hub: what it starts, restores, terminates and frees."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationStatus, TaskHubGrpcClient
from durabletask.entities import EntityInstanceId
from durabletask.worker import TaskHubGrpcWorker

from mlevents.events import Event
from mlevents.orchestration.messages import Call
from mlevents.responses.sweeper import Sweeper
from sandbox.durable.hub import DurableHub
from sandbox.pace import Pace
from tests.sandbox.small_sandbox import on_loop, until
from tests.unit.actions.deploy_model.test_rollout_exhaustive import call

MANNERS = ("shows", "waits", "locks", "breaks", "answer")
EVENT = Event("e", "t", (), None, "s", "", {})
Ran = list[tuple[str, Any]]
NOW = datetime.now(UTC)
SWEEP_TIME = NOW.replace(minute=10) if NOW.minute < 10 else NOW
"""The time of a sweep: now, since what has just ended is new; never when entities are cleaned up."""


class Hub:
    """A task hub with orchestrators that do as `manners` say; `ran` is what began to run."""

    def __init__(self, loop: asyncio.AbstractEventLoop, address: str) -> None:
        self.loop, self.address = loop, address
        self.client = TaskHubGrpcClient(host_address=address)
        self.ran: Ran = []
        self.broken = True
        self.manners: dict[str, dict[str, Any]] = {}

    def orchestrator(self, name: str) -> Callable[..., Any]:
        def run(context: Any, text: Any) -> Any:
            if not context.is_replaying:
                self.ran.append((context.instance_id, json.loads(text)))
            document = self.manners.get(context.instance_id, {})
            if "shows" in document:
                context.set_custom_status(document["shows"])
            if document.get("waits"):
                yield context.wait_for_external_event("end")
            if document.get("locks"):
                with (yield context.lock_entities([EntityInstanceId("old", "lock")])):
                    yield context.wait_for_external_event("end")
            if self.broken and document.get("breaks"):
                raise ValueError("broken")
            return document.get("answer", "done")

        run.__name__ = name
        return run

    def start(self, name: str, instance: str, **document: Any) -> None:
        self.manners[instance] = document
        told = {key: value for key, value in document.items() if key not in MANNERS}
        self.client.schedule_new_orchestration(name, input=json.dumps(told), instance_id=instance)
        if not document.get("waits") and not document.get("locks"):
            self.status(instance, over=True)

    def status(self, instance: str, over: bool = False) -> OrchestrationStatus | None:
        def look() -> OrchestrationStatus | None:
            state = self.client.get_orchestration_state(instance)
            return state.runtime_status if state else None

        running = (OrchestrationStatus.RUNNING, OrchestrationStatus.PENDING)
        return until(look, lambda found: found not in running) if over else look()

    def terminate(self, instance: str) -> None:
        until(lambda: [one for one, _ in self.ran], lambda found: instance in found)
        self.client.terminate_orchestration(instance)
        self.status(instance, over=True)

    def sweep(self, now: datetime = SWEEP_TIME, times: int = 1) -> dict[str, int]:
        async def sweeping() -> dict[str, int]:
            async with AsyncTaskHubGrpcClient(host_address=self.address) as client:
                found = await asyncio.gather(*(Sweeper(client, now).sweep() for _ in range(times)))
            return {what: sum(one[what] for one in found) for one in found for what in one}

        waiting: Future[dict[str, int]] = asyncio.run_coroutine_threadsafe(sweeping(), self.loop)
        return waiting.result(30)

    def runs(self, instance: str) -> list[Any]:
        return [document for one, document in self.ran if one == instance]


@contextmanager
def running() -> Iterator[Hub]:
    with on_loop() as loop:
        backend = DurableHub(Pace(3600))

        async def begin() -> str:
            return backend.start()

        address = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
        hub = Hub(loop, address)
        with TaskHubGrpcWorker(host_address=address) as worker:
            for name in ("RespondToEvent", "RollOutModel", "RestoreTraffic", "ReportFlood", "Other"):
                worker._registry.add_named_orchestrator(name, hub.orchestrator(name))
            worker.start()
            yield hub
        backend.stop(grace=0)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running() as found:
        yield found


RESPONSE = {"id": "rule.1", "rule": "rule", "event": EVENT.to_json()}
CALL = Call.from_json(json.loads(call()) | {"response": RESPONSE}).to_json()


def test_a_response_that_failed_runs_again_until_it_ends_with_an_outcome(hub: Hub) -> None:
    hub.start("RespondToEvent", "rule.1", **RESPONSE, breaks=True)
    assert hub.status("rule.1") == OrchestrationStatus.FAILED
    hub.broken = False
    assert hub.sweep() == {"rerun": 1}
    assert hub.status("rule.1", over=True) == OrchestrationStatus.COMPLETED
    assert hub.runs("rule.1")[-1] == {**RESPONSE, "attempt": 2}
    assert hub.sweep() == {}


def test_after_the_last_attempt_people_are_notified_and_then_nothing_more_is_done(hub: Hub) -> None:
    hub.start("RespondToEvent", "rule.1", **RESPONSE, breaks=True)
    did = []
    for _ in range(5):
        did.append(hub.sweep())
        hub.status("rule.1", over=True)
    assert did == [{"rerun": 1}, {"rerun": 1}, {"settle": 1}, {"leave": 1}, {"leave": 1}]
    settled = hub.runs("rule.1")[-1]
    assert (settled["status"], settled["alert"], settled["attempt"]) == ("failed", True, 4)
    assert "ValueError: broken" in settled["because"]
    assert hub.sweep(SWEEP_TIME + timedelta(days=2)) == {}, "old news"


def test_a_terminated_response_has_its_rollout_terminated_and_is_settled(hub: Hub) -> None:
    hub.start("RespondToEvent", "rule.1", **RESPONSE, waits=True)
    hub.start("RollOutModel", "rule.1.deploy", **CALL, waits=True)
    hub.start("Other", "rule.1.other", waits=True)
    hub.start("RollOutModel", "rule.2.deploy", **CALL, waits=True)
    hub.terminate("rule.1")
    assert hub.sweep()["settle"] == 1
    assert hub.status("rule.1.deploy", over=True) == OrchestrationStatus.TERMINATED
    assert hub.status("rule.1.other") == OrchestrationStatus.RUNNING
    assert hub.status("rule.2.deploy") == OrchestrationStatus.RUNNING
    until(lambda: hub.runs("rule.1"), lambda found: len(found) == 2)
    settled = hub.runs("rule.1")[-1]
    assert settled["unfinished"] == [{"holders": ["rule.1.deploy"], "call": CALL}]
    assert settled["because"].startswith("the orchestration was terminated")


def test_a_rollout_that_answered_but_left_its_traffic_is_put_back_for_a_terminated_response(hub: Hub) -> None:
    hub.start("RespondToEvent", "rule.1", **RESPONSE, waits=True)
    hub.start("RollOutModel", "rule.1.good", **CALL, answer='{"kind": "done", "detail": ""}')
    hub.start(
        "RollOutModel", "rule.1.left", **CALL, answer='{"kind": "failed", "detail": "", "unrestored": true}'
    )
    hub.terminate("rule.1")
    assert hub.sweep() == {"settle": 1}
    until(lambda: hub.runs("rule.1"), lambda found: len(found) == 2)
    assert [one["holders"] for one in hub.runs("rule.1")[-1]["unfinished"]] == [["rule.1.left"]]


@pytest.mark.parametrize("parent", ["running", "completed", "gone"])
def test_a_rollout_that_broke_off_is_restored_unless_its_response_does_it(hub: Hub, parent: str) -> None:
    if parent != "gone":
        hub.start("RespondToEvent", "rule.1", **RESPONSE, waits=parent == "running")
    hub.start("RollOutModel", "rule.1.deploy", **CALL, breaks=True)
    assert hub.sweep() == ({} if parent == "running" else {"restore": 1})
    if parent != "running":
        hub.status("rule.1.deploy.swept", over=True)
        [asked] = hub.runs("rule.1.deploy.swept")
        assert asked == {"call": CALL, "holders": ["rule.1.deploy"]}
        assert hub.sweep() == {}, "once"


def test_a_rollout_that_its_response_has_restored_is_left_alone(hub: Hub) -> None:
    hub.start("RespondToEvent", "rule.1", **RESPONSE)
    hub.start("RollOutModel", "rule.1.deploy", **CALL, breaks=True)
    hub.start("RestoreTraffic", "rule.1.deploy.restore", call=CALL, holders=["rule.1.deploy"])
    assert hub.sweep() == {}


def test_a_restoration_that_broke_off_is_followed_by_others_but_not_for_ever(hub: Hub) -> None:
    hub.start(
        "RestoreTraffic", "rule.1.deploy.restore", call={**CALL}, holders=["rule.1.deploy"], breaks=True
    )
    assert hub.sweep() == {"restore": 1}
    hub.status("rule.1.deploy.restore.swept", over=True)
    [asked] = hub.runs("rule.1.deploy.restore.swept")
    assert asked["holders"] == ["rule.1.deploy", "rule.1.deploy.restore"]
    hub.start("RestoreTraffic", "x.swept.swept.swept", call={**CALL}, holders=["x"], breaks=True)
    assert hub.sweep() == {"leave": 1}


def test_two_sweeps_at_once_start_one_attempt(hub: Hub) -> None:
    for number in range(5):
        hub.start("RespondToEvent", f"rule.{number}", **RESPONSE, breaks=True)
    hub.broken = False
    found = hub.sweep(times=4)
    assert "error" not in found
    for number in range(5):
        hub.status(f"rule.{number}", over=True)
        assert len(hub.runs(f"rule.{number}")) == 2


def test_one_that_cannot_be_swept_keeps_no_other_from_it(hub: Hub) -> None:
    hub.client.schedule_new_orchestration("RespondToEvent", input="no JSON", instance_id="rule.0")
    hub.start("RespondToEvent", "rule.1", **RESPONSE, breaks=True)
    hub.status("rule.0", over=True)
    assert hub.sweep() == {"leave": 1, "rerun": 1}


def test_a_report_of_a_flood_that_failed_runs_again_but_not_for_ever(hub: Hub) -> None:
    hub.start("ReportFlood", "quarantine.report", **RESPONSE, breaks=True)
    did = []
    for _ in range(4):
        did.append(hub.sweep())
        hub.status("quarantine.report", over=True)
    assert did == [{"rerun": 1}, {"rerun": 1}, {"leave": 1}, {"leave": 1}]
    assert [asked.get("attempt") for asked in hub.runs("quarantine.report")] == [None, 2, 3]


def test_a_report_of_a_flood_that_was_terminated_stays_so(hub: Hub) -> None:
    hub.start("ReportFlood", "quarantine.report", **RESPONSE, waits=True)
    hub.terminate("quarantine.report")
    assert hub.sweep() == {}


def test_what_an_attempt_has_done_goes_into_the_next_one(hub: Hub) -> None:
    lines = [{"id": "one", "uses": "notify", "status": "done", "detail": "sent"}]
    shown = {"status": "running", "because": None, "steps": lines}
    hub.start("RespondToEvent", "rule.1", **RESPONSE, shows=shown, breaks=True)
    hub.start("RespondToEvent", "rule.2", **RESPONSE, shows=shown, waits=True)
    hub.terminate("rule.2")
    assert hub.sweep() == {"rerun": 1, "settle": 1}
    for instance in ("rule.1", "rule.2"):
        until(partial(hub.runs, instance), lambda found: len(found) == 2)
        assert hub.runs(instance)[-1]["earlier"] == lines


def test_a_lock_of_an_earlier_release_is_freed_every_few_hours(hub: Hub) -> None:
    hub.start("Other", "old.1", locks=True)
    until(lambda: hub.runs("old.1"), bool)
    hub.terminate("old.1")
    hub.start("Other", "old.2", locks=True)
    assert hub.sweep() == {}, "not at every sweep"
    assert hub.sweep(SWEEP_TIME.replace(hour=12, minute=3)) == {"unlock": 1}
    hub.client.raise_orchestration_event("old.2", "end")
    assert hub.status("old.2", over=True) == OrchestrationStatus.COMPLETED
