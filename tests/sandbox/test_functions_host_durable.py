"""Durable work on the sandbox: the engine behaves as the Functions extension does."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.sandbox.small_sandbox import APPS, Small, small, until

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")


@pytest.fixture(scope="module")
def host() -> Iterator[Small]:
    with small() as running:
        yield running


@pytest.fixture(autouse=True)
def calm(host: Small) -> None:
    host.app.forget()
    host.sandbox.host.failure_injection.twice = False
    host.sandbox.host.failure_injection.lost_results = Counter()


def test_activities_fan_out_and_in(host: Small):
    assert host.outcome("fan", 5) == ["noted 5", "noted 0", "noted 1", "noted 2"]
    assert host.calls("note") == 4


def test_an_activity_begins_at_once(host: Small):
    host.outcome("fan", 0)
    host.app.forget()
    start = time.monotonic()
    host.outcome("fan", 0)
    assert host.app.calls[0][1] - start < 1


def test_timers_are_divided_but_the_orchestrators_clock_keeps_azures_time(host: Small):
    start = time.monotonic()
    assert host.outcome("hourly") == pytest.approx(7200, abs=10)
    assert 1.5 < time.monotonic() - start < 10


def test_a_parent_gets_result_and_failure_of_its_children(host: Small):
    hours, failure = host.outcome("parent")
    assert hours == pytest.approx(7200, abs=10)
    assert "no_such_activity" in failure


@pytest.mark.parametrize(
    ("text", "message"), [("no", "no"), ("first\nsecond", "first"), ("", "PermissionError")]
)
def test_a_failure_is_told_by_type_and_first_line(host: Small, text: str, message: str):
    assert host.outcome("failing", text) == ["PermissionError", message]


@pytest.mark.parametrize(("orchestrator", "missing"), [("broken", "no_such_activity"), ("nobody", "nobody")])
def test_a_missing_function_fails_the_orchestration_by_name(host: Small, orchestrator: str, missing: str):
    found = host.ended(host.begin(orchestrator))
    assert found["status"] == "FAILED"
    assert missing in found["failure"]


def test_a_failed_entity_operation_reaches_its_caller(host: Small):
    assert "no operation 'no_such_operation'" in host.outcome("refused")


@pytest.mark.parametrize("orchestrator", ["adding", "careful"])
def test_a_failed_dispatch_of_an_entity_ends_its_caller_which_cannot_catch_it(host: Small, orchestrator: str):
    before = host.outcome("adding", 0)
    requests.post(host.ready["faults"], json={"match": "ENTITY counter"}, timeout=5).raise_for_status()
    found = host.ended(host.begin(orchestrator, 5))
    assert (found["status"], found["kind"]) == ("FAILED", "json.decoder.JSONDecodeError")
    assert host.outcome("adding", 0) == before


def test_an_entity_that_is_not_there_fails_its_caller_in_the_same_way(host: Small):
    found = host.ended(host.begin("missing_entity"))
    assert (found["status"], found["kind"]) == ("FAILED", "json.decoder.JSONDecodeError")


def test_a_locked_entity_hears_its_holder_alone(host: Small):
    before = host.outcome("adding", 0)
    ids = [host.begin("locked") for _ in range(3)]
    ids.append(host.begin("adding", 100))
    for id in ids:
        assert host.ended(id)["status"] == "COMPLETED"
    seen = {json.loads(host.ended(id)["output"]) - before for id in ids[:3]}
    assert host.outcome("adding", 0) - before == 103
    assert len(seen) == 3


def test_a_replay_reads_the_clock_that_was_read_first(host: Small):
    before, seen = host.outcome("locking_later")
    assert (len(before), type(seen)) == (36, int)


def test_a_live_id_is_refused_and_a_finished_one_starts_again(host: Small):
    id = host.begin("waiting")
    until(lambda: host.state(id), lambda found: found["custom"] == '{"waiting": "approval"}')
    event = {"id": id, "subject": "start", "data": {"orchestrator": "waiting"}}
    again = host.post("Raw", [event])
    assert again.status_code == 500
    assert requests.post(f"{host.url}/api/state/{id}", json="yes", timeout=5).status_code == 200
    assert host.ended(id)["output"] == '"yes"'
    assert host.post("Raw", [event]).status_code == 202
    assert host.state(id)["status"] in ("PENDING", "RUNNING")


def test_waking_a_finished_instance_is_refused(host: Small):
    id = host.begin("fan")
    host.ended(id)
    assert requests.post(f"{host.url}/api/state/{id}", json="yes", timeout=5).status_code == 500


def test_every_activity_can_be_executed_twice(host: Small):
    host.sandbox.host.failure_injection.twice = True
    assert host.outcome("fan", 5) == ["noted 5", "noted 0", "noted 1", "noted 2"]
    assert host.calls("note") == 8


@pytest.mark.parametrize(("window", "executions"), [(0, 2), (30, 1)])
def test_operations_on_entities_repeat_only_where_host_json_lets_them(
    tmp_path: Path, window: int, executions: int
):
    shutil.copytree(APPS / "small", tmp_path / "app")
    durable = {"entityMessageReorderWindowInMinutes": window}
    (tmp_path / "app" / "host.json").write_text(json.dumps({"extensions": {"durableTask": durable}}))
    with small(app=tmp_path / "app", twice=True) as running:
        assert running.outcome("adding", 1) == 1  # the caller hears of the first execution
        assert running.outcome("adding", 0) == executions


def test_an_activity_whose_result_is_lost_runs_again(host: Small):
    host.sandbox.host.failure_injection.lost_results["note"] = 2
    assert host.outcome("fan", 5) == ["noted 5", "noted 0", "noted 1", "noted 2"]
    assert host.calls("note") == 6


def test_an_input_of_several_megabytes_is_carried(host: Small):
    text = "x" * 5_000_000
    assert host.outcome("fan", text)[0] == f"noted {text}"


def test_the_hub_listens_on_loopback_alone(host: Small):
    assert json.loads(host.sandbox.host.worker.durable_client)["rpcBaseUrl"].startswith("http://127.0.0.1:")
