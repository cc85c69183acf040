"""The way back: whatever state the old deployments are in, the new one does not keep traffic."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from mlevents.actions.action import Done
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.actions.deploy_model.traffic_map import share_of
from mlevents.errors import RefusedError
from mlevents.orchestration.messages import Response
from mlevents.responses.step_input import make_notices
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import Trouble, World, serving
from tests.unit.actions.deploy_model.rollouts import context
from tests.unit.actions.deploy_model.test_rollout import at_traffic, canary, traffic
from tests.unit.actions.deploy_model.test_rollout_exhaustive import OLD, call, ended

HOUR = 3600.0
BY_STEPS = canary(steps=[{"percent": 10, "for": "3m"}])
AT_ONCE = canary(steps=[{"percent": 100, "for": "3m"}])


def spoil(at: World) -> None:
    at.placed["net-9"].error_rate = 0.5


def spoiled_when(share: int, happen: Callable[[World], None], **more: Any) -> World:
    """A world whose new version turns bad at this share, where this happens at the same time."""

    def both(at: World) -> None:
        spoil(at)
        happen(at)

    return serving(OLD, meddling=at_traffic(share, both), **more)


def with_notices(plan: dict[str, Any]) -> str:
    """A call whose response notifies people when it fails."""
    text = json.loads(call(plan))
    step = {**text["step"], "id": "notify", "uses": "notify", "orchestration": None, "notifies": True}
    step["with"] = {"to": "people", "subject": "a rollout failed", "text": "${failure.reason}"}
    document = {**text["response"], "on_failure": [step, {**step, "notifies": False}]}
    notices = make_notices(Response.from_json(document), "traffic-not-restored", {})
    return json.dumps({**text, "notices": [notice.to_json() for notice in notices]})


def carried(at: World, text: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(Durable(at).run(roll_out_model, text))
    at.advance(60.0)
    return answer


@pytest.mark.parametrize("state", ["Updating", "Scaling"])
@pytest.mark.parametrize(("share", "plan"), [(10, BY_STEPS), (100, AT_ONCE)], ids=["10 %", "100 %"])
def test_an_old_deployment_in_transition_is_waited_for(state: str, share: int, plan: dict[str, Any]) -> None:
    at = spoiled_when(share, lambda world: world.colleague("net-1", state, 2 * HOUR))
    answer = ended(at, call(plan))
    assert answer["report"]["restored"] == "the traffic of 'net' is net-1 70 %, net-2 30 %"


def test_a_failed_old_deployment_gets_its_traffic_back_where_azure_takes_the_map() -> None:
    def fail(world: World) -> None:
        world.colleague("net-1", "Updating", 30.0, "Failed")
        world.placed["net-1"].refused = False

    at = spoiled_when(10, fail)
    assert ended(at, call(BY_STEPS))["kind"] == "failed"
    assert at.placed["net-1"].state.provisioning_state == "Failed"


def test_where_azure_refuses_a_failed_one_the_others_get_its_share() -> None:
    at = spoiled_when(10, lambda world: world.colleague("net-1", "Updating", 30.0, "Failed"))
    answer = carried(at, call(BY_STEPS))
    assert answer["kind"] == "failed"
    assert traffic(at) == {"net-2": 100}
    assert "put traffic {'net-1': 70, 'net-2': 30}" in at.calls, "the exact map is tried first"


def test_an_operation_that_fails_for_a_failed_one_counts_as_refused() -> None:
    def fail(world: World) -> None:
        world.colleague("net-1", "Updating", 30.0, "Failed")
        world.placed["net-1"].refused = False
        world.failing = "'net-1': 70"

    at = spoiled_when(10, fail)
    assert carried(at, call(BY_STEPS))["kind"] == "failed"
    assert traffic(at) == {"net-2": 100}


def test_the_new_deployment_never_keeps_traffic_while_an_old_one_exists() -> None:
    def fail(world: World) -> None:
        for name in OLD:
            world.colleague(name, "Updating", 30.0, "Failed")
            world._later(30 * HOUR, world._deployment_is(name, "Succeeded"))

    at = spoiled_when(100, fail)
    answer = carried(at, with_notices(AT_ONCE))
    assert answer["kind"] == "failed"
    assert traffic(at) == OLD
    assert at.now > 30 * HOUR


def test_people_are_notified_while_the_traffic_is_not_restored_ever_more_rarely() -> None:
    def fail(world: World) -> None:
        for name in OLD:
            world.colleague(name, "Updating", 30.0, "Failed")
            world._later(60 * HOUR, world._deployment_is(name, "Succeeded"))

    at = spoiled_when(100, fail)
    carried(at, with_notices(AT_ONCE))
    moments = [moment for moment, _ in at.messages]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert 5 <= len(moments) <= 12
    assert gaps == sorted(gaps)
    first = at.messages[0][1]
    assert first.subject == "Endpoint net: the traffic is not restored yet, still trying"
    assert "cannot take traffic in Failed provisioning state" in first.text
    assert "net-1 70 %, net-2 30 %" in first.text
    assert len({message.key for _, message in at.messages}) == len(moments), "none is taken for another"


def test_a_restore_that_takes_no_time_notifies_nobody() -> None:
    at = spoiled_when(10, lambda _: None)
    carried(at, with_notices(BY_STEPS))
    assert at.messages == []


def test_rights_that_are_missing_for_a_day_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at = spoiled_when(10, lambda _: None)
    put = at.set_traffic

    def forbidden(name: str, maps: Any, *more: Any, **named: Any) -> None:
        if share_of(maps, "net-9") == 0 and at.now < 26 * HOUR:
            raise RefusedError("403 AuthorizationFailed", status=403, answer="AuthorizationFailed")
        put(name, maps, *more, **named)

    monkeypatch.setattr(at, "set_traffic", forbidden)
    assert ended(at, call(BY_STEPS))["kind"] == "failed"


def test_rights_that_are_missing_are_no_refusal_of_a_failed_deployment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(world: World) -> None:
        world.colleague("net-1", "Updating", 30.0, "Failed")
        world.placed["net-1"].refused = False

    at = spoiled_when(10, fail)
    put, times = at.set_traffic, iter(range(3))

    def forbidden(name: str, maps: Any, *more: Any, **named: Any) -> None:
        if share_of(maps, "net-9") == 0 and next(times, None) is not None:
            raise RefusedError("403", status=403, answer="AuthorizationFailed: deployments/net-1")
        put(name, maps, *more, **named)

    monkeypatch.setattr(at, "set_traffic", forbidden)
    assert ended(at, call(BY_STEPS))["kind"] == "failed"


def test_a_list_that_is_always_empty_is_not_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    at = spoiled_when(10, lambda _: None)
    monkeypatch.setattr(at, "deployments", lambda _: ())
    assert ended(at, call(BY_STEPS))["kind"] == "failed"


def test_where_every_old_deployment_was_deleted_the_traffic_stays() -> None:
    def delete(world: World) -> None:
        for name in OLD:
            del world.placed[name]

    at = spoiled_when(100, delete)
    answer = carried(at, call(AT_ONCE))
    assert answer["kind"] == "failed"
    assert "none of net-1 70 %, net-2 30 % exists any more" in answer["report"]["restored"]
    assert traffic(at) == {"net-9": 100}


def test_one_that_was_deleted_leaves_its_share_to_the_other() -> None:
    at = spoiled_when(100, lambda world: world.placed.__delitem__("net-1"))
    assert carried(at, call(AT_ONCE))["kind"] == "failed"
    assert traffic(at) == {"net-2": 100}


def test_traffic_that_someone_else_sets_meanwhile_is_left_so() -> None:
    theirs = {"net-2": 100}

    def fail(world: World) -> None:
        for name in OLD:
            world.colleague(name, "Updating", HOUR)
        world._later(2 * HOUR, lambda: None)
        assert world.endpoint_state
        world.endpoint_state = replace(world.endpoint_state, traffic=dict(theirs))
        world.live = dict(theirs)

    at = spoiled_when(10, fail)
    answer = carried(at, call(BY_STEPS))
    assert answer["kind"] == "stopped"
    assert traffic(at) == theirs


def test_an_endpoint_that_failed_at_the_old_map_keeps_that_map() -> None:
    at = serving(OLD)
    at.colleague("net-1", "Updating", 30.0, "Failed")
    at.advance(60.0)
    assert at.endpoint_state
    at.endpoint_state = replace(at.endpoint_state, provisioning_state="Failed")
    shift = {"name": "100 %", "verb": "shift_traffic", "traffic": {"net-9": 100}}
    progress = {"before": OLD, "before_mirror": {}, "plan": [shift], "phase": 0}
    action = DeployModel(template="small.yaml", endpoint="net")
    said = []
    for _ in range(5):
        outcome = action.restore_traffic(replace(context("net", "9"), progress=progress), at)  # type: ignore[arg-type]
        said.append(outcome.detail)
        progress = dict(getattr(outcome, "progress", {}))
        if isinstance(outcome, Done):
            break
    assert said[-1] == "the traffic of 'net' is net-1 70 %, net-2 30 %, and Azure refuses a repair"
    assert traffic(at) == OLD


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("on_failure", ["rollback", "hold"])
def test_a_write_that_arrives_after_the_way_back_is_taken_back_too(number: int, on_failure: str) -> None:
    plan = {**BY_STEPS, "on_failure": on_failure, "steps": [{"percent": 10, "for": "3m"}, {"percent": 50}]}
    once = json.loads(call(plan))
    once["step"]["retry"]["attempts"] = 1
    calm = serving(OLD)
    ended(calm, json.dumps(once))
    put = [at for at, name in enumerate(calm.calls, 1) if name.startswith("put traffic")][number - 1]
    at = serving(OLD, trouble=Trouble(put, "late"))
    answer = ended(at, json.dumps(once))
    assert answer["kind"] == "failed"
    assert "no answer within 60 s" in answer["detail"]
