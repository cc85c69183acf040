"""Rollouts of the whole app on the sandbox: the endpoint answers throughout, whatever happens.

The exhaustive search is in tests/unit/actions/deploy_model/test_rollout_exhaustive.py; here are samples
of it with every part real: Durable Functions, azure-ai-ml over TLS.
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox.demo.callers import Callers
from sandbox.sandbox_process import ROOT, UNDER_WAY, Stage, stage, until

EXPIRED = {"error": {"code": "ExpiredAuthenticationToken", "message": "the token expired"}}
FAULTS: tuple[dict[str, Any], ...] = (
    {"match": "PUT .*/fault-net$", "status": 429, "times": 2, "headers": {"Retry-After": "1"}},
    {"match": "GET .*/fault-net/deployments/.*", "status": 401, "body": EXPIRED},
    {"match": "GET .*/fault-net$", "drop": True, "times": 2},
    {"match": "PUT .*/fault-net/deployments/.*", "status": 409, "times": 2},
    {"match": "GET .*/fault-net/providers/Microsoft.Insights/metrics", "status": 503, "times": 5},
    {
        "match": "PUT .*/quota-net/deployments/.*",
        "fail_operation": {"code": "OutOfQuota", "message": "no cores"},
    },
)
RATE = 30.0
THEIRS = {"their-net-1": 55, "their-net-2": 45}
USED = ("good-net", "bad-net", "fault-net", "their-net", "gone-net", "queue-net")
UNUSED = ("quiet-net", "smoke-net", "quota-net", "order-net")
SECOND: dict[str, dict[str, str]] = {
    "good-net": {},
    "bad-net": {"sandbox.error_rate": "0.6"},
    "fault-net": {},
    "quiet-net": {},
    "smoke-net": {"sandbox.error_rate": "1"},
    "quota-net": {},
}
"""The tags of each second version that is registered before the tests look."""
API = "?api-version=2024-10-01"
PATIENCE = 40
RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
endpoints: "*"
defaults:
  on_failure: [{uses: notify, with: {to: people, template: rollback-done}}]
rules:
  - id: deploy
    event: model.registered
    where: {model: {tags: {plain: {absent: true}, better: {absent: true}}}}
    order: {key: "${model.name}", by: "${model.version}"}
    do: &steps
      - id: deploy
        uses: deploy_model
        with:
          template: deployments/small.yaml
          rollout:
            smoke_test: {request: {input_data: [[1, 2]]}, json: {"predictions[0]": {between: [0, 1]}}}
            mirror: {percent: 40, for: 2m}
            steps: [{percent: 40, for: 3m}, {percent: 70, for: 2m}]
            checks: [{metric: error_rate, max: 0.2, window: 3m}, {metric: latency_p95, max: 200ms}]
            min_requests: 5
  - id: plain
    event: model.registered
    where: {model: {tags: {plain: {present: true}}}}
    do: [{uses: deploy_model, with: {template: deployments/small.yaml}}]
  - id: better
    event: model.registered
    where: {model: {tags: {better: {present: true}}}}
    require: {metric_tag: accuracy, at_least: champion}
    do: *steps
"""


@pytest.fixture(scope="module")
def stage_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A sandbox in which every activity is executed twice."""
    folder = tmp_path_factory.mktemp("rollouts")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    with stage(folder / "rules.yaml", 240, "--twice") as running:
        yield running


@pytest.fixture(scope="module")
def callers(stage_: Stage) -> Iterator[dict[str, Callers]]:
    """Those who use the endpoints; every endpoint serves version 1, and rollouts are under way."""
    for name in (*USED, *UNUSED):
        stage_.register(name, "1", {"plain": "yes"})
    stage_.register("champion", "1", {"plain": "yes", "accuracy": "0.9"})
    for name in (*USED, *UNUSED, "champion"):
        assert ended(stage_, name, "1")["status"] == "done"
    for fault in FAULTS:
        stage_.fault(**fault)
    with ExitStack() as stack:
        found = {name: stack.enter_context(Callers(stage_, name, RATE)) for name in USED}
        for name, tags in SECOND.items():
            stage_.register(name, "2", tags)
        pool = stack.enter_context(ThreadPoolExecutor())
        for meddling in [pool.submit(meddle, stage_) for meddle in (take_over, delete, register_more)]:
            meddling.result()
        yield found


@pytest.fixture
def on(stage_: Stage, callers: dict[str, Callers]) -> Stage:
    """The stage with everything on it."""
    return stage_


def ended(on: Stage, name: str, version: str) -> dict[str, Any]:
    """The one response to this version's registration, once it has ended."""

    def found() -> list[dict[str, Any]]:
        those = on.responses(f"models/{name}:{version}")
        return [] if any(one["status"] in UNDER_WAY for one in those) else those

    [one] = until(found, PATIENCE, lambda: f"still: {on.responses(f'models/{name}:{version}')}")
    return one


