"""Versions of orchestrations across releases, as they were measured in the real extension."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.durable.versioning import compare_versions, matches_version
from sandbox.worker.host_settings import HostSettings
from tests.sandbox.small_sandbox import APPS, FINISHED, Small, small, until

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")
type Release = Callable[..., Path]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    def write(**durable: Any) -> Path:
        folder = tmp_path / f"release-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(APPS / "small", folder)
        (folder / "host.json").write_text(json.dumps({"extensions": {"durableTask": durable}}))
        return folder

    return write


@pytest.fixture
def first(release: Release) -> Iterator[Small]:
    with small(app=release(defaultVersion="1"), speed=36000) as running:
        yield running


def test_an_app_setting_overrides_the_file_as_in_the_real_host(release: Release):
    folder = release(defaultVersion="1", storageProvider={"controlQueueVisibilityTimeout": "00:01:00"})
    durable = "AzureFunctionsJobHost__extensions__durableTask"
    settings = {
        f"{durable}__DEFAULTVERSION": "2",
        f"{durable}__storageProvider__controlQueueVisibilityTimeout": "00:03:00",
    }
    assert HostSettings.read(folder, {}) == HostSettings(
        default_version="1", control_visibility=timedelta(minutes=1)
    )
    assert HostSettings.read(folder, settings) == HostSettings(
        default_version="2", control_visibility=timedelta(minutes=3)
    )


def waiting(host: Small) -> str:
    id = host.begin("versioned")
    until(lambda: host.state(id), lambda found: found["custom"] is not None)
    return id


def approve(host: Small, id: str) -> None:
    requests.post(f"{host.url}/api/state/{id}", json="yes", timeout=5).raise_for_status()


def test_an_older_instance_goes_on_with_the_newer_code_and_keeps_its_version(first: Small, release: Release):
    id = waiting(first)
    first.restart(checkout=str(release(defaultVersion="2", versionMatchStrategy="CurrentOrOlder")))
    approve(first, id)
    assert json.loads(first.ended(id)["output"]) == ["1", None, "1"]
    new = waiting(first)
    approve(first, new)
    assert json.loads(first.ended(new)["output"]) == ["2", None, "2"]


def test_strict_and_fail_ends_the_older_instance_and_children_without_a_version(
    first: Small, release: Release
):
    id = waiting(first)
    strict = {"versionMatchStrategy": "Strict", "versionFailureStrategy": "Fail"}
    first.restart(checkout=str(release(defaultVersion="2", **strict)))
    approve(first, id)
    found = first.ended(id)
    assert (found["status"], found["kind"]) == ("FAILED", "VersionMismatch")
    new = waiting(first)
    approve(first, new)
    assert "did not comply" in first.ended(new)["failure"]


def frozen(host: Small, id: str) -> bool:
    approve(host, id)
    time.sleep(1)
    return host.state(id)["status"] not in FINISHED


def test_strict_and_reject_freezes_the_older_instance_until_its_version_returns(
    first: Small, release: Release
):
    id = waiting(first)
    old = release(defaultVersion="1")
    first.restart(checkout=str(release(defaultVersion="2", versionMatchStrategy="Strict")))
    assert frozen(first, id)
    first.restart(checkout=str(old))
    assert json.loads(first.ended(id)["output"]) == ["1", None, "1"]


def test_taking_the_setting_away_freezes_what_has_a_version(first: Small, release: Release):
    id = waiting(first)
    first.restart(checkout=str(release()))
    assert frozen(first, id)
    new = waiting(first)
    approve(first, new)
    assert json.loads(first.ended(new)["output"]) == [None, None, None]


def test_a_mismatch_is_nothing_to_who_matches_nothing(first: Small, release: Release):
    id = waiting(first)
    first.restart(checkout=str(release(versionMatchStrategy="None")))
    approve(first, id)
    assert json.loads(first.ended(id)["output"]) == ["1", None, "1"]


@pytest.mark.parametrize(
    ("older", "newer"),
    [("", "1"), ("1", "2"), ("1.0", "1.1"), ("1.9", "1.10"), ("1.0", "1.0.0"), ("10", "9"), ("a", "B")],
)
def test_versions_compare_as_in_dotnet(older: str, newer: str):
    assert compare_versions(older, newer) < 0 < compare_versions(newer, older)
    assert matches_version(older, HostSettings(default_version=newer))
    assert not matches_version(newer, HostSettings(default_version=older or None))


@given(st.text("0123456789.aB ", max_size=5), st.text("0123456789.aB ", max_size=5))
def test_comparing_the_other_way_round_gives_the_opposite(one: str, other: str):
    assert compare_versions(one, other) == -compare_versions(other, one)
    assert compare_versions(one, one) == 0
