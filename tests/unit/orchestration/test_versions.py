"""What host.json says to the Durable extension."""

import json
from types import SimpleNamespace
from typing import cast

import pytest
from durabletask.task import OrchestrationContext

from mlevents.orchestration.versions import CURRENT, since
from sandbox.sandbox_process import ROOT

DURABLE = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]


def test_new_instances_have_the_current_version_and_older_ones_go_on() -> None:
    assert DURABLE["defaultVersion"] == CURRENT
    assert DURABLE["versionMatchStrategy"] == "CurrentOrOlder"
    assert "versionFailureStrategy" not in DURABLE, "nothing is ever rejected: instances would freeze"


def test_entity_messages_are_not_sorted_and_a_dead_host_holds_messages_for_a_minute() -> None:
    assert DURABLE["entityMessageReorderWindowInMinutes"] == 0
    assert DURABLE["storageProvider"] == {
        "controlQueueVisibilityTimeout": "00:01:00",
        "workItemQueueVisibilityTimeout": "00:01:00",
    }


@pytest.mark.parametrize(
    ("mine", "asked", "found"), [("1", "1", True), ("1", "2", False), ("10", "9", True), (None, "1", False)]
)
def test_versions_compare_as_numbers(mine: str | None, asked: str, found: bool) -> None:
    assert since(cast(OrchestrationContext, SimpleNamespace(version=mine)), asked) is found
