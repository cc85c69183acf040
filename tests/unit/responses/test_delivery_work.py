"""What a delivery does with every rule, counted: nothing, but for the first delivery of a process."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from mlevents.responses.arrival_records import record_arrivals
from mlevents.responses.decision import decide
from mlevents.responses.tag_registration import record_registration
from mlevents.rules.model import Rule, Rules
from mlevents.settings import Settings
from tests.unit.events.event_samples import wire
from tests.unit.responses.tag_world import BEGAN, TagWorld
from tests.unit.rules.test_tag_scope import PROD, STEP, load

EXPECTING = f"event: model.registered, expect: {{event: model.deployed, within: 1h}}, {STEP}"


class CountedRules(tuple[Rule, ...]):
    """Rules that count how often all of them are read."""

    reads = 0

    def __iter__(self) -> Iterator[Rule]:
        self.reads += 1
        return super().__iter__()


class CountedWorkspaces(dict[str, str]):
    """Workspaces that count how often all of them are read."""

    reads = 0

    def values(self) -> Any:
        self.reads += 1
        return super().values()


def deliver(rules: Rules, event: dict[str, Any]) -> None:
    raw, world = json.dumps(event), cast(Any, TagWorld())
    decide(raw, rules, Settings(), BEGAN)
    asyncio.run(record_arrivals(raw, rules, Settings(), world, BEGAN))
    asyncio.run(record_registration(raw, rules, Settings(), world, BEGAN))


def test_only_the_first_deliveries_read_every_rule(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "mlevents")
    loaded = load(f"event: model.tagged, {STEP}", EXPECTING)
    rules, workspaces = CountedRules(loaded.rules), CountedWorkspaces(loaded.workspaces)
    counted = replace(loaded, rules=rules, workspaces=workspaces)
    matching = wire("ModelRegistered", {"modelName": "a", "modelVersion": "7"}, topic=PROD)
    unmatched = wire("RunCompleted", {"runId": "r"}, topic=PROD)
    deliver(counted, matching)
    deliver(counted, unmatched)
    before = rules.reads, workspaces.reads
    assert min(before) > 0
    deliver(counted, matching)
    deliver(counted, unmatched)
    assert (rules.reads, workspaces.reads) == before
