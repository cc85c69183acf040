"""A step with its own orchestrator: what its response does when that ends without an answer."""

import json
from typing import Any

import pytest

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.rollout_record import RolloutRecord
from mlevents.orchestration.messages import Call
from mlevents.responses.respond import respond_to_event
from tests.unit.actions.deploy_model import test_rollout_exhaustive as rollouts
from tests.unit.responses.replay import Context, failure, run
from tests.unit.responses.test_respond import Team, document, step

ORCHESTRATION = rollouts.ORCHESTRATION.to_json()
LOST = failure("json.decoder.JSONDecodeError", "Expecting value: line 1 column 1 (char 0)")
TERMINATED = failure("", "the orchestration was terminated")
CHANGED = failure("durabletask.task.NonDeterminismError", "the history does not match")
DONE = {"kind": "done", "detail": "net-9 serves", "result": {"endpoint": "net"}}
RESTORED = {
    "kind": "done",
    "detail": "the traffic is net-1 100 %; net-9 is deleted",
    "report": {"restored": "yes"},
}
UNRESTORED = {"kind": "failed", "detail": "a fault", "report": {"phases": []}, "unrestored": True}


def responded(*answers: Any, **changes: Any) -> tuple[Context, Team, Any]:
    """The outcome of a response that deploys; the answers are those of its sub-orchestrations."""
    told, team = iter(answers), Team()
    context = Context(team)
    context.sub_orchestrator = lambda *_: next(told)
    steps = [step("deploy", uses="deploy_model", orchestration=ORCHESTRATION), step("tell")]
    return context, team, run(respond_to_event(context, json.dumps(document(steps=steps, **changes))))


def called(context: Context) -> list[tuple[str, str]]:
    return [(name, instance) for name, instance, _, _ in context.children]


def test_a_sub_orchestration_has_the_version_of_its_parent():
    context, _, outcome = responded(DONE)
    assert [version for _, _, version, _ in context.children] == [Context.version]
    assert outcome["status"] == "done"


@pytest.mark.parametrize("error", [TERMINATED, CHANGED])
def test_a_rollout_that_broke_off_is_restored_and_people_are_notified(error: Exception):
    context, team, outcome = responded(error, RESTORED)
    assert called(context) == [
        ("RollOutModel", "rule.0123.deploy"),
        ("RestoreTraffic", "rule.0123.deploy.restore"),
    ]
    assert context.children[1][3]["holders"] == ["rule.0123.deploy"]
    assert team.seen == ["on_failure.alarm", "on_failure.mail"]
    assert outcome["status"] == "failed"
    assert "RollOutModel ended without an answer: " in outcome["because"]
    assert "the traffic is net-1 100 %" in outcome["because"]
    assert context.calls[0].failure
    assert context.calls[0].failure.report["restored"] == "yes"


def test_a_rollout_whose_entity_gave_no_answer_is_started_afresh_at_most_twice():
    context, _, outcome = responded(LOST, LOST, DONE)
    ids = ["rule.0123.deploy", "rule.0123.deploy.1-2", "rule.0123.deploy.1-3"]
    assert called(context) == [("RollOutModel", one) for one in ids]
    assert outcome["status"] == "done"
    context, _, outcome = responded(LOST, LOST, LOST, RESTORED)
    assert context.children[3][3]["holders"] == ids
    assert called(context)[3] == ("RestoreTraffic", "rule.0123.deploy.1-3.restore")
    assert outcome["status"] == "failed"


def test_a_rollout_that_could_not_restore_has_it_done_by_another():
    context, _, outcome = responded(UNRESTORED, RESTORED)
    assert called(context)[1] == ("RestoreTraffic", "rule.0123.deploy.restore")
    assert outcome["because"] == "step 'deploy': a fault; the traffic is net-1 100 %; net-9 is deleted"


def test_a_restoration_that_broke_off_is_started_again_and_may_take_over_from_the_first():
    context, _, _ = responded(TERMINATED, LOST, TERMINATED, RESTORED)
    assert [one for _, one in called(context)][1:] == [
        "rule.0123.deploy.restore",
        "rule.0123.deploy.restore.1-2",
        "rule.0123.deploy.restore.1-3",
    ]
    assert context.children[3][3]["holders"] == [
        "rule.0123.deploy",
        "rule.0123.deploy.restore",
        "rule.0123.deploy.restore.1-2",
    ]
    _, team, outcome = responded(TERMINATED, LOST, LOST, LOST)
    assert "could not be put back yet" in outcome["because"]
    assert team.seen == ["on_failure.alarm", "on_failure.mail"]


def test_a_response_that_runs_again_never_meets_its_earlier_rollout():
    context, _, _ = responded(DONE, attempt=2)
    assert called(context) == [("RollOutModel", "rule.0123.deploy.2-1")]


def test_a_rollout_knows_who_is_notified_while_the_traffic_is_not_restored():
    mail = step("mail", uses="notify", notifies=True) | {"with": {"to": "team", "template": "run-failed"}}
    context, _, _ = responded(DONE, on_failure=[step("alarm"), mail])
    [(_, _, _, call)] = context.children
    [notice] = call["notices"]
    assert notice["step"]["with"] == {"to": "team", "template": "traffic-not-restored"}
    assert notice["verb"] == "perform"
    rollout = RolloutRun(context, Call.from_json(call))
    rollout.progress = Progress(before={"net-1": 100})
    record = RolloutRecord.of(rollout).to_json()
    assert record["call"]["notices"] == call["notices"], "whoever restores it later notifies them too"
    assert rollout.call.notices == (), "no activity carries them"
