"""The app killed and started again, while its task hub and everything else of the sandbox lives on."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.small_sandbox import APPS, Small, gone, small, until

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")
SPEED = 60
CONTROL, WORK = 60 / SPEED, 120 / SPEED
"""The visibility timeouts of the small app's host.json, in the sandbox's seconds."""
EVENT = {"id": "e-1", "subject": "s", "eventType": "t", "eventTime": "2026-01-01T00:00:00Z", "data": {}}


@pytest.fixture(scope="module")
def running() -> Iterator[Small]:
    with small(speed=SPEED) as found:
        yield found


@pytest.fixture
def host(running: Small) -> Iterator[Small]:
    if running.sandbox.host.state == "running":
        running.app.forget()
        running.app.gate("open")
    yield running
    if running.sandbox.host.state != "running":
        assert running.control("start", checkout=str(APPS / "small")).status_code == 200


def waits_at_the_gate(host: Small, orchestrator: str) -> str:
    host.app.gate("shut")
    id = host.begin(orchestrator)
    until(lambda: host.state(id)["status"], lambda status: status == "RUNNING")
    time.sleep(0.3)
    return id


def test_a_killed_app_answers_503_to_everything_and_its_process_is_gone(host: Small):
    pid = requests.get(host.ready["host"], timeout=5).json()["pid"]
    answer = host.control("kill")
    assert (answer.status_code, answer.json()["state"], answer.json()["pid"]) == (200, "stopped", None)
    assert gone(pid)
    for path in ("/", "/api/echo/fixed", "/runtime/webhooks/eventgrid?functionName=Raw"):
        found = requests.get(host.url + path, timeout=5)
        assert (found.status_code, found.text) == (503, "Function host is not running.")


def test_what_the_hub_knows_survives_a_kill(host: Small):
    done, waiting = host.begin("fan", 5), host.begin("waiting")
    host.ended(done)
    until(lambda: host.state(waiting), lambda found: found["custom"] is not None)
    host.restart()
    assert host.state(done)["status"] == "COMPLETED"
    requests.post(f"{host.url}/api/state/{waiting}", json="yes", timeout=5).raise_for_status()
    assert host.ended(waiting)["output"] == '"yes"'


def test_an_activity_under_way_runs_again_once_its_message_is_visible(host: Small):
    id = waits_at_the_gate(host, "blocking")
    killed = time.monotonic()
    host.restart()
    host.app.gate("open")
    assert host.ended(id)["output"] == '"unblocked"'
    assert WORK <= time.monotonic() - killed < WORK + 5


def test_a_turn_under_way_comes_again_once_its_messages_are_visible(host: Small):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda number: host.begin("fan", number), range(20)))
    killed = time.monotonic()
    host.restart()
    assert {host.ended(id)["status"] for id in ids} == {"COMPLETED"}
    assert time.monotonic() - killed >= min(CONTROL, WORK)


def test_a_timer_that_is_due_while_the_app_is_down_fires_afterwards(host: Small):
    id = host.begin("napping")
    until(lambda: host.state(id), lambda found: found.get("custom") == '"napping"')
    host.control("kill")
    time.sleep(120 / SPEED + 0.5)
    assert host.control("start").status_code == 200
    assert host.ended(id)["output"] == '"awake"'


def test_an_activity_that_is_done_runs_again_when_its_result_was_not_delivered(host: Small):
    assert host.control("kill", at="ACTIVITY note").status_code == 202
    id = host.begin("fan", 5)
    until(lambda: host.sandbox.host.state, lambda state: state == "stopped")
    assert host.control("start").status_code == 200
    assert json.loads(host.ended(id)["output"]) == ["noted 5", "noted 0", "noted 1", "noted 2"]
    assert host.calls("note") == 4  # all of them in the second process


def test_an_instance_killed_between_its_two_writes_has_an_output_and_no_custom_status(host: Small):
    id = host.begin("waiting")
    until(lambda: host.state(id), lambda found: found["custom"] is not None)
    assert host.control("kill", at="ORCHESTRATION waiting").status_code == 202
    with suppress(requests.ConnectionError):  # the kill may come before the answer
        requests.post(f"{host.url}/api/state/{id}", json="yes", timeout=5)
    until(lambda: host.sandbox.host.state, lambda state: state == "stopped")
    assert host.control("start").status_code == 200
    found = host.ended(id)
    assert (found["status"], found["output"], found["custom"]) == ("COMPLETED", '"yes"', None)


def test_a_host_that_lost_its_worker_starts_it_again_and_retries_the_activity(host: Small):
    id = waits_at_the_gate(host, "blocking")
    before = requests.get(host.ready["host"], timeout=5).json()["pid"]
    assert host.control("kill", worker=True).json()["state"] == "running"
    host.app.gate("open")
    assert host.ended(id)["output"] == '"unblocked"'
    assert requests.get(host.ready["host"], timeout=5).json()["pid"] not in (before, None)


def test_a_worker_lost_inside_an_entity_operation_fails_its_caller(host: Small):
    id = waits_at_the_gate(host, "stalling")
    host.control("kill", worker=True)
    found = host.ended(id)
    assert (found["status"], found["kind"]) == ("FAILED", "json.decoder.JSONDecodeError")


def test_a_delivery_under_way_fails_when_the_worker_is_lost(host: Small):
    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(host.post, "Raw", [{**EVENT, "subject": "stall"}])
        until(lambda: host.app.seen, bool)
        host.control("kill", worker=True)
        answer = delivery.result(10)
    assert (answer.status_code, answer.text) == (500, "Exception while executing function: Functions.Raw")


def test_a_delivery_under_way_gets_no_answer_when_the_host_dies(host: Small):
    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(host.post, "Raw", [{**EVENT, "subject": "stall"}])
        until(lambda: host.app.seen, bool)
        host.control("kill")
        with pytest.raises(requests.ConnectionError):
            delivery.result(10)


def test_another_checkout_goes_on_with_the_instances_of_the_first(host: Small, tmp_path: Path):
    other = tmp_path / "release"
    shutil.copytree(APPS / "small", other)
    script = other / "small_app.py"
    script.write_text(script.read_text().replace('"unblocked"', '"by the new release"'))
    id = waits_at_the_gate(host, "blocking")
    host.restart(checkout=str(other))
    assert requests.get(host.ready["host"], timeout=5).json()["checkout"] == str(other)
    host.app.gate("open")
    assert host.ended(id)["output"] == '"by the new release"'
    host.restart()
    assert requests.get(host.ready["host"], timeout=5).json()["checkout"] == str(other)


def test_an_older_checkout_of_the_product_starts_and_knows_the_speed(host: Small, tmp_path: Path):
    older = tmp_path / "older"
    shutil.copytree(APPS / "small", older)
    (older / "mlevents" / "services").mkdir(parents=True)
    for package in ("mlevents", "mlevents/services"):  # without the module `waiting`
        (older / package / "__init__.py").touch()
    host.restart(checkout=str(older))
    assert float(host.app.setting("MLEVENTS_SANDBOX_SPEED") or 0) == SPEED


def test_a_checkout_that_cannot_start_is_reported_and_answers_503(host: Small, tmp_path: Path):
    (tmp_path / "small_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp(7, 8, 9)\n"
    )
    assert host.control("kill").status_code == 200
    answer = host.control("start", checkout=str(tmp_path))
    assert (answer.status_code, answer.json()["state"]) == (500, "failed")
    assert "TypeError" in answer.json()["error"]
    assert requests.get(host.url, timeout=5).status_code == 503


def test_names_that_collide_in_another_checkout_keep_the_host_from_starting(host: Small, tmp_path: Path):
    shutil.copy(APPS / "colliding" / "colliding_app.py", tmp_path / "small_app.py")
    assert host.control("kill").status_code == 200
    answer = host.control("start", checkout=str(tmp_path))
    assert "multiple methods with the name 'Host.Functions.answer'" in answer.json()["error"]
    assert requests.get(host.url, timeout=5).text == "Function host is not running."


@pytest.mark.parametrize(
    ("verb", "body", "status", "says"),
    [
        ("start", {}, 409, "kill it first"),
        ("start", {"checkout": "/nowhere/at/all"}, 400, "'/nowhere/at/all', which is not a folder"),
        ("start", {"chekout": "/"}, 400, "unknown property 'chekout'"),
        ("kill", {"worker": "yes"}, 400, "'worker' is \"yes\""),
        ("kill", {"at": "("}, 400, "unterminated subpattern"),
        ("kill", [], 400, "must be an object"),
    ],
)
def test_what_the_control_refuses_says_why(host: Small, verb: str, body: Any, status: int, says: str):
    answer = requests.post(f"{host.ready['host']}/{verb}", json=body, timeout=5)
    assert (answer.status_code, says in answer.json()["error"]) == (status, True), answer.text
    assert host.sandbox.host.state == "running"


def test_a_dead_worker_cannot_be_killed(host: Small):
    host.control("kill")
    assert host.control("kill", worker=True).status_code == 409
    assert host.control("kill").status_code == 200


def test_a_worker_that_cannot_be_started_again_fails_the_host_until_it_is_started(
    host: Small, tmp_path: Path
):
    checkout = tmp_path / "app"
    shutil.copytree(APPS / "small", checkout)
    host.restart(checkout=str(checkout))
    script = checkout / "small_app.py"
    good = script.read_text()
    script.write_text("raise RuntimeError('broken')")
    host.control("kill", worker=True)
    found = until(
        lambda: requests.get(host.ready["host"], timeout=5).json(), lambda one: one["state"] == "failed"
    )
    assert "broken" in found["error"]
    assert requests.get(f"{host.url}/api/echo/fixed", timeout=5).status_code == 503
    script.write_text(good)
    assert host.control("start").status_code == 200
    assert len(host.outcome("fan", 5)) == 4
    assert host.calls("note") == 4  # nothing of the first host executes work as well


def test_a_delivery_that_waits_for_the_worker_is_answered_when_there_is_none_any_more(
    host: Small, tmp_path: Path
):
    checkout = tmp_path / "app"
    shutil.copytree(APPS / "small", checkout)
    host.restart(checkout=str(checkout))
    (checkout / "small_app.py").write_text("import time\ntime.sleep(1)\nraise RuntimeError('broken')")
    host.control("kill", worker=True)
    with pytest.raises(requests.ConnectionError):
        host.post("Raw", [EVENT])
