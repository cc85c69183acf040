"""An operator's verb at every moment of a rollout: the traffic is whole, and the answer says what it is."""

import json
from typing import Any

import pytest

from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.orchestration.intervention import ABORT, CANCEL, PROMOTE, Intervention
from tests.histories.recorder import Recorder
from tests.histories.scenes import RESPONSE, ROLLOUT, deploying, in_world, response, step
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import NEW, OLD, call
from tests.unit.actions.deploy_model.test_rollout_lease import (
    FIRST,
    SECOND,
    SHORT,
    another,
    lease,
    maps,
    must_be_free,
    terminated,
    when,
)

PHASES = {**SHORT, "steps": [{"percent": 10, "for": "3m"}, {"percent": 50, "for": "3m"}]}


def verb(name: str, **changes: Any) -> Intervention:
    return Intervention(name, name, "ann", "why", "2026-01-01T00:00:00Z", **changes)


def roll_out(raises: dict[int, Intervention], plan: Any = SHORT) -> tuple[Durable, dict[str, Any]]:
    durable = Durable(serving(OLD))
    durable.raises = dict(raises)
    answer: dict[str, Any] = json.loads(durable.run(roll_out_model, call(plan)))
    return durable, answer


def find_task(asked: str, plan: Any = SHORT, last: bool = False) -> int:
    """The number of the first activity, or of the last one, with this verb."""
    history = roll_out({}, plan)[0].history
    found = [
        number
        for number, (task, _) in enumerate(history)
        if task[0] == "activity" and json.loads(task[1])["verb"] == asked
    ]
    return found[-1 if last else 0]


@pytest.mark.parametrize(("name", "kind"), [(CANCEL, "stopped"), (ABORT, "failed")])
def test_a_rollout_ends_with_the_old_traffic_or_is_done_whenever_the_verb_comes(name: str, kind: str):
    tasks = len(roll_out({})[0].history)
    kinds = []
    for number in range(tasks):
        durable, answer = roll_out({number: verb(name)})
        kinds.append(answer["kind"])
        assert maps(durable.world) == (NEW if answer["kind"] == "done" else OLD), (number, answer)
        must_be_free(durable.entities)
    first = kinds.index("done")
    assert kinds == [kind] * first + ["done"] * (tasks - first)


def test_a_cancel_during_the_last_shift_puts_the_traffic_back_and_one_after_it_is_too_late():
    last = find_task("shift_traffic", last=True)
    during, answer = roll_out({last: verb(CANCEL)})
    assert (answer["kind"], maps(during.world)) == ("stopped", OLD)
    verbs = [json.loads(task[1])["verb"] for task, _ in during.history if task[0] == "activity"]
    assert verbs.count("restore_traffic") > 0
    after, answer = roll_out({last + 1: verb(CANCEL)})
    assert (answer["kind"], maps(after.world)) == ("done", NEW)


def test_two_verbs_at_once_end_the_rollout_once():
    for number in range(0, len(roll_out({})[0].history), 5):
        durable, answer = roll_out({number: verb(ABORT), number + 1: verb(CANCEL)})
        assert answer["kind"] in ("failed", "done")
        assert maps(durable.world) == (NEW if answer["kind"] == "done" else OLD), (number, answer)


def test_a_promotion_during_a_check_ends_the_phase_without_another_wait():
    check = find_task("observe", PHASES)
    _, answer = roll_out({check: verb(PROMOTE, phase=0)}, PHASES)
    names = [phase["phase"] for phase in answer["result"]["phases"]]
    first = answer["result"]["phases"][names.index("10 %")]
    assert answer["kind"] == "done"
    assert "promoted" in first["detail"]
    assert "by ann: why" in first["detail"]
    assert first["seconds"] < 180
    second = answer["result"]["phases"][names.index("50 %")]
    assert second["seconds"] >= 180, "a promotion is for one phase"


def test_a_rollout_that_waits_for_the_endpoint_is_cancelled_and_takes_no_place():
    world = serving(OLD)
    first = terminated(world, when(10, world))
    first.instances[FIRST] = "RUNNING"
    before, held = maps(world), lease(first.entities)
    waiting = another(first, SECOND)
    waiting.raises = {12: verb(CANCEL)}
    answer = json.loads(waiting.run(roll_out_model, call(SHORT)))
    assert (answer["kind"], maps(world)) == ("stopped", before)
    assert any("waiting for the endpoint" in str(said) for said in waiting.context.said)
    after = lease(first.entities)
    assert (after["holder"], after["record"], after["waiting"]) == (held["holder"], held["record"], {})


def respond_with(*more: dict[str, Any], name: str = CANCEL, **known: Any) -> tuple[dict[str, Any], Any]:
    """The outcome of a response that gets a verb when its rollout has just completed, and the world after."""
    world = serving(OLD)
    recorder: Recorder = in_world(world, **known)
    said = [verb(name).to_json()]

    def meet_the_end(instance: str, _: int) -> list[dict[str, Any]]:
        return [said.pop()] if said and instance == RESPONSE and ROLLOUT in recorder.statuses else []

    recorder.raises = meet_the_end
    done = recorder.run("RespondToEvent", RESPONSE, response(deploying(SHORT), *more))
    return json.loads(done.result.value), world


def test_a_cancel_that_meets_the_end_of_the_rollout_stops_what_is_left():
    outcome, world = respond_with(step("tell"))
    assert (outcome["status"], maps(world)) == ("stopped", NEW)
    assert [one["status"] for one in outcome["steps"]] == ["done", "stopped"]
    [entry] = outcome["log"]
    assert entry["effect"] == "came too late for step 'deploy', which is done; the response is stopped"
    [entry] = respond_with(step("tell"), ended=("COMPLETED",))[0]["log"]
    assert entry["effect"] == "the response is stopped"


@pytest.mark.parametrize("name", [CANCEL, ABORT])
def test_a_verb_after_all_was_done_says_that_it_came_too_late(name: str):
    outcome, world = respond_with(name=name)
    assert (outcome["status"], maps(world)) == ("done", NEW)
    assert [one["effect"] for one in outcome["log"]] == ["came too late: the response ended as done"]
