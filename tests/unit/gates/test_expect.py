"""A rule acts only if another event did not follow in time, whenever and however often that is delivered."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.duration import format_utc
from mlevents.errors import RulesError
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.events import parse
from mlevents.explanations.rule_explanation import ExplainContext, explain_rule
from mlevents.gates.arrivals import ARRIVALS_KEPT, MOST_SPANS, Arrival, Arrivals
from mlevents.gates.expect import BEGIN, FIND, Expect
from mlevents.matching.match import match_rule
from mlevents.responses.arrival_records import find_arrivals, record_arrivals
from mlevents.responses.gate_state import gate_state
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.settings import Settings
from tests.histories.recorder import BEGAN
from tests.unit.actions.deploy_model.durable_stand_in import EntityCall
from tests.unit.gates.gate_world import WORKSPACE, GateWorld

SETTINGS = Settings(environment={"TEAM": "json://x"})
UNENDED = {
    "event": "run.status_changed",
    "where": {"run": {"id": "${run.id}", "status": ["completed", "failed", "canceled"]}},
    "within": "6h",
}


def load(expect: dict[str, Any], **changes: Any) -> Rules:
    step: dict[str, Any] = {"uses": "notify", "with": {"to": "team", "subject": "s", "text": "t"}}
    rule: dict[str, Any] = {
        "id": "rule",
        "event": "run.status_changed",
        "where": {"run": {"status": "running", "root": True}},
    }
    rule |= {"expect": expect, "do": [step], **changes}
    team: dict[str, Any] = {"type": "apprise", "url": {"setting": "TEAM"}}
    file: dict[str, Any] = {"version": 1, "connections": {"team": team}, "rules": [rule]}
    return load_rules_text(json.dumps(file), Path("rules.yaml"), SETTINGS)


def find_problems(expect: dict[str, Any]) -> list[str]:
    with pytest.raises(RulesError) as refused:
        load(expect)
    return [problem.text for problem in refused.value.problems]


def run_event(run: str, status: str, minutes: float = 0, name: str = "", **changes: Any) -> dict[str, Any]:
    return {
        "id": name or f"{run}-{status}-{minutes}",
        "topic": WORKSPACE,
        "subject": f"experiments/e/runs/{run}",
        "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
        "eventTime": (BEGAN + timedelta(minutes=minutes)).isoformat(),
        "data": {"runId": run, "runStatus": status},
        **changes,
    }


def deliver(world: GateWorld, rules: Rules, event: dict[str, Any], now: datetime | None = None) -> int:
    """Record an event as a delivery does; gives how many entities were told."""
    told = list(find_arrivals(json.dumps(event), rules, SETTINGS, now or BEGAN + timedelta(days=1)))
    for entity, text in told:
        gate_state(EntityCall(world.entities, str(entity), "arrive"), text)  # type: ignore[arg-type]
    return len(told)


def wait(world: GateWorld, rules: Rules, run: str = "r1", minutes: float = 0) -> dict[str, Any]:
    event = parse(json.dumps(run_event(run, "Running", minutes)))
    gates = {"expect": rules.rules[0].gates["expect"].fill(event.names)}
    return world.respond(run, gates, event=event.to_json())


def test_a_run_that_has_not_ended_after_six_hours_is_reported():
    world, rules = GateWorld(), load(UNENDED)
    assert deliver(world, rules, run_event("r1", "Finalizing", 20)) == 0
    assert deliver(world, rules, run_event("other", "Completed", 20)) == 1
    outcome = wait(world, rules)
    assert outcome["status"] == "done"
    assert world.now >= BEGAN + timedelta(hours=6)
    assert outcome["gates"][0]["detail"] == ("no run.status_changed of r1 came until 2026-01-01 06:00 UTC")


@pytest.mark.parametrize(
    ("minutes", "status"), [(0, "stopped"), (200, "stopped"), (360, "stopped"), (361, "done"), (-1, "done")]
)
def test_only_an_end_within_the_time_keeps_it_from_acting(minutes: float, status: str):
    world, rules = GateWorld(), load(UNENDED)
    assert deliver(world, rules, run_event("r1", "Failed", minutes)) == 1
    assert deliver(world, rules, run_event("r1", "Failed", minutes)) == 1
    outcome = wait(world, rules)
    assert outcome["status"] == status
    if status == "stopped":
        came = format_utc(BEGAN + timedelta(minutes=minutes))
        assert outcome["because"] == f"expect: run.status_changed of r1 came at {came}"


def test_an_end_that_is_delivered_while_the_response_waits_counts():
    world, rules = GateWorld(), load(UNENDED)

    def arrive(*_: object) -> list[dict[str, Any]]:
        deliver(world, rules, run_event("R1", "Failed", 5))
        return []

    world.raises = arrive
    assert wait(world, rules)["status"] == "stopped"


def test_the_event_itself_is_not_what_it_waits_for():
    beat = {"event": "run.status_changed", "where": {"run": {"id": "${run.id}"}}, "within": "1h"}
    world, rules = GateWorld(), load(beat)
    deliver(world, rules, run_event("r1", "Running"))
    assert wait(world, rules)["status"] == "done"
    deliver(world, rules, run_event("r1", "Running", 30))
    assert wait(world, rules, minutes=0)["status"] == "stopped"


def test_workspaces_and_rules_wait_for_their_own_events():
    world, rules = GateWorld(), load(UNENDED)
    deliver(world, rules, run_event("r1", "Failed", 5, topic=WORKSPACE.replace("/w", "/x")))
    deliver(world, load(UNENDED, id="another"), run_event("r1", "Failed", 5))
    assert wait(world, rules)["status"] == "done"


def test_a_delivery_tells_nobody_what_no_rule_expects():
    now = datetime.now(UTC)
    ended = json.dumps(run_event("r1", "Failed"))
    assert len(list(find_arrivals(ended, load(UNENDED), SETTINGS, now))) == 1
    assert list(find_arrivals("not JSON", load(UNENDED), SETTINGS, now)) == []
    assert list(find_arrivals(ended, load(UNENDED, mode="disabled"), SETTINGS, now)) == []
    assert list(find_arrivals(ended, load(UNENDED), replace(SETTINGS, mode="disabled"), now)) == []
    foreign = replace(load(UNENDED), workspaces={"own": WORKSPACE.replace("/w", "/own")})
    assert list(find_arrivals(ended, foreign, SETTINGS, now)) == []


def test_an_arrival_that_cannot_be_recorded_fails_the_delivery():
    class Refusing:
        async def signal_entity(self, *_: Any) -> None:
            raise ConnectionError("the task hub is away")

    told = record_arrivals(
        json.dumps(run_event("r1", "Failed")),
        load(UNENDED),
        SETTINGS,
        Refusing(),  # type: ignore[arg-type]
        datetime.now(UTC),
    )
    with pytest.raises(ConnectionError):
        asyncio.run(told)


def test_an_event_from_the_future_came_when_it_was_delivered():
    world, rules = GateWorld(), load(UNENDED)
    deliver(world, rules, run_event("r1", "Failed", 60 * 24 * 365), now=BEGAN + timedelta(minutes=3))
    assert wait(world, rules)["status"] == "stopped"


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        ({"run": {"idd": "${run.id}"}}, "unknown name 'idd' (did you mean 'id'?)"),
        ({"run": {"id": "${run.idd}"}}, "run has no 'idd' (did you mean 'id'?)"),
        ({"run": {"id": {"prefix": "${run.id}"}}}, "an expression can only be the value of a field"),
        ({"run": {"id": ["${run.id}"]}}, "an expression can only be the value of a field"),
        ({"not": {"run": {"id": "${run.id}"}}}, "an expression can only be the value of a field"),
        ({"run": {"status": "finished", "id": {"prefixx": "a"}}}, "unknown operator 'prefixx'"),
    ],
)
def test_mistakes_in_its_conditions_are_found_when_the_file_loads(where: dict[str, Any], fault: str):
    found = find_problems({**UNENDED, "where": where})
    assert any(fault in text for text in found), found


def test_a_list_is_equal_to_no_expression():
    deployed = {"event": "model.deployed", "within": "1h"}
    [fault] = find_problems({**deployed, "where": {"deployment": {"models": "${run.id}"}}})
    assert "deployment.models is a list" in fault


def test_the_filters_let_the_expected_events_through():
    rules = load(
        {"event": "model.registered", "where": {"model": {"tags": {"run": "${run.id}"}}}, "within": "1h"}
    )
    filters = compile_filters(rules.rules, "narrow")
    assert [name for name, one in filters.items() if one.types] == ["ModelRegistered", "RunStatusChanged"]
    assert [one.key for one in filters["ModelRegistered"].clauses] == ["data.modelTags.run"]
    both = compile_filters(load(UNENDED).rules, "narrow")["RunStatusChanged"]
    assert {(one.rule, one.path) for one in both.widened} >= {("rule", "expect.where.run.status")}
    assert not any(clause.values == ("running",) for clause in both.clauses)


def test_explain_says_for_what_it_waits():
    rules = load(UNENDED)
    event = parse(json.dumps(run_event("r1", "Running")))
    match = match_rule(rules.rules[0], event)
    explained = explain_rule(match, event, ExplainContext(BEGAN, 3))
    [line] = explained.gates
    assert (line.holds, line.text) == (None, "expect: acts if no run.status_changed of r1 comes within 6 h")


@given(st.lists(st.integers(0, 400), max_size=60), st.integers(0, 400))
def test_spans_forget_nothing_that_a_response_may_ask_for(minutes: list[int], since: int):
    known = Arrivals(3600.0)
    for number, minute in enumerate(minutes):
        known = known.add(Arrival((BEGAN + timedelta(minutes=minute)).isoformat(), f"e{number}", "k"))
        assert known.add(known.ends[0]) == known
    begin = BEGAN + timedelta(minutes=since)
    found = known.find(begin, begin + timedelta(hours=1), "other")
    assert (found is not None) == any(since <= minute <= since + 60 for minute in minutes)
    assert Arrivals.from_json(json.loads(json.dumps(known.to_json()))) == known


def test_what_is_kept_is_bounded():
    known = Arrivals(1.0)
    for second in range(2 * MOST_SPANS):
        known = known.add(Arrival((BEGAN + timedelta(seconds=second)).isoformat(), f"e{second}", "k"))
    assert len(known.ends) == MOST_SPANS
    later = BEGAN + ARRIVALS_KEPT + timedelta(hours=1)
    assert len(known.add(Arrival(later.isoformat(), "late", "k")).ends) == 1


def test_a_rule_that_had_every_before_finds_that_nothing_came():
    begun = Expect.change_state(None, BEGIN, {"time": BEGAN.isoformat(), "seconds": 60.0})
    asked = {"since": BEGAN.isoformat(), "until": BEGAN.isoformat(), "besides": ""}
    assert Expect.change_state(begun.state, FIND, asked).answer == {}
