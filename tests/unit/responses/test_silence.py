"""A rule without `event` acts when none of its expected events came for so long, once for each such time."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlevents.errors import RulesError
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.gates.expect import BEGIN, Expect
from mlevents.orchestration.messages import Response
from mlevents.responses.arrival_records import find_arrivals
from mlevents.responses.silence import list_silence_watches, respond_to_silence
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from tests.histories.recorder import BEGAN
from tests.unit.gates.gate_world import GateWorld
from tests.unit.gates.test_expect import SETTINGS, run_event

DAILY = {"event": "run.completed", "where": {"run": {"experiment": "nightly"}}, "every": "26h"}


def load(**changes: Any) -> Rules:
    text = "${expect.every} since ${expect.last | default('never')}"
    step = {"uses": "notify", "with": {"to": "team", "subject": "s", "text": text}}
    rule = {"id": "rule", "expect": DAILY, "do": [step], **changes}
    team = {"type": "apprise", "url": {"setting": "TEAM"}}
    file = json.dumps({"version": 1, "connections": {"team": team}, "rules": [rule]})
    return load_rules_text(file, Path("rules.yaml"), SETTINGS)


def look(state: dict[str, Any] | None, hours: float) -> Response | None:
    rules = load()
    [watch] = list_silence_watches(rules)
    event = watch.find_silence(state or {}, BEGAN + timedelta(hours=hours))
    return respond_to_silence(watch, event, rules, SETTINGS) if event else None


def begin(state: dict[str, Any] | None = None, hours: float = 0) -> dict[str, Any]:
    document = {"time": (BEGAN + timedelta(hours=hours)).isoformat(), "seconds": 26 * 3600.0}
    return dict(Expect.change_state(state, BEGIN, document).state or {})


def arrive(state: dict[str, Any] | None, hours: float) -> dict[str, Any]:
    document = {
        "time": (BEGAN + timedelta(hours=hours)).isoformat(),
        "id": f"{hours}",
        "kind": "run.completed",
    }
    return dict(Expect.change_state(state, "arrive", {**document, "seconds": 26 * 3600.0}).state or {})


def test_the_first_look_begins_the_time():
    state = begin(begin(), hours=5)
    assert look(state, 25.9) is None
    assert look(state, 26) is not None
    assert look(begin(arrive(None, -200), hours=0), 1) is None


def test_a_silence_acts_once_for_each_time_that_it_lasts():
    state = begin()
    first, again, later = look(state, 26), look(state, 51), look(state, 53)
    assert first is not None
    assert later is not None
    assert first == again
    assert first.id != later.id
    assert first.status == "running"


def test_an_event_ends_the_silence_and_begins_the_next_time():
    state = arrive(begin(), 20)
    assert look(state, 45) is None
    found = look(state, 47)
    assert found is not None
    names = found.event.names["expect"]
    assert names == {
        "every": "26 h",
        "since": "2026-01-01T20:00:00+00:00",
        "last": "2026-01-01T20:00:00+00:00",
    }
    assert look(arrive(state, 46.5), 47) is None


def test_the_response_to_a_silence_performs_its_steps():
    found = look(begin(), 30)
    assert found is not None
    world = GateWorld()
    outcome = world.respond("silence", dict(found.gates), event=found.event.to_json())
    assert (outcome["status"], outcome["gates"][0]["detail"]) == ("done", "no run.completed came for 26 h")


def test_its_events_are_delivered_and_recorded_but_never_answered():
    rules = load()
    assert [name for name, one in compile_filters(rules.rules, "safe").items() if one.types] == [
        "RunCompleted"
    ]
    event = run_event("r1", "Completed")
    event |= {"eventType": "Microsoft.MachineLearningServices.RunCompleted"}
    event["data"] |= {"experimentName": "nightly"}
    [(entity, text)] = find_arrivals(json.dumps(event), rules, SETTINGS, BEGAN)
    assert json.loads(text)["kind"] == "run.completed"
    assert entity.key.startswith("expect.")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"expect": {"event": "run.completed", "within": "1h"}},
            "'event' is missing: name the events of the rule",
        ),
        ({"event": "run.completed"}, "a rule with `expect: {every: …}` answers no event: remove `event`"),
        (
            {"where": {"run": {"id": "a"}}},
            "a rule with `expect: {every: …}` answers no event: remove `where`",
        ),
        ({"expect": {**DAILY, "within": "1h"}}, "there is within and every"),
        ({"throttle": {"key": "${run.id}", "once_per": "1h"}}, "unknown name 'run'"),
        (
            {"expect": {**DAILY, "where": {"run": {"id": "${event.id}"}}}},
            "`every` has no other event that gives",
        ),
    ],
)
def test_its_mistakes_are_found_when_the_file_loads(changes: dict[str, Any], fault: str):
    with pytest.raises(RulesError) as refused:
        load(**changes)
    assert fault in str(refused.value)
