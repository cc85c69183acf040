"""The first response of a key acts, and those that follow within a time do not."""

from typing import Any

from mlevents.gates.keyed_gate import GIVE_BACK, TAKE
from mlevents.gates.throttle import Throttle
from tests.unit.gates.gate_world import GateWorld


def throttled(world: GateWorld, name: str, key: str = "churn-monitor", **changes: Any) -> dict[str, Any]:
    return world.respond(name, {"throttle": {"key": key, "once_per": "12h"}}, **changes)


def test_the_first_acts_and_the_next_says_who_did():
    world = GateWorld()
    assert throttled(world, "first")["status"] == "done"
    world.advance(hours=11)
    second = throttled(world, "second")
    assert second["status"] == "stopped"
    assert second["because"] == (
        "throttle: rule.first acted for 'churn-monitor' at 2026-01-01T00:00:00+00:00, "
        "and one may act per 12 h"
    )
    assert [one["gate"] for one in second["gates"]] == ["throttle"]
    world.advance(hours=2)
    assert throttled(world, "third")["status"] == "done"


def test_another_key_and_another_workspace_have_their_own_turn():
    world = GateWorld()
    assert throttled(world, "first")["status"] == "done"
    assert throttled(world, "other", key="fraud-monitor")["status"] == "done"
    assert throttled(world, "elsewhere", event={"topic": "/subscriptions/t"})["status"] == "done"


def test_the_same_response_again_acts_again():
    world = GateWorld()
    assert throttled(world, "first")["status"] == "done"
    assert throttled(world, "first", attempt=2)["status"] == "done"
    assert throttled(world, "first", reruns=1)["status"] == "stopped"


def test_a_repeated_or_late_message_changes_nothing():
    take = {"response": "a~0", "at": "2026-01-01T00:00:00+00:00", "seconds": 60.0}
    first = Throttle.change_state(None, TAKE, take)
    assert Throttle.change_state(first.state, TAKE, take) == first
    loser = {**take, "response": "b~0", "at": "2026-01-01T00:00:30+00:00"}
    assert Throttle.change_state(first.state, TAKE, loser).answer["response"] == "a~0"
    returned = Throttle.change_state(first.state, GIVE_BACK, {"response": "a~0"})
    assert Throttle.change_state(returned.state, TAKE, take).state == returned.state
    assert Throttle.change_state(returned.state, TAKE, loser).answer["response"] == "b~0"
