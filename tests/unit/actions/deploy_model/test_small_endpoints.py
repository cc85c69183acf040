"""Endpoints with little traffic: `no_traffic` says what a phase does that ends with too few requests."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mlevents.actions.deploy_model.action import DeployModel
from mlevents.actions.deploy_model.observation import Prober, observe
from mlevents.actions.deploy_model.progress import Phase, Progress
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.actions.deploy_model.target import RolloutTarget, TargetNames
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.errors import TransientError
from mlevents.services.scoring import ScoringAnswer, ScoringTarget
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.rollouts import context
from tests.unit.actions.deploy_model.test_rollout import at_traffic, canary, traffic
from tests.unit.actions.deploy_model.test_rollout_exhaustive import NEW, OLD, call

CHECKS = [{"metric": "error_rate", "max": 0.1}, {"metric": "latency_p95", "max": "250ms"}]
DAY = 86_400.0
SMOKE = {"request": {"input_data": [[1]]}, "json": {"predictions[0]": 0.5}}


def plan(no_traffic: str, **more: Any) -> dict[str, Any]:
    steps = [{"percent": 10, "for": "10m"}, {"percent": 50, "for": "10m"}]
    asked = {"checks": CHECKS, "steps": steps, "min_requests": 50, "smoke_test": SMOKE}
    return canary(**{**asked, "no_traffic": no_traffic, **more})


def carried(at: World, asked: dict[str, Any], timeout: float | None = None) -> dict[str, Any]:
    text = json.loads(call(asked))
    text["step"]["timeout"] = timeout
    answer: dict[str, Any] = json.loads(Durable(at).run(roll_out_model, json.dumps(text)))
    at.advance(60.0)
    return answer


def quiet(rate: float = 0.001, **more: Any) -> World:
    at = serving(OLD, **more)
    at.rate = rate
    return at


def test_hold_waits_and_goes_back() -> None:
    at = quiet()
    answer = carried(at, plan("hold"))
    assert (answer["kind"], traffic(at)) == ("stopped", OLD)
    assert "inconclusive at 10 % after 20 min" in answer["detail"]


def test_hold_waits_to_the_timeout_of_the_rollout_where_there_is_one() -> None:
    at = quiet()
    answer = carried(at, plan("hold"), timeout=4 * 3600.0)
    assert (answer["kind"], traffic(at)) == ("stopped", OLD)
    assert "inconclusive at 10 % after 3.8" in answer["detail"]


def test_hold_goes_on_when_the_requests_come_before_the_timeout() -> None:
    at = quiet()
    at.meddling = lambda world: setattr(world, "rate", 5.0) if world.now > 2 * 3600.0 else None
    answer = carried(at, plan("hold"), timeout=4 * 3600.0)
    assert (answer["kind"], traffic(at)) == ("done", NEW)


def test_a_timeout_that_a_phase_has_itself_is_its_own() -> None:
    steps = [{"percent": 10, "for": "10m", "timeout": "30m"}]
    answer = carried(quiet(), plan("hold", steps=steps), timeout=4 * 3600.0)
    assert "inconclusive at 10 % after 30 min" in answer["detail"]


def test_proceed_goes_on_where_nothing_speaks_against_it() -> None:
    at = quiet()
    assert carried(at, plan("proceed"))["kind"] == "done"
    assert traffic(at) == NEW


@pytest.mark.parametrize("without", ["errors", "latencies"])
def test_proceed_does_not_go_on_where_something_does(without: str) -> None:
    at = quiet(0.1, **{"errors": {"9": 0.4}} if without == "errors" else {"latencies": {"9": 0.9}})
    answer = carried(at, plan("proceed"))
    assert answer["kind"] in ("stopped", "failed")
    assert traffic(at) == OLD


def test_proceed_is_no_excuse_for_metrics_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    at = quiet()

    def down(*_: Any) -> Any:
        raise TransientError("503")

    monkeypatch.setattr(at, "minutes", down)
    answer = carried(at, plan("proceed"))
    assert (answer["kind"], traffic(at)) == ("stopped", OLD)


def test_proceed_is_no_excuse_for_silence_beside_a_busy_deployment() -> None:
    at = serving(OLD)
    serve = at._serve
    at._serve = lambda name, share, seconds: None if name == "net-9" else serve(name, share, seconds)  # type: ignore[method-assign]
    answer = carried(at, plan("proceed"))
    assert (answer["kind"], traffic(at)) == ("stopped", OLD)
    assert "requests were expected" in answer["detail"]


def test_probe_sends_the_smoke_tests_request_and_is_judged_by_it() -> None:
    at = quiet()
    assert carried(at, plan("probe", probe={"rps": 0.5}))["kind"] == "done"
    assert traffic(at) == NEW
    assert 60 <= len(at.probed) <= 600, "half a request a second, while they are needed"
    assert {name for _, name, *_ in at.probed} == {"net-9"}


def test_probe_sends_nothing_where_others_send_enough() -> None:
    at = serving(OLD)
    assert carried(at, plan("probe"))["kind"] == "done"
    assert len(at.probed) <= 240, "only until the metrics show the others' requests"


def test_probes_that_fail_take_the_traffic_back() -> None:
    def spoil(world: World) -> None:
        world.placed["net-9"].error_rate = 0.5

    at = quiet(meddling=at_traffic(10, spoil))
    at.rate = 0.001
    answer = carried(at, plan("probe"))
    assert (answer["kind"], traffic(at)) == ("failed", OLD)
    assert "error rate" in answer["detail"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (ScoringAnswer(401, 0.01, None, "no"), "a probe: status 401, not 200"),
        (ScoringAnswer(200, 0.01, {"predictions": [0.9]}, ""), "a probe: predictions[0] is 0.9, not 0.5"),
    ],
)
def test_a_probe_that_no_metric_can_judge_is_wrong_in_itself(
    monkeypatch: pytest.MonkeyPatch, answer: ScoringAnswer, says: str
) -> None:
    at = quiet()
    score = at.score
    monkeypatch.setattr(at, "score", lambda place, request: answer if place.mark else score(place, request))
    found = carried(at, plan("probe"))
    assert (found["kind"], traffic(at)) == ("failed", OLD)
    assert says in found["detail"]


def test_probes_that_get_no_answer_are_no_health(monkeypatch: pytest.MonkeyPatch) -> None:
    at = quiet()
    score = at.score

    def asleep(place: ScoringTarget, request: Any) -> ScoringAnswer:
        if place.mark:
            raise TransientError("503", busy=True)
        return score(place, request)

    monkeypatch.setattr(at, "score", asleep)
    answer = carried(at, plan("probe"))
    assert (answer["kind"], traffic(at)) == ("stopped", OLD)


def test_a_phase_of_a_day_is_judged_by_all_of_it() -> None:
    def hourly(at: World) -> None:
        """One request of every two hours goes to the new deployment, the last long before the phase ends."""
        if at.live.get("net-9") and not any(
            name == "net-9" and at.now - t < 7200 for t, name, *_ in at.answered
        ):
            at.answered.append((at.now, "net-9", 1.0, 0.0))

    at = quiet(0.0, meddling=hourly)
    at.rate = 0.0
    asked = plan("hold", steps=[{"percent": 20, "for": "24h"}], min_requests=11)
    assert carried(at, asked)["kind"] == "done"
    assert traffic(at) == NEW


def test_a_burst_of_probes_ends_with_its_time() -> None:
    at = quiet()
    step = DeployModel.model_validate(
        {"template": "small.yaml", "endpoint": "net", "rollout": plan("probe", probe={"rps": 10})}
    )
    assert step.rollout
    carried(at, plan("hold", on_failure="hold"))
    assert at.endpoint_state
    at.put_maps({"net-1": 90, "net-9": 10}, {}, None)
    at.advance(60.0)
    phase = Phase("10 %", RolloutVerb.SHIFT_TRAFFIC, percent=10, traffic={"net-1": 90, "net-9": 10})
    progress = Progress(plan=(phase,), phase=0, elapsed=300.0, since=300.0)
    target = RolloutTarget.of(context("net", "9"), at, TargetNames(endpoint="net"))  # type: ignore[arg-type]
    ticks = iter(range(0, 10_000, 10))
    prober = Prober(at, "r", lambda value: value, clock=lambda: float(next(ticks)))  # type: ignore[arg-type]
    observe(target, progress, step.rollout, prober)
    assert len(at.probed) == 5, "ten seconds each, of a minute; 3000 were wanted"


def warming(at: World, until: float, error: Callable[[], Exception]) -> Callable[..., ScoringAnswer]:
    score = at.score

    def asked(place: ScoringTarget, request: Any) -> ScoringAnswer:
        if at.now < until:
            raise error()
        return score(place, request)

    return asked


def test_a_model_that_warms_up_for_minutes_passes_its_smoke_test(monkeypatch: pytest.MonkeyPatch) -> None:
    at = serving(OLD)
    ready = at.now + 480.0 + 540.0
    monkeypatch.setattr(at, "score", warming(at, ready, lambda: TransientError("500", busy=True)))
    assert carried(at, plan("hold"))["kind"] == "done"


def test_a_model_that_never_gets_ready_fails_within_the_smoke_tests_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = serving(OLD)
    monkeypatch.setattr(at, "score", warming(at, 1e9, lambda: TransientError("it answered 500", busy=True)))
    answer = carried(at, plan("hold", smoke_test={**SMOKE, "timeout": "2m"}))
    assert (answer["kind"], traffic(at)) == ("failed", OLD)
    assert answer["report"]["phases"][2]["seconds"] == 120.0
    assert answer["detail"].startswith("gave up after 2 min: it answered 500")
