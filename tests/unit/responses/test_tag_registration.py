"""The event of a registration is remembered where a rule asks for changed tags, and nowhere else."""

import asyncio
import json
from typing import Any, cast

import pytest

from mlevents.responses.model_tags import read_records
from mlevents.responses.tag_registration import record_registration
from mlevents.settings import Settings
from tests.unit.events.event_samples import wire
from tests.unit.responses.tag_world import BEGAN, TagWorld
from tests.unit.rules.test_tag_scope import PROD, STEP, load

TAGGED = f"event: model.tagged, where: {{model: {{name: {{prefix: a}}}}}}, {STEP}"
MODEL = {"modelName": "a", "modelVersion": "7", "modelTags": {"stage": "dev", "mlevents.depth": "1"}}


def record(event: Any, rule: str = TAGGED, **settings: Any) -> TagWorld:
    world = TagWorld()
    raw = event if isinstance(event, str) else json.dumps(event)
    asyncio.run(record_registration(raw, load(rule), Settings(**settings), cast(Any, world), BEGAN))
    return world


@pytest.mark.parametrize(
    ("published", "time"),
    [("2025-12-31T03:04:05Z", "2025-12-31T03:04:05"), ("2026-01-01T00:00:09Z", "2026-01-01T00:00:00")],
)
def test_the_tags_of_a_registration_are_remembered_with_a_time_that_has_come(published: str, time: str):
    world = record(wire("ModelRegistered", MODEL, topic=PROD, eventTime=published))
    [entity] = world.entities.values()
    [(version, found)] = read_records(entity.text).items()
    assert (version, found.state.tags) == ("7", {"stage": "dev"})
    assert found.time == f"{time}.000000+00:00"


@pytest.mark.parametrize(
    ("event", "rule", "settings"),
    [
        (wire("ModelRegistered", MODEL, topic=PROD), f"event: model.registered, {STEP}", {}),
        (wire("ModelRegistered", MODEL, topic=PROD), TAGGED, {"mode": "disabled"}),
        (wire("ModelRegistered", {**MODEL, "modelName": "b"}, topic=PROD), TAGGED, {}),
        (wire("ModelRegistered", MODEL, topic=f"{PROD}-of-others"), TAGGED, {}),
        (wire("ModelRegistered", {**MODEL, "modelVersion": ""}, topic=PROD, subject=""), TAGGED, {}),
        (wire("RunCompleted", {"runId": "r"}, topic=PROD), TAGGED, {}),
        ("no json", TAGGED, {}),
    ],
)
def test_any_other_event_costs_nothing(event: Any, rule: str, settings: dict[str, Any]):
    assert record(event, rule, **settings).sent == []
