"""How a response passes its gates, whatever they are: what is given back, and what interrupts a wait."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlevents.actions.action import action
from mlevents.gates.gate import Gate, gate
from mlevents.gates.throttle import Throttle
from mlevents.gates.visit import GateVisit, Objection, Visiting
from tests.unit.gates.gate_world import GateWorld, make_step, message

THROTTLE = {"throttle": {"key": "k", "once_per": "12h"}}
WINDOW = {"window": {"from": "09:00", "to": "17:00", "zone": "UTC"}}
STOPS = {"window": {**WINDOW["window"], "outside": "stop"}}
NIGHT = datetime(2026, 1, 5, 3, tzinfo=UTC)


class Oracle(Gate):
    """Asks Azure, which does not answer or says no."""

    position = 65
    stage = "response"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        found = yield from visit.read({})
        return Objection(str(found["no"])) if found.get("no") else None


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    gate.names()
    monkeypatch.setitem(gate._elements, "oracle", Oracle)


def ordered(world: GateWorld, version: str, **changes: Any) -> dict[str, Any]:
    gates = {"order": {"key": "net", "by": version}, **changes.pop("gates", {})}
    return world.respond(f"v{version}", gates, **changes)


@pytest.mark.usefixtures("oracle")
@pytest.mark.parametrize(
    ("answer", "status", "because"),
    [
        ({"kind": "failed", "detail": "no right to read"}, "failed", "oracle: no right to read"),
        ({"kind": "done", "result": {"no": "not today"}, "detail": ""}, "stopped", "oracle: not today"),
    ],
)
def test_a_gate_that_stops_or_fails_frees_the_places_of_those_before(
    answer: dict[str, Any], status: str, because: str
):
    world = GateWorld(reads=lambda _: answer)
    first = world.respond("first", {**THROTTLE, "oracle": {}})
    assert (first["status"], first["because"]) == (status, because)
    world.advance(seconds=1)
    assert world.respond("second", THROTTLE)["status"] == "done"


class Forgetful(Throttle):
    """Takes a place, and then cannot say whether the response may act."""

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        objection = yield from super().admit(visit)
        if self.once_per == 60.0:
            raise KeyError("a fault of the gate")
        yield from visit.read({})
        return objection


@pytest.mark.parametrize("once_per", ["1m", "2m"])
def test_a_gate_that_fails_itself_gives_its_place_back(monkeypatch: pytest.MonkeyPatch, once_per: str):
    gate.names()
    monkeypatch.setitem(gate._elements, "forgetful", Forgetful)
    world = GateWorld(reads=lambda _: {"kind": "failed", "detail": "no right to read"})
    assert world.respond("first", {"forgetful": {"key": "k", "once_per": once_per}})["status"] == "failed"
    [stored] = world.entities.values()
    assert json.loads(stored)["state"]["returned"]


@pytest.mark.usefixtures("oracle")
def test_what_cannot_be_taken_back_does_not_hide_why_the_response_stops(monkeypatch: pytest.MonkeyPatch):
    def read_again(_: Oracle, visit: GateVisit) -> Visiting[None]:
        yield from visit.read({})

    monkeypatch.setattr(Oracle, "withdraw", read_again)
    passes, fails = {"kind": "done", "detail": "", "result": {}}, {"kind": "failed", "detail": "gone"}
    answers: list[dict[str, Any]] = [passes, fails]
    world = GateWorld(reads=lambda _: answers.pop(0), now=NIGHT)
    outcome = world.respond("first", {**THROTTLE, "oracle": {}, **STOPS})
    assert outcome["status"] == "stopped"
    assert outcome["because"].startswith("window: it is Mon")
    assert not answers
    world.now = NIGHT.replace(hour=10)
    assert world.respond("second", THROTTLE)["status"] == "done", "the gate before is still asked"


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_cancel_at_any_moment_ends_the_wait_and_frees_the_place(turn: int):
    world = GateWorld(now=NIGHT)
    world.raises = lambda _, number: [message("cancel")] if number == turn else []
    outcome = world.respond("first", {**THROTTLE, **WINDOW})
    assert (outcome["status"], outcome["because"]) == ("stopped", "cancel: by someone@example.com")
    assert not world.performed
    if turn < 3:
        assert world.now - NIGHT < timedelta(hours=1), "it does not begin to wait"
    world.raises, world.now = lambda *_: [], NIGHT.replace(hour=9, minute=1)
    assert world.respond("second", {**THROTTLE, **WINDOW})["status"] == "done"


def test_a_hold_during_the_wait_of_a_gate_is_respected_and_the_gates_look_again():
    world = GateWorld(now=NIGHT)
    held = {"hold": "hold: of the rule"}
    world.holds = [{}, *[held] * 20, {}]
    outcome = world.respond("first", WINDOW)
    assert outcome["status"] == "done"
    assert world.now >= NIGHT.replace(day=6, hour=9), "held until after the hours, it waits for the next ones"
    assert outcome["gates"][0]["detail"].startswith("it is Tue 2026-01-06 09:00")


@pytest.mark.parametrize("uses", [name for name, one in action.items() if one.orchestration is None])
def test_order_holds_for_every_action(uses: str):
    world = GateWorld()
    steps = [make_step("act", uses=uses), make_step("more")]
    assert ordered(world, "9", steps=steps)["status"] == "done"
    outcome = ordered(world, "8", steps=steps)
    assert (outcome["status"], outcome["because"]) == (
        "stopped",
        "order: 9 of 'net' came before, and is newer",
    )
    assert [step["status"] for step in outcome["steps"]] == ["skipped", "skipped"]
    assert ordered(world, "10", steps=steps)["status"] == "done"
    assert len(world.performed) == 4


def test_order_holds_for_every_step_of_a_rule_that_also_deploys():
    orchestration = action.find("deploy_model").orchestration
    assert orchestration
    deploy = make_step("deploy", uses="deploy_model", orchestration=orchestration.to_json())
    newer = {"deployment": "blue", "model": "net", "version": "9", "key": "net", "by": "9", "percent": 100}
    world = GateWorld(answers={orchestration.serving_verb: {"result": {"serving": [newer]}}})
    outcome = ordered(world, "8", steps=[make_step("first"), deploy])
    assert (outcome["status"], outcome["because"]) == (
        "stopped",
        "order: 'blue' serves 9 of 'net', which is newer than 8",
    )
    assert [call["verb"] for call in world.performed] == [orchestration.serving_verb]


def test_a_version_that_a_later_gate_stops_is_not_the_newest_that_acted():
    world = GateWorld(now=NIGHT)
    assert ordered(world, "9", gates=STOPS)["status"] == "stopped"
    world.now = NIGHT.replace(hour=10)
    assert ordered(world, "8", gates=STOPS)["status"] == "done"
    assert ordered(world, "7", gates=STOPS)["status"] == "stopped"


def test_order_looks_again_after_the_wait_of_a_later_gate():
    world = GateWorld(now=NIGHT)
    other = GateWorld(entities=world.entities, now=NIGHT)
    world.raises = lambda _, turn: [] if turn != 3 else [ordered(other, "9")][1:]
    outcome = ordered(world, "8", gates=WINDOW)
    assert [call["step"]["id"] for call in other.performed] == ["act"]
    assert (outcome["status"], outcome["because"]) == (
        "stopped",
        "order: 9 of 'net' came before, and is newer",
    )
    assert not world.performed
