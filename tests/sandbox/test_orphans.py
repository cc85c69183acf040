"""What an instance leaves behind that is terminated or fails: its children, and the locks that it held."""

import json
import time
import uuid
from collections.abc import Iterator

import pytest
import requests

from tests.sandbox.small_sandbox import FINISHED, Small, small, until

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")


@pytest.fixture(scope="module")
def host() -> Iterator[Small]:
    with small() as running:
        yield running


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def inside(host: Small, key: str, **given: bool) -> str:
    id = host.begin("critical", {"key": key, **given})
    until(lambda: host.state(id), lambda found: found["custom"] == '{"waiting": "approval"}')
    return id


def terminate(host: Small, id: str) -> None:
    requests.delete(f"{host.url}/api/state/{id}", timeout=5).raise_for_status()
    assert host.ended(id)["status"] == "TERMINATED"


def approve(host: Small, id: str) -> None:
    requests.post(f"{host.url}/api/state/{id}", json="yes", timeout=5).raise_for_status()


def clean(host: Small) -> int:
    return requests.post(f"{host.url}/api/clean", timeout=5).json()


def waits(host: Small, id: str) -> bool:
    time.sleep(0.5)
    return host.state(id)["status"] not in FINISHED


def test_a_terminated_orchestration_leaves_its_children_running(host: Small, key: str):
    parent = host.begin("family", key)
    until(lambda: host.state(key), lambda found: found.get("custom") is not None)
    terminate(host, parent)
    assert waits(host, key)
    approve(host, key)
    assert host.ended(key)["output"] == '"yes"'
    assert host.state(parent)["status"] == "TERMINATED"


@pytest.mark.parametrize("way", ["terminated", "failed"])
def test_an_instance_that_ends_inside_its_critical_section_leaves_the_lock_behind(
    host: Small, key: str, way: str
):
    holder = inside(host, key, fails=way == "failed")
    if way == "terminated":
        terminate(host, holder)
    else:
        approve(host, holder)
        assert host.ended(holder)["status"] == "FAILED"
    operation, locking = host.begin("adding_to", key), host.begin("critical", {"key": key})
    assert waits(host, operation)
    assert host.state(locking)["custom"] is None
    assert clean(host) == 1
    until(lambda: host.state(locking), lambda found: found["custom"] is not None)
    approve(host, locking)
    assert json.loads(host.ended(locking)["output"]) == "left"
    assert json.loads(host.ended(operation)["output"]) == 1


def test_a_live_instance_keeps_its_lock_when_the_storage_is_cleaned(host: Small, key: str):
    holder = inside(host, key)
    operation = host.begin("adding_to", key)
    assert clean(host) == 0
    assert waits(host, operation)
    approve(host, holder)
    assert host.ended(holder)["output"] == '"left"'
    assert host.ended(operation)["output"] == "1"
