"""A release wakes held responses in order, and waits for one that acts but not for one at a gate."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from durabletask.entities import EntityInstanceId
from hypothesis import given
from hypothesis import strategies as some

from mlevents.orchestration.function_names import HOLDS
from mlevents.orchestration.intervention import HOLD_VERB, RELEASE_VERB
from mlevents.orchestration.step_plan import StepOrchestration
from mlevents.responses.held_list import HeldResponse, is_at_gate, is_waiting, list_held
from mlevents.responses.hold_release import MOST_LISTED, line_up, release_next
from mlevents.responses.holds import EVERYTHING, HOLDS_KEY, HoldState
from mlevents.responses.response_record import first_records, outcome_of
from tests.unit.handlers.task_hub import Hub, on_hub, response
from tests.unit.responses.test_hold_entity import Holds, verb

HELD, AT_GATE = "hold: by ann: why", "approve: until noon"
RELEASED = HoldState({}, {EVERYTHING: verb(RELEASE_VERB, 2)})


class Release:
    """Held responses on a hub, and the entity Holds; `woken` are those that were released, in order."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.holds = hub, Holds()
        self.woken: list[str] = []
        self.progress = "{}"
        self.holds.change(HOLD_VERB, "deploy", verb(HOLD_VERB, 1))
        self.holds.change(RELEASE_VERB, "deploy", verb(RELEASE_VERB, 2))
        hub.client.get_entity = self._read  # type: ignore[method-assign, assignment]
        hub.client.signal_entity = self._change  # type: ignore[method-assign, assignment]
        hub.client.raise_orchestration_event = self._wake  # type: ignore[method-assign, assignment]

    async def hold(self, number: int, minute: int, **changes: Any) -> None:
        """A held response, whose event has this time."""
        known = response(number, **changes)
        known = replace(known, event=replace(known.event, time=f"2026-01-01T00:{minute:02}:00Z"))
        await self.hub.start(known)
        self.say(number, "waiting", HELD, known)

    def say(self, number: int, status: str, because: str | None, known: Any = None) -> None:
        one = known or response(number)
        said = outcome_of(one, status, because, list(first_records(one)))
        self.hub.set(f"deploy.{number:04}", "RUNNING", custom_status=said.to_json())

    async def look(self, rounds: int = 1) -> list[str]:
        for _ in range(rounds):
            self.progress = await release_next(self.progress, self.hub.client)
        return self.woken

    @property
    def is_done(self) -> bool:
        return bool(json.loads(self.progress).get("done"))

    async def _read(self, entity: EntityInstanceId) -> Any:
        assert (entity.entity, entity.key) == (HOLDS.lower(), HOLDS_KEY)
        return self

    def get_typed_state(self, _: type) -> str | None:
        return self.holds.text

    async def _change(self, _: EntityInstanceId, operation: str, text: str) -> None:
        change = json.loads(text)
        self.holds.change(operation, change["scope"], verb(RELEASE_VERB, 2))

    async def _wake(self, instance: str, _: str, *, data: str) -> None:
        assert json.loads(data)["verb"] == "released"
        self.woken.append(instance)


ROLLOUT = StepOrchestration("RollOutModel", "RestoreTraffic", "read_serving", "rollback-done")


def rollouts(**changes: Any) -> Mapping[str, Any]:
    steps = response().steps
    return {"steps": (replace(steps[0], orchestration=ROLLOUT), steps[1]), **changes}


def test_held_responses_wake_by_the_times_of_their_events_one_after_another():
    async def test(hub: Hub) -> None:
        release = Release(hub)
        for number, minute in {1: 3, 2: 1, 3: 2}.items():
            await release.hold(number, minute)
        assert await release.look(2) == ["deploy.0002"]
        for number in (2, 3, 1):
            release.hub.set(f"deploy.{number:04}", "COMPLETED")
            await release.look()
        assert release.woken == ["deploy.0002", "deploy.0003", "deploy.0001"]
        await release.look(3)
        assert release.is_done

    on_hub(test)


@pytest.mark.parametrize("changes", [{}, rollouts(), rollouts(gates={"order": {"key": "n", "by": "1"}})])
def test_the_next_begins_while_the_one_before_waits_at_a_gate(changes: Mapping[str, Any]):
    async def test(hub: Hub) -> None:
        release = Release(hub)
        for number in (1, 2):
            await release.hold(number, number, **changes)
        assert await release.look() == ["deploy.0001"]
        release.say(1, "waiting", AT_GATE)
        assert await release.look() == ["deploy.0001", "deploy.0002"]
        release.say(2, "waiting", AT_GATE)
        await release.look(3)
        assert release.is_done

    on_hub(test)


@pytest.mark.parametrize(("changes", "waits"), [({}, False), (rollouts(), True)])
def test_only_a_rollout_that_acts_is_waited_for_to_its_end(changes: Mapping[str, Any], waits: bool):
    async def test(hub: Hub) -> None:
        release = Release(hub)
        for number in (1, 2):
            await release.hold(number, number, **changes)
        await release.look()
        release.say(1, "running", None)
        assert await release.look(14) == ["deploy.0001"]
        assert (await release.look(40) == ["deploy.0001"]) is waits

    on_hub(test)


def test_a_rollout_that_did_not_hear_its_release_is_released_again():
    async def test(hub: Hub) -> None:
        release = Release(hub)
        await release.hold(1, 1, **rollouts())
        assert await release.look(20) == ["deploy.0001"] * 2

    on_hub(test)


def test_a_response_at_a_gate_is_not_held():
    async def test(hub: Hub) -> None:
        release = Release(hub)
        for number in (1, 2, 3):
            await release.hold(number, number)
        release.say(2, "waiting", AT_GATE)
        release.say(3, "running", HELD)
        assert [one.id for one in await list_held(hub.client)] == ["deploy.0001"]
        states = [await hub.client.get_orchestration_state(f"deploy.{number:04}") for number in (1, 2, 3)]
        assert [(is_waiting(one), is_at_gate(one)) for one in states if one] == [
            (True, False),
            (False, True),
            (False, False),
        ]
        hub.set("deploy.0001", "COMPLETED")
        assert await list_held(hub.client) == []

    on_hub(test)


orders = some.tuples(some.floats(0, 5), some.floats(0, 5), some.uuids().map(str))


@given(found=some.lists(some.tuples(some.sampled_from("ab"), orders), max_size=30), data=some.data())
def test_a_line_is_in_order_however_the_hub_lists_it(found: list[Any], data: some.DataObject):
    held = [HeldResponse(order[2], rule, order) for rule, order in found]
    mixed = data.draw(some.permutations(held))
    lines = line_up(mixed, RELEASED, {})
    assert lines == line_up(held, RELEASED, {})
    for rule, ids in lines.items():
        assert list(ids) == [one.id for one in sorted(held, key=lambda one: one.order) if one.rule == rule]


def test_a_line_leaves_out_what_is_held_and_is_bounded():
    held = [HeldResponse(f"{rule}.{n}", rule, (n, 0.0, "")) for rule in "ab" for n in range(MOST_LISTED + 5)]
    state = HoldState({"a": verb(HOLD_VERB, 3)}, RELEASED.releases)
    assert {rule: len(ids) for rule, ids in line_up(held, state, {}).items()} == {"b": MOST_LISTED}
