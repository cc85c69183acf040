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
        "throttle: rule.first acted for 'churn-monitor' at 2026-01-01 00:00 UTC, and one may act per 12 h"
    )
    assert [one["gate"] for one in second["gates"]] == ["throttle"]
    world.advance(hours=2)
    assert throttled(world, "third")["status"] == "done"


def test_another_key_and_another_workspace_have_their_own_turn():
    world = GateWorld()
    assert throttled(world, "first")["status"] == "done"
    assert throttled(world, "other", key="fraud-monitor")["status"] == "done"
    assert throttled(world, "elsewhere", event={"topic": "/subscriptions/t"})["status"] == "done"


def test_the_same_response_again_acts_again_also_as_a_rerun():
    world = GateWorld()
    assert throttled(world, "first")["status"] == "done"
    assert throttled(world, "first", attempt=2)["status"] == "done"
    world.advance(hours=1)
    assert throttled(world, "first", reruns=1)["status"] == "done"
    world.advance(hours=1)
    assert throttled(world, "second")["status"] == "stopped"
    assert throttled(world, "second", reruns=1)["status"] == "stopped"


def test_a_rerun_that_is_stopped_leaves_the_place_to_the_attempt_that_acted():
    world = GateWorld()
    closed = {"window": {"from": "09:00", "to": "17:00", "zone": "UTC", "outside": "stop"}}
    gates = {"throttle": {"key": "churn", "once_per": "12h"}}
    assert world.respond("first", gates)["status"] == "done"
    world.advance(hours=1)
    assert world.respond("first", gates | closed, reruns=1)["status"] == "stopped"
    world.advance(hours=1)
    assert world.respond("second", gates)["status"] == "stopped"


def take(response: str, second: int) -> dict[str, Any]:
    return {
        "response": response,
        "attempt": f"{response}~0",
        "at": f"2026-01-01T00:00:{second:02}+00:00",
        "seconds": 60.0,
    }


def test_a_repeated_or_late_message_changes_nothing():
    first = Throttle.change_state(None, TAKE, take("a", 0))
    assert Throttle.change_state(first.state, TAKE, take("a", 0)) == first
    assert Throttle.change_state(first.state, TAKE, take("b", 30)).answer["response"] == "a"
    returned = Throttle.change_state(first.state, GIVE_BACK, take("a", 40))
    assert Throttle.change_state(returned.state, GIVE_BACK, take("a", 50)) == returned
    assert Throttle.change_state(returned.state, TAKE, take("a", 0)).state == returned.state
    assert Throttle.change_state(returned.state, TAKE, take("b", 30)).answer["response"] == "a", "as at first"
    other = Throttle.change_state(returned.state, TAKE, take("b", 45))
    assert other.answer["response"] == "b"
    assert Throttle.change_state(other.state, GIVE_BACK, take("a", 40)).state == other.state
    again = Throttle.change_state(returned.state, TAKE, take("a", 45))
    assert Throttle.change_state(again.state, GIVE_BACK, take("a", 40)).state == again.state
