"""What can go wrong in a rollout, told case by case: what people read, and what is left."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.services.machine_learning.states import DeploymentState
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import Placed, Trouble, World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import OLD, PLAN, call, ended

STEPS = {**PLAN, "mirror": None, "smoke_test": None}


def without(*names: str, **more: Any) -> dict[str, Any]:
    """The plan without these parameters, and with others."""
    return {name: value for name, value in PLAN.items() if name not in names} | more


def canary(**more: Any) -> dict[str, Any]:
    return without("mirror", "smoke_test", **more)


def details(at: World, plan: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The answer, and everything that the custom status said on the way."""
    durable = Durable(at)
    answer = json.loads(durable.run(roll_out_model, call(plan)))
    return answer, [said["detail"] for said in durable.context.said]


def at_traffic(share: int, happen: Callable[[World], None]) -> Callable[[World], None]:
    """Something that happens once when the new deployment has this share."""
    done: list[bool] = []

    def meddle(world: World) -> None:
        if world.live.get("net-9") == share and not done:
            done.append(True)
            happen(world)

    return meddle


def traffic(at: World) -> dict[str, int]:
    """The map that stands on the endpoint."""
    assert at.endpoint_state
    return dict(at.endpoint_state.traffic)


def test_the_first_deployment_of_an_endpoint_skips_mirror_and_canary() -> None:
    at = World()
    answer = json.loads(Durable(at).run(roll_out_model, call()))
    assert answer["kind"] == "done"
    assert [phase["phase"] for phase in answer["result"]["phases"]] == [
        "endpoint",
        "deployment",
        "smoke test",
        "100 %",
        "retired",
    ]
    assert at.writes == ["put endpoint net", "put deployment net-9", "put traffic {'net-9': 100}"]


def test_an_endpoint_without_traffic_is_like_a_new_one() -> None:
    at = serving({})
    answer = json.loads(Durable(at).run(roll_out_model, call()))
    assert answer["kind"] == "done"
    assert at.writes == ["put deployment net-9", "put traffic {'net-9': 100}"]


def test_without_a_rollout_all_traffic_moves_at_once() -> None:
    at = serving(OLD)
    assert ended(at, call(None))["kind"] == "done"
    assert at.writes == ["put deployment net-9", "put traffic {'net-9': 100}"]


def test_the_custom_status_says_where_it_is() -> None:
    _, said = details(serving(OLD), canary())
    assert "10 %: 2.5 min of 3 min, error rate 0 % of 2 %, latency p95 20 ms of 30 ms" in said


def test_no_quota_is_told_with_the_reason_and_changes_nothing() -> None:
    at = serving(OLD, trouble=Trouble(kind="operation"))
    at.trouble.at = 1 + next(i for i, name in enumerate(calls_of(OLD)) if name.startswith("put deployment"))
    answer = ended(at)
    assert answer["kind"] == "failed"
    assert "deployment 'net-9' of endpoint 'net' is Failed: OutOfQuota: not enough cores" in answer["detail"]
    assert len(answer["report"]["log"]) == 100
    assert "net-9" not in at.placed


def calls_of(traffic: dict[str, int]) -> list[str]:
    at = serving(traffic)
    ended(at)
    return at.calls


def test_a_container_that_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.actions.deploy_model.rollout_world.DEPLOYMENT", 20_000.0)
    answer = ended(serving(OLD))
    assert answer["kind"] == "failed"
    assert "gave up after 3 h: deployment 'net-9' is Creating" in answer["detail"]


@pytest.mark.parametrize(
    ("test", "world", "says"),
    [
        ({}, {"errors": {"9": 1.0}}, "status 424, not 200"),
        ({"latency": "500ms"}, {"latencies": {"9": 0.9}}, "900 ms, more than 500 ms"),
        ({"json": {"predictions[0]": {"gt": 0.9}}}, {}, "predictions[0] is 0.5, not gt 0.9"),
        ({"json": {"score": 1}}, {}, "score is missing, not 1"),
    ],
    ids=["refused", "slow", "wrong", "missing"],
)
def test_a_smoke_test_that_fails_keeps_all_traffic_away(
    test: dict[str, Any], world: dict[str, Any], says: str
) -> None:
    at = serving(OLD, **world)
    answer = ended(at, call({**PLAN, "smoke_test": {"request": {"x": 1}, **test}}))
    assert answer["kind"] == "failed"
    assert says in answer["detail"]
    assert not [name for name in at.writes if name.startswith("put traffic")]


@pytest.mark.parametrize("share", [10, 50])
def test_a_model_that_turns_bad_loses_its_traffic(share: int) -> None:
    def spoil(world: World) -> None:
        world.placed["net-9"].error_rate = 0.2

    at = serving(OLD, meddling=at_traffic(share, spoil))
    answer = ended(at, call(canary()))
    assert answer["kind"] == "failed"
    assert answer["detail"].startswith(f"at {share} %, after ")
    assert "beyond 2 %" in answer["detail"]
    assert answer["report"]["restored"] == "the traffic of 'net' is net-1 70 %, net-2 30 %"


