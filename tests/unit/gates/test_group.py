"""The events of a key are collected, and one response acts for them: none is lost, none acts twice."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import RulesError
from mlevents.gates.group import ASK, EVENTS_UNITS, LEAVE, Group
from mlevents.orchestration.size_limits import json_units
from mlevents.responses.name_excerpt import cut_names
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings
from tests.unit.gates.gate_world import GateWorld, make_step, message
from tests.unit.gates.group_world import GroupWorld, Visit

NIGHTLY = Group.model_validate({"key": "nightly", "wait": "60s", "at_most": 3})


def acted_for(visit: Visit) -> list[str]:
    assert visit.given["group"]["count"] == len(visit.given["group"]["events"])
    return [one["run"]["id"] for one in visit.given["group"]["events"]]


def begin(world: GroupWorld, *names: str) -> list[Visit]:
    visits = []
    for name in names:
        visits.append(world.begin(name))
        world.pass_time(seconds=5)
    return visits


def test_the_first_waits_and_acts_for_all():
    world = GroupWorld(NIGHTLY)
    first, second = begin(world, "rule.a", "rule.b")
    assert (first.ends, second.ends) == (None, None)
    world.pass_time(seconds=90)
    assert acted_for(first) == ["rule.a", "rule.b"]
    assert (second.ends, second.because) == ("stopped", "rule.a acts for it")


def test_a_group_that_is_full_acts_at_once_and_the_next_event_starts_another():
    world = GroupWorld(NIGHTLY)
    first, _, third = begin(world, "rule.a", "rule.b", "rule.c")
    assert acted_for(first) == ["rule.a", "rule.b", "rule.c"]
    assert third.ends is None
    [fourth] = begin(world, "rule.d")
    world.pass_time(seconds=90)
    assert acted_for(fourth) == ["rule.d"]
    assert third.because == "rule.a acts for it"


def test_a_group_of_one_does_not_wait():
    world = GroupWorld(Group.model_validate({"key": "k", "wait": "1h", "at_most": 1}))
    first, second = begin(world, "rule.a", "rule.b")
    assert (acted_for(first), acted_for(second)) == (["rule.a"], ["rule.b"])


def test_a_late_event_starts_a_new_group():
    world = GroupWorld(NIGHTLY)
    begin(world, "rule.a")
    world.pass_time(seconds=60)
    [late] = begin(world, "rule.b")
    world.pass_time(seconds=60)
    assert acted_for(late) == ["rule.b"]


def test_workspaces_have_their_own_groups():
    world = GroupWorld(NIGHTLY)
    here, there = world.begin("rule.a"), world.begin("rule.b", workspace="other")
    world.pass_time(minutes=2)
    assert (acted_for(here), acted_for(there)) == (["rule.a"], ["rule.b"])


def test_a_leader_that_was_terminated_is_replaced_by_the_next_event_of_its_group():
    world = GroupWorld(NIGHTLY)
    first, second = begin(world, "rule.a", "rule.b")
    world.kill(first)
    world.pass_time(minutes=2)
    assert second.ends is None
    world.pass_time(minutes=10)
    assert acted_for(second) == ["rule.a", "rule.b"]
    again = world.begin("rule.a")
    assert (again.ends, again.because) == ("stopped", "rule.b acts for it")


def test_the_event_of_a_cancelled_response_is_left_out():
    world = GroupWorld(NIGHTLY)
    first, second = begin(world, "rule.a", "rule.b")
    world.cancel(first)
    world.pass_time(minutes=2)
    assert (first.ends, acted_for(second)) == ("cancelled", ["rule.b"])


def test_a_leader_that_runs_again_acts_for_the_same_events():
    world = GroupWorld(NIGHTLY)
    first, second = begin(world, "rule.a", "rule.b")
    world.pass_time(minutes=2)
    swept, rerun = world.begin("rule.a"), world.begin("rule.a", reruns=1)
    assert acted_for(swept) == acted_for(rerun) == acted_for(first)
    member = world.begin("rule.b", reruns=1)
    world.pass_time(minutes=2)
    assert second.ends == "stopped"
    assert acted_for(member) == ["rule.b"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, 11)),
        st.tuples(st.sampled_from(("kill", "cancel", "again")), st.integers(0, 11)),
        st.tuples(st.just("repeat"), st.integers(0, 40)),
        st.tuples(st.just("time"), st.sampled_from((1, 20, 59, 61, 70, 700))),
    ),
    max_size=40,
)


@given(STEPS)
def test_no_event_is_lost_or_acted_on_twice(steps: list[tuple[str, int]]):
    """Whatever is terminated, cancelled, repeated or run again; the event of a terminated one may be left."""
    world, names = GroupWorld(NIGHTLY), [f"rule.{number}" for number in range(12)]
    visits: dict[str, Visit] = {}
    for kind, number in steps:
        name = names[number % 12]
        if kind == "begin" and name not in visits:
            visits[name] = world.begin(name)
        elif kind == "time":
            world.pass_time(seconds=number)
        elif kind == "repeat" and number < len(world.operations):
            world.change_state(*world.operations[number])
        elif kind in ("kill", "cancel") and name in visits:
            getattr(world, kind)(visits[name])
        elif kind == "again" and name in visits and visits[name].ends in ("killed", "acted"):
            visits[name] = world.begin(name)
    world.pass_time(hours=1)
    acts = {(one.response, *acted_for(one)) for one in world.visits if one.ends == "acted"}
    counted = Counter(event for _, *events in acts for event in events)
    assert {name for name, one in visits.items() if one.ends in ("acted", "stopped")} <= set(counted)
    assert all(one.ends for one in visits.values())
    assert set(counted.values()) <= {1}


def test_a_repeated_or_late_message_changes_nothing():
    ask = {"response": "a~0", "at": "2026-01-01T00:00:00+00:00", "seconds": 60.0, "at_most": 2, "event": {}}
    first = Group.change_state(None, ASK, ask)
    assert Group.change_state(first.state, ASK, ask) == first
    second = Group.change_state(first.state, ASK, {**ask, "response": "b~0"})
    assert second.answer["filled"]
    closed = Group.change_state(second.state, ASK, ask)
    assert (closed.answer["closed"], closed.answer["count"]) == (True, 2)
    for late in ({"response": "a~0"}, {"response": "b~0"}):
        assert Group.change_state(closed.state, LEAVE, late).state == closed.state
    assert Group.change_state(closed.state, ASK, ask) == closed


VALUES = st.one_of(st.text(max_size=3000), st.integers(), st.lists(st.text()))


@given(
    st.dictionaries(
        st.sampled_from(("run", "event", "workspace", "model")),
        st.dictionaries(
            st.text(max_size=20), st.one_of(st.text(max_size=3000), st.integers(), st.lists(st.text()))
        ),
    ),
    st.integers(1, 100),
)
def test_names_are_cut_to_their_share(names: dict[str, Any], at_most: int):
    share = EVENTS_UNITS // at_most
    assert json_units(cut_names(names, share)) <= share


def test_single_values_remain_of_an_event_with_thousands_of_tags():
    names = {
        "event": {"id": "e" * 60, "subject": "s" * 900},
        "run": {
            "id": "evaluate-7",
            "status": "Failed",
            "tags": {f"tag{one}": "x" * 90 for one in range(900)},
        },
    }
    assert cut_names(names, 1000)["run"] == {"id": "evaluate-7", "status": "Failed"}


def test_the_steps_of_the_leader_get_the_group_and_its_record_says_so():
    world = GateWorld()
    gates = {"group": {"key": "nightly", "wait": "60s", "at_most": 3}}
    step = make_step("act", **{"with": {"to": "x", "subject": "${group.count}", "text": "t"}})
    names = {"run": {"id": "r1"}}
    outcome = world.respond("first", gates, event={"names": names}, steps=[step])
    assert outcome["status"] == "done"
    assert outcome["gates"] == [
        {"gate": "group", "status": "passed", "detail": "acts for 1 event of 'nightly'"}
    ]
    assert world.performed[0]["response"]["event"]["names"] == {"group": {"count": 1}}


def test_an_operator_cancels_the_leader_and_its_group_goes_on_without_it():
    world = GateWorld()
    gates = {"group": {"key": "nightly", "wait": "60s", "at_most": 3}}
    world.raises = lambda name, turn: [message("cancel")] if turn == 3 and name == "rule.first" else []
    outcome = world.respond("first", gates)
    assert (outcome["status"], outcome["because"]) == ("stopped", "cancel: by someone@example.com")
    [state] = [json.loads(one) for key, one in world.entities.items() if "group." in key]
    [group] = state["state"]["groups"]
    assert (group["members"], group["left"]) == ([], ["rule.first~0"])
    assert world.respond("second", gates)["status"] == "done"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("${group.count} ${group.events[0].run.id} ${group.events[1].run.tags.owner | default('')}", None),
        ("${group.events[0].run.idd}", "group.events[0].run has no 'idd' (did you mean 'id'?)"),
        ("${group.events.run}", "group.events is a list: write group.events[0] for its first item"),
        ("${group.cuont}", "group has no 'cuont' (did you mean 'count'?)"),
    ],
)
def test_the_names_of_a_group_are_checked(value: str, fault: str | None):
    step = {"uses": "notify", "with": {"to": "team", "subject": "s", "text": value}}
    rule: dict[str, Any] = {"id": "r", "event": "run.status_changed", "do": [step]}
    team = {"type": "apprise", "url": {"setting": "TEAM"}}
    file = {"version": 1, "connections": {"team": team}, "rules": [rule]}
    without = find_problems(file)
    assert len(without) == 1
    assert "unknown name 'group': it exists only in a rule with `group`" in without[0]
    rule["group"] = {"key": "${run.experiment}", "wait": "60s"}
    found = find_problems(file)
    assert len(found) == (1 if fault else 0)
    assert fault is None or fault in found[0]


def find_problems(file: dict[str, Any]) -> list[str]:
    try:
        load_rules_text(json.dumps(file), Path("rules.yaml"), Settings(environment={"TEAM": "json://x"}))
    except RulesError as error:
        return [str(problem) for problem in error.problems]
    return []