def traffic(on: Stage, name: str) -> dict[str, int]:
    found = on.arm(f"{on.workspace}/onlineEndpoints/{name}{API}")["properties"]["traffic"]
    return {deployment: share for deployment, share in found.items() if share}


def must_have_held(on: Stage, name: str, *ends: dict[str, int]) -> None:
    """The invariant, at every moment that the sandbox has seen; in the end one of these maps."""
    answering = False
    for seen in on.traffic_seen(name):
        for maps in (seen["traffic"], seen["live"], seen["mirror"]):
            broken = [
                one for one, share in maps.items() if share and seen["deployments"].get(one) != "Succeeded"
            ]
            assert not broken, seen
        assert sum(seen["traffic"].values()) in (0, 100), seen
        answering = answering or sum(seen["live"].values()) == 100
        assert not answering or sum(seen["live"].values()) == 100, seen
    assert traffic(on, name) in ends


def phases(one: dict[str, Any]) -> list[str]:
    return [phase["phase"] for phase in one["steps"][0]["phases"]]


def canary(on: Stage, name: str) -> None:
    """Register version 2 and wait until it has its first share of live traffic."""
    on.register(name, "2", {})
    until(
        lambda: traffic(on, name).get(f"{name}-2") == 40, PATIENCE, lambda: f"no canary: {traffic(on, name)}"
    )
    until(lambda: settled(on, name), PATIENCE, lambda: "the endpoint stays busy")


def take_over(on: Stage) -> None:
    """Somebody moves the traffic of an endpoint during our rollout."""
    canary(on, "their-net")
    endpoint = on.arm(f"{on.workspace}/onlineEndpoints/their-net{API}")
    endpoint["properties"]["traffic"] = THEIRS
    body = {name: endpoint[name] for name in ("location", "identity", "tags", "properties")}
    on.arm(f"{on.workspace}/onlineEndpoints/their-net{API}", "PUT", body)


def delete(on: Stage) -> None:
    """Somebody deletes an endpoint during our rollout."""
    canary(on, "gone-net")
    on.arm(f"{on.workspace}/onlineEndpoints/gone-net{API}", "DELETE")


def register_more(on: Stage) -> None:
    """Three more versions come while one is rolled out."""
    on.register("queue-net", "2", {})
    until(lambda: "queue-net-2" in str(on.traffic_seen("queue-net")[-1]), PATIENCE, lambda: "not begun")
    for version in ("3", "5", "4"):
        on.register("queue-net", version, {})


def test_somebody_who_moves_the_traffic_keeps_their_map(on: Stage) -> None:
    one = ended(on, "their-net", "2")
    assert one["status"] == "stopped", one
    assert "someone else moved the traffic" in one["because"]
    must_have_held(on, "their-net", THEIRS)


def test_an_endpoint_that_is_deleted_under_our_feet_ends_the_response(on: Stage) -> None:
    one = ended(on, "gone-net", "2")
    assert one["status"] == "failed"
    assert "gone-net' does not exist any more: someone deleted it" in one["because"]


def test_of_several_that_wait_only_the_newest_is_rolled_out(on: Stage) -> None:
    found = {version: ended(on, "queue-net", version) for version in "2345"}
    statuses = {version: one["status"] for version, one in found.items()}
    assert statuses == {"2": "done", "3": "stopped", "4": "stopped", "5": "done"}
    assert "is newer than 3" in found["3"]["because"]
    assert "is newer than 4" in found["4"]["because"]
    must_have_held(on, "queue-net", {"queue-net-5": 100})
    assert "queue-net-3" not in json.dumps(on.traffic_seen("queue-net"))


