"""At most so many responses act in any span, and people are notified once of a span that is exhausted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.gates.budget import MOST_PLACES, Budget
from mlevents.gates.budget_state import LATEST
from mlevents.gates.keyed_gate import GIVE_BACK, TAKE
from mlevents.gates.visit import StateChange
from tests.unit.gates.gate_world import GateWorld
from tests.unit.rules.rule_files import HEAD, TELL, problems

START = datetime(2026, 1, 1, tzinfo=UTC)
SPAN, AT_MOST = 60.0, 3


def spend(world: GateWorld, name: str, key: str = "prod", **changes: Any) -> dict[str, Any]:
    return world.respond(name, {"budget": {"key": key, "at_most": 2, "per": "24h"}}, **changes)


def performed(world: GateWorld) -> list[str]:
    return [call["step"]["id"] for call in world.performed]


def request(attempt: str, seconds: float, at_most: int = AT_MOST) -> dict[str, Any]:
    at = (START + timedelta(seconds=seconds)).isoformat()
    return {"attempt": attempt, "at": at, "at_most": at_most, "per": SPAN}


def change(state: Any, operation: str, *asked: Any) -> StateChange:
    return Budget.change_state(state, operation, request(*asked))


def test_the_next_response_stops_and_people_are_notified_once_for_each_exhausted_span():
    world = GateWorld()
    for name in ("one", "two"):
        assert spend(world, name)["status"] == "done"
        world.advance(hours=1)
    third = spend(world, "three")
    assert third["status"] == "stopped"
    assert third["because"] == (
        "budget: 'prod' has no place left: at most 2 may act per 24 h, and the places are taken since "
        "2026-01-01 00:00 UTC; the next is free at 2026-01-02 00:00 UTC"
    )
    assert [one["status"] for one in third["gates"]] == ["stopped"]
    assert spend(world, "four")["status"] == "stopped"
    assert performed(world) == ["act", "act", "on_failure.alarm"]
    world.advance(hours=22)
    assert spend(world, "five")["status"] == "done", "the first place is free again"
    assert spend(world, "six")["status"] == "stopped"
    assert performed(world) == ["act", "act", "on_failure.alarm", "act"]
    world.advance(hours=1)
    assert spend(world, "seven")["status"] == "done"
    assert spend(world, "eight")["status"] == "stopped"
    assert performed(world)[4:] == ["act", "on_failure.alarm"], "another span, another notification"


def test_the_key_counts_across_workspaces():
    world = GateWorld()
    for name in ("one", "two"):
        assert spend(world, name, event={"topic": f"/subscriptions/{name}"})["status"] == "done"
    assert spend(world, "three", event={"topic": "/subscriptions/three"})["status"] == "stopped"
    assert spend(world, "four", key="dev")["status"] == "done"


def test_a_rerun_keeps_its_place_and_does_not_need_another():
    world = GateWorld()
    spend(world, "one")
    world.advance(hours=1)
    spend(world, "two")
    assert spend(world, "one", attempt=2)["status"] == "done"
    assert spend(world, "one", reruns=1)["status"] == "done"
    assert spend(world, "three")["status"] == "stopped"
    assert spend(world, "three", reruns=1)["status"] == "stopped"


def test_a_rerun_that_is_stopped_leaves_the_place_to_the_attempt_that_acted():
    world = GateWorld()
    closed = {"window": {"from": "09:00", "to": "17:00", "zone": "UTC", "outside": "stop"}}
    gates = {"budget": {"key": "prod", "at_most": 1, "per": "24h"}}
    assert world.respond("one", gates)["status"] == "done"
    world.advance(hours=1)
    assert world.respond("one", gates | closed, reruns=1)["status"] == "stopped"
    world.advance(hours=1)
    assert world.respond("two", gates)["status"] == "stopped"


def test_the_response_that_notified_people_does_it_again_when_it_is_repeated():
    state = None
    for number in range(AT_MOST):
        state = change(state, TAKE, f"r{number}", number).state
    refused = change(state, TAKE, "r3", 5)
    assert refused.answer["notify"]
    assert change(refused.state, TAKE, "r3", 5) == refused
    assert not change(refused.state, TAKE, "r4", 6).answer["notify"]


def test_a_place_that_is_given_back_is_free_and_a_late_repetition_takes_none():
    state = None
    for number in range(AT_MOST):
        state = change(state, TAKE, f"r{number}", number).state
    refused = change(state, TAKE, "late", 4)
    returned = change(refused.state, GIVE_BACK, "r0", 10)
    assert change(returned.state, GIVE_BACK, "r0", 10) == returned
    assert not change(returned.state, TAKE, "late", 4).answer["acts"], "as when it asked first"
    assert change(returned.state, TAKE, "r0", 0).state == returned.state, "no place again"
    assert change(returned.state, TAKE, "next", 10).answer["acts"]


def test_a_response_that_waited_has_its_place_where_it_acts():
    state = None
    for number in range(AT_MOST):
        state = change(state, TAKE, f"r{number}", number).state
    moved = change(state, TAKE, "r0", 50).state
    assert not change(moved, TAKE, "x", 60.5).answer["acts"], "r1 acted at 1, r2 at 2, r0 at 50"
    again = change(moved, TAKE, "r0", 0)
    assert again.answer["acts"]
    assert again.state == moved
    assert change(moved, TAKE, "x", 61).answer["acts"]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, str, float]]:
    """Operations in any order, some of them twice; a response takes at one time or two, and may give back."""
    operations: list[tuple[str, str, float]] = []
    for number in range(draw(st.integers(1, 12))):
        at = float(draw(st.integers(0, 150)))
        name = f"r{number}"
        operations.append((TAKE, name, at))
        if draw(st.booleans()):
            operations.append((TAKE, name, at + draw(st.integers(1, 90))))
        if draw(st.booleans()):
            operations.append((GIVE_BACK, name, at + 100))
    repeated = [one for one in operations if draw(st.booleans())]
    return draw(st.permutations(operations + repeated))


@given(histories())
def test_no_span_ever_has_more_places_than_the_budget(operations: list[tuple[str, str, float]]):
    state: Any = None
    for operation, name, at in operations:
        state = change(state, operation, name, at).state
        taken = sorted(datetime.fromisoformat(at) for _, at, returned in state["places"] if not returned)
        spans = zip(taken, taken[AT_MOST:], strict=False)
        assert all((last - first).total_seconds() >= SPAN for first, last in spans), state


@given(st.lists(st.integers(0, 300), min_size=1, max_size=20), st.data())
def test_a_repetition_at_any_time_changes_nothing(times: list[int], data: st.DataObject):
    state: Any = None
    asked: list[tuple[tuple[str, int], bool]] = []
    for number, at in enumerate(sorted(times)):
        answer = change(state, TAKE, f"r{number}", at)
        state = answer.state
        asked.append(((f"r{number}", at), answer.answer["acts"]))
        again, acted = data.draw(st.sampled_from(asked))
        repeated = change(state, TAKE, *again)
        assert (repeated.state, repeated.answer["acts"]) == (state, acted)


def test_the_state_forgets_what_is_over():
    state: Any = None
    for number in range(500):
        taken = change(state, TAKE, f"r{number}", number)
        state = change(taken.state, GIVE_BACK, f"r{number}", number + 0.5).state
    assert len(state["places"]) == 100
    changed = change(state, TAKE, "new", 50_000)
    assert changed.state is not None
    assert [name for name, *_ in changed.state["places"]] == ["new"]
    assert changed.expires == START + timedelta(seconds=50_000 + SPAN) + LATEST


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{key: all, at_most: 0, per: 24h}", "rules[0].budget.at_most"),
        (f"{{key: all, at_most: {MOST_PLACES + 1}, per: 24h}}", "rules[0].budget.at_most"),
        ("{key: all, at_most: 5, per: 0s}", "rules[0].budget.per: the duration must be longer than 0 s"),
        (
            '{key: "${model.tags}", at_most: 5, per: 1h}',
            "budget.key: ${model.tags} is a map: name one",
        ),
        ('{key: "${model.nam}", at_most: 5, per: 1h}', "rules[0].budget.key: model has no 'nam'"),
        ("{key: all, at_most: 5, pre: 1h}", "rules[0].budget.pre: unknown key (did you mean 'per'?)"),
    ],
)
def test_what_is_wrong_in_it_is_found_when_the_file_loads(written: str, said: str):
    found = problems(f"{HEAD}    budget: {written}\n{TELL}")
    assert any(said in one for one in found), found


def test_a_constant_key_is_one_budget_for_all():
    assert not problems(f"{HEAD}    budget: {{key: all, at_most: 5, per: 24h}}\n{TELL}")