def test_a_model_that_is_slow_beside_the_stable_one_loses_its_traffic() -> None:
    answer = ended(serving(OLD, latencies={"9": 0.05}), call(canary()))
    assert "latency p95 50 ms, beyond 30 ms" in answer["detail"]


def test_a_reading_beyond_a_limit_can_be_forgiven() -> None:
    def meddle(world: World) -> None:
        if "net-9" in world.placed:
            world.placed["net-9"].error_rate = 0.5 if 60 < world.now - moved(world) < 90 else 0.0

    def moved(world: World) -> float:
        if world.live.get("net-9") and not since:
            since.append(world.now)
        return since[0] if since else world.now

    since: list[float] = []
    plan = canary(steps=[{"percent": 10, "for": "10m"}], failures=4)
    answer, said = details(serving(OLD, meddling=meddle), plan)
    assert answer["kind"] == "done"
    assert any("beyond 2 %" in words for words in said), "a reading was beyond the limit"
    since.clear()
    answer, _ = details(serving(OLD, meddling=meddle), plan | {"failures": 0})
    assert answer["kind"] == "failed"


def test_too_little_traffic_is_held_then_stopped_and_restored() -> None:
    at = serving(OLD)
    at.rate = 0.01
    answer, said = details(at, canary(min_requests=50))
    assert answer["kind"] == "stopped"
    assert answer["detail"].startswith("inconclusive at 10 % after 6 min: 0")
    assert any("4 min of 3 min" in words for words in said)
    assert traffic(at) == OLD


def test_metrics_that_do_not_come_are_not_health() -> None:
    at = serving(OLD)
    at.metrics_down = True
    answer = ended(at, call(canary()))
    assert answer["kind"] == "stopped"
    assert "no metrics yet" in answer["detail"]


def test_metrics_that_stop_coming_are_late_and_not_health() -> None:
    at = serving(OLD)

    def stop(world: World) -> None:
        world.rate = 0.0

    at.meddling = at_traffic(50, stop)
    plan = canary(steps=[{"percent": 10, "for": "3m"}, {"percent": 50, "for": "10m"}], min_requests=1)
    answer = ended(at, call(plan))
    assert answer["kind"] == "stopped"
    assert answer["detail"].startswith("inconclusive at 50 % after 20 min")


@pytest.mark.parametrize("share", [10, 50])
def test_traffic_that_somebody_else_moves_is_left_as_theirs(share: int) -> None:
    theirs = {"net-2": 100}
    at = serving(OLD, meddling=at_traffic(share, lambda world: world.put_maps(dict(theirs), {})))
    answer = json.loads(Durable(at).run(roll_out_model, call(canary())))
    assert answer["kind"] == "stopped"
    assert answer["detail"].startswith("someone else moved the traffic of endpoint 'net', to net-2 100 %")
    assert traffic(at) == theirs


def test_traffic_that_somebody_moves_at_the_last_step_is_noticed_too() -> None:
    theirs = {"net-2": 100}
    at = serving(OLD, meddling=at_traffic(100, lambda world: world.put_maps(dict(theirs), {})))
    answer = json.loads(Durable(at).run(roll_out_model, call(canary(steps=[{"percent": 100, "for": "5m"}]))))
    assert answer["kind"] == "stopped"
    assert traffic(at) == theirs


def test_somebody_who_promotes_our_deployment_keeps_it() -> None:
    theirs = {"net-9": 80, "net-1": 20}
    at = serving(OLD, meddling=at_traffic(10, lambda world: world.put_maps(dict(theirs), {})))
    answer = json.loads(Durable(at).run(roll_out_model, call(canary())))
    assert answer["kind"] == "stopped"
    assert traffic(at) == theirs
    assert "net-9" in at.placed
    assert not [name for name in at.calls if name.startswith("delete")], "nobody even asks for it"


def test_an_endpoint_that_is_deleted_under_our_feet_ends_it() -> None:
    def delete(world: World) -> None:
        world.endpoint_state, world.live = None, {}
        world.placed.clear()

    at = serving(OLD, meddling=at_traffic(50, delete))
    answer = json.loads(Durable(at).run(roll_out_model, call(canary())))
    assert answer["kind"] == "failed"
    assert "endpoint 'net' does not exist any more: someone deleted it" in answer["detail"]
    assert at.writes[-1].startswith("put traffic {'net-1': 35")


def test_hold_keeps_the_failed_deployment_without_traffic() -> None:
    at = serving(OLD, errors={"9": 0.5})
    answer = ended(at, call(canary(on_failure="hold")))
    assert answer["report"]["left"] == "deployment 'net-9' is kept"
    assert "net-9" in at.placed


def test_a_deployment_that_was_there_before_us_is_never_deleted() -> None:
    at = serving(OLD, errors={"9": 0.5})
    model = at.placed["net-1"].state.model.replace("versions/1", "versions/9")
    at.placed["net-9"] = Placed(DeploymentState("net-9", "Succeeded", model, {}), 0.5)
    assert ended(at, call(canary()))["kind"] == "failed"
    assert "net-9" in at.placed


