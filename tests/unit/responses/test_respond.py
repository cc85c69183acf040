"""How a response is carried through: its steps in order, what a failure leads to, and only once."""

import json
from typing import Any

import pytest
from orchestration import Context, run

from mlevents.responses.respond import response
from mlevents.responses.shown import BUDGET

RETRY = {"attempts": 1, "first": 1, "max": 1}


def step(name: str, **changes: Any) -> dict[str, Any]:
    known = {"id": name, "uses": "notify", "with": {}, "if": None, "retry": RETRY, "timeout": None}
    return {**known, "orchestrator": None, **changes}


def document(**changes: Any) -> dict[str, Any]:
    event = {"id": "e1", "type": "model.registered", "subject": "models/net:7", "time": None, "names": {}}
    return {
        "id": "rule.0123",
        "rule": "rule",
        "event": event,
        "status": "running",
        "because": None,
        "alert": False,
        "steps": [step("one"), step("two")],
        "on_failure": [step("alarm"), step("mail")],
        "raw": None,
        **changes,
    }


class Team:
    """Performs steps: those named in `refuse` fail; remembers in which order they came."""

    def __init__(self, *refuse: str) -> None:
        self.refuse = refuse
        self.seen: list[str] = []

    def __call__(self, call: dict[str, Any]) -> dict[str, Any]:
        name = call["step"]["id"]
        self.seen.append(name)
        if name in self.refuse:
            return {"kind": "failed", "detail": f"{name} is forbidden"}
        return {"kind": "done", "detail": f"{name} is through", "result": {"said": name}}


def carried(team: Team, store: dict[str, Any] | None = None, **changes: Any) -> tuple[Context, Any]:
    context = Context(team, store)
    return context, run(response(context, json.dumps(document(**changes))))


def statuses(outcome: Any) -> dict[str, str]:
    return {line["id"]: line["status"] for line in outcome["steps"]}


def test_steps_are_performed_in_order_and_read_what_went_before():
    team = Team()
    context, outcome = carried(team)
    assert team.seen == ["one", "two"]
    assert context.calls[1]["results"] == {"one": {"said": "one"}}
    assert (outcome["status"], outcome["because"]) == ("done", None)
    assert statuses(outcome) == {"one": "done", "two": "done"}


def test_a_failure_ends_the_steps_and_begins_those_of_on_failure():
    team = Team("one")
    context, outcome = carried(team)
    assert team.seen == ["one", "on_failure.alarm", "on_failure.mail"]
    assert (outcome["status"], outcome["because"]) == ("failed", "step 'one': one is forbidden")
    assert statuses(outcome)["two"] == "skipped"
    failure = context.calls[1]["failure"]
    assert (failure["step"], failure["uses"], failure["status"]) == ("one", "notify", "failed")
    assert "one is forbidden" in failure["message"]


def test_every_step_of_on_failure_is_tried():
    team = Team("one", "on_failure.alarm")
    _, outcome = carried(team)
    assert team.seen == ["one", "on_failure.alarm", "on_failure.mail"]
    assert statuses(outcome)["on_failure.alarm"] == "failed"
    assert statuses(outcome)["on_failure.mail"] == "done"


def test_a_response_is_under_way_until_everybody_was_told():
    context, _ = carried(Team("one"))
    told = [shown["status"] for shown in context.shown]
    assert told[-1] == "failed"
    assert set(told[:-1]) == {"running"}


@pytest.mark.parametrize(("alert", "seen"), [(True, ["on_failure.alarm", "on_failure.mail"]), (False, [])])
def test_what_is_settled_is_never_performed_and_told_where_it_should_be(alert, seen):
    team = Team()
    _, outcome = carried(team, status="stopped", because="too old", alert=alert)
    assert team.seen == seen
    assert (outcome["status"], outcome["because"]) == ("stopped", "too old")


def test_a_response_that_is_started_again_does_nothing_and_shows_what_was_done():
    store: dict[str, Any] = {}
    _, first = carried(Team(), store)
    team = Team()
    context, again = carried(team, store)
    assert (team.seen, again) == ([], first)
    assert context.shown == [first]


def test_a_response_that_broke_off_goes_on_when_it_is_started_again():
    store: dict[str, Any] = {}
    broken = response(Context(Team(), store), json.dumps(document()))
    broken.send(None)
    broken.close()
    team = Team()
    _, outcome = carried(team, store)
    assert (team.seen, outcome["status"]) == (["one", "two"], "done")


def test_steps_are_handed_what_they_need_and_not_the_raw_event():
    context, _ = carried(Team(), raw="x" * 1_000_000)
    assert all(len(json.dumps(call)) < 2000 for call in context.calls)


def test_what_is_shown_always_fits():
    steps = [step(f"step-{number}") for number in range(200)]
    team = Team()
    context, outcome = carried(team, steps=steps, because="ü" * 5000)
    assert len(team.seen) == 200
    assert all(len(json.dumps(shown).encode("utf-16-le")) <= BUDGET for shown in context.shown)
    assert outcome["status"] == "done"