def test_a_good_version_gets_all_traffic_step_by_step(on: Stage, callers: dict[str, Callers]) -> None:
    one = ended(on, "good-net", "2")
    assert one["status"] == "done", one
    assert phases(one)[2:6] == ["smoke test", "mirror 40 %", "40 %", "70 %"]
    assert set(callers["good-net"].statuses) == {200}
    must_have_held(on, "good-net", {"good-net-2": 100})
    shares = [seen["live"].get("good-net-2", 0) for seen in on.traffic_seen("good-net")]
    assert sorted(set(shares)) == [0, 40, 70, 100]
    assert shares == sorted(shares)


def test_a_version_that_fails_its_users_is_taken_back_and_people_are_told(
    on: Stage, callers: dict[str, Callers]
) -> None:
    one = ended(on, "bad-net", "2")
    assert one["status"] == "failed", one
    assert "error rate" in one["because"]
    assert set(callers["bad-net"].statuses) == {200}, "a mirrored failure reaches nobody"
    must_have_held(on, "bad-net", {"bad-net-1": 100})
    assert "bad-net-2" not in on.traffic_seen("bad-net")[-1]["deployments"]
    assert any("POST /score 500" in line for line in one["steps"][0]["log"])
    told = {message["subject"] for message in on.inbox() if "bad-net:2" in message["subject"]}
    assert told == {"Endpoint bad-net serves as before: bad-net:2 was rolled back"}


def test_what_passes_changes_nothing(on: Stage, callers: dict[str, Callers]) -> None:
    one = ended(on, "fault-net", "2")
    assert one["status"] == "done", one
    assert set(callers["fault-net"].statuses) == {200}
    must_have_held(on, "fault-net", {"fault-net-2": 100})
    left = [fault for fault in on.faults() if fault["left"]]
    assert not left, "each fault struck"


def test_too_little_traffic_stops_and_restores(on: Stage) -> None:
    one = ended(on, "quiet-net", "2")
    assert one["status"] == "stopped", one
    assert "inconclusive at mirror 40 % after 4 min: 0 of 5 requests" in one["because"]
    must_have_held(on, "quiet-net", {"quiet-net-1": 100})


def test_a_smoke_test_that_fails_moves_no_traffic(on: Stage) -> None:
    one = ended(on, "smoke-net", "2")
    assert one["status"] == "failed"
    assert "smoke test of 'smoke-net-2': status 424, not 200" in one["because"]
    assert [seen["traffic"] for seen in on.traffic_seen("smoke-net")][-1] == {"smoke-net-1": 100}


def test_an_operation_that_fails_ends_the_rollout_and_says_who_may_read_why(on: Stage) -> None:
    one = ended(on, "quota-net", "2")
    assert one["status"] == "failed"
    assert "is Failed: the reason cannot be read (Azure answered 403 AuthorizationFailed)" in one["because"]
    must_have_held(on, "quota-net", {"quota-net-1": 100})


def test_an_older_version_never_replaces_a_newer_one(on: Stage) -> None:
    on.register("order-net", "0", {})
    one = ended(on, "order-net", "0")
    assert (one["status"], one["steps"][0]["status"]) == ("stopped", "skipped")
    assert one["because"] == "order: 'order-net-1' serves 1 of 'order-net', which is newer than 0"
    must_have_held(on, "order-net", {"order-net-1": 100})


def test_a_model_that_is_worse_than_the_champion_is_not_deployed(on: Stage) -> None:
    on.register("champion", "2", {"better": "yes", "accuracy": "0.8"})
    one = ended(on, "champion", "2")
    assert one["status"] == "stopped"
    assert one["because"] == "require: accuracy is 0.8, less than 0.9 of the champion champion:1"


def settled(on: Stage, name: str) -> bool:
    found = on.arm(f"{on.workspace}/onlineEndpoints/{name}{API}")
    return bool(found["properties"]["provisioningState"] == "Succeeded")