@pytest.mark.parametrize(("keep", "left"), [(0, set()), (1, {"net-1"}), (2, {"net-1", "net-2"})])
def test_old_deployments_of_ours_beyond_keep_are_retired(keep: int, left: set[str]) -> None:
    at = serving({"net-1": 60, "net-2": 40, "net-3": 0})
    at.placed["hand"] = Placed(DeploymentState("hand", "Succeeded", "/models/x/versions/1"))
    answer = ended_new(at, canary(keep=keep))
    assert set(at.placed) == {"net-9", "hand", *left}, answer


def ended_new(at: World, plan: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(Durable(at).run(roll_out_model, call(plan)))
    assert answer["kind"] == "done"
    assert at.live == {"net-9": 100}
    return answer


def test_a_deployment_that_is_mirrored_to_is_not_retired() -> None:
    at = serving({"net-1": 100, "net-2": 0})
    assert at.endpoint_state
    at.endpoint_state, at.copied = replace(at.endpoint_state, mirror={"net-2": 10}), {"net-2": 10}
    ended_new(at, canary(keep=0))
    assert set(at.placed) == {"net-2", "net-9"}
    assert [name for name in at.calls if name.startswith("delete")] == ["delete deployment net-1"]


def test_a_retirement_that_fails_takes_nothing_back() -> None:
    at = serving(OLD)
    at.trouble = Trouble(
        1 + next(i for i, n in enumerate(calls_of(OLD)) if n.startswith("delete")), "forbidden"
    )
    answer = ended(at)
    assert answer["kind"] == "done"
    assert "403" in answer["result"]["retired"]


def test_a_mirror_of_somebody_else_rests_and_comes_back() -> None:
    at = serving(OLD)
    at.placed["shadow"] = Placed(DeploymentState("shadow", "Succeeded", "/models/x/versions/1"))
    assert at.endpoint_state
    at.endpoint_state = replace(at.endpoint_state, mirror={"shadow": 20})
    at.copied = {"shadow": 20}
    at.errors = {"9": 0.5}
    answer = json.loads(Durable(at).run(roll_out_model, call()))
    assert answer["kind"] == "failed"
    assert at.endpoint_state.mirror == {"shadow": 20}
    assert at.endpoint_state.traffic == OLD


def test_the_step_timeout_is_for_the_whole_rollout() -> None:
    text = json.loads(call(canary()))
    text["step"]["timeout"] = 600.0
    answer = ended(serving(OLD), json.dumps(text))
    assert answer["kind"] == "failed"
    assert "gave up after" in answer["detail"]


def test_restoring_begins_anew_when_azure_refuses_it() -> None:
    at = serving(OLD, errors={"9": 0.5})
    refused = Trouble(kind="forbidden")
    names = [i for i, name in enumerate(calls_of_bad()) if name.startswith("put traffic {'net-1': 70")]
    refused.at = 1 + names[-1]
    at.trouble = refused
    answer = ended(at, call(canary()))
    assert answer["kind"] == "failed"
    assert answer["report"]["restored"] == "the traffic of 'net' is net-1 70 %, net-2 30 %"


def calls_of_bad() -> list[str]:
    at = serving(OLD, errors={"9": 0.5})
    ended(at, call(canary()))
    return at.calls


def test_an_older_version_gives_way_under_the_lock() -> None:
    at = serving({"net-10": 100})
    at.placed["net-10"].state = replace(
        at.placed["net-10"].state, model=at.placed["net-10"].state.model.replace("/1", "/10")
    )
    answer = json.loads(Durable(at).run(roll_out_model, call(canary(), order={"key": "net", "by": "9"})))
    assert (answer["kind"], answer["gate"]) == ("stopped", "order")
    assert answer["detail"] == "'net-10' serves 10 of 'net', which is newer than 9"
    assert at.writes == []


def test_the_order_is_written_on_the_deployment() -> None:
    at = serving(OLD)
    ended(at, call(canary(), order={"key": "net", "by": "9"}))
    tags = at.placed["net-9"].state.tags
    assert (tags["mlevents.order.key"], tags["mlevents.order.by"]) == ("net", "9")


def test_a_champion_that_is_better_is_not_replaced() -> None:
    at = serving(OLD, model_tags_of={"net:1": {"accuracy": "0.97"}})
    text = json.loads(
        call(canary(), require={"metric_tag": "accuracy", "at_least": "champion", "tolerance": 0.01})
    )
    text["response"]["event"]["names"]["model"]["tags"] = {"accuracy": "0.95"}
    answer = json.loads(Durable(at).run(roll_out_model, json.dumps(text)))
    assert (answer["kind"], answer["gate"]) == ("stopped", "require")
    assert answer["detail"] == "accuracy is 0.95, less than 0.97 of the champion net:1, within 0.01"


def test_the_plan_of_these_tests_is_one_that_rules_can_hold() -> None:
    assert Rollout.model_validate(PLAN).needed == 5
