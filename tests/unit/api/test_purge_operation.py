"""Purging by an operator: what it refuses, and what it answers."""

import logging
from pathlib import Path
from typing import Any, cast

import pytest

from mlevents.api.operation import ApiAnswer, AppState, operations
from mlevents.api.purge_operation import find_shortest_retention
from mlevents.api.request_reading import HttpRequest, perform_operation
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.settings import Settings
from tests.unit.handlers.task_hub import NOW, Hub, on_hub, response

RULES = """
version: 1
defaults: {retention: 40d}
rules:
  - id: quick
    event: model.registered
    max_age: 2d
    do: [{uses: notify, with: {to: people, template: drift-detected}}]
connections: {people: {type: apprise, url: {setting: CHAT}}}
"""
LONG_AGO = 60 * 24 * 31


def load(text: str) -> Rules:
    return load_rules_text(text, Path("rules.yaml"), Settings(environment={"CHAT": "json://localhost"}))


async def purge(hub: Hub, body: bytes = b"{}") -> ApiAnswer:
    rules = load(RULES)
    app = AppState(cast(Any, hub.client), NOW, lambda: rules, cast(Any, None), list)
    return await perform_operation(operations.find("PurgeEnded"), HttpRequest(body=body), app)


async def fill(hub: Hub) -> None:
    for name, status, age in (("quick.old", "COMPLETED", LONG_AGO), ("quick.runs", "RUNNING", LONG_AGO)):
        await hub.start(response(id=name))
        hub.set(name, status)
        hub.age(name, age)


def test_what_ended_before_the_time_is_purged_once(caplog):
    async def test(hub: Hub) -> None:
        await fill(hub)
        with caplog.at_level(logging.INFO, "mlevents"):
            first = await purge(hub, b'{"older_than": "30d", "reason": "space"}')
        assert first.document == {"older_than": 2592000.0, "purged": {"response": 1}, "complete": False}
        assert "by function key: space" in caplog.text
        second = await purge(hub, b'{"older_than": "30d"}')
        assert second.document == {"older_than": 2592000.0, "purged": {}, "complete": True}
        assert set(hub.hub._instances) == {"quick.runs"}

    on_hub(test)


def test_without_a_time_the_retention_of_the_rules_decides():
    async def test(hub: Hub) -> None:
        await fill(hub)
        assert (await purge(hub)).document == {"older_than": 3456000.0, "purged": {}, "complete": True}

    on_hub(test)


@pytest.mark.parametrize(
    ("text", "status"), [("72h", 409), ("73h", 200), ("1s", 409), ("soon", 400), ("-1d", 400)]
)
def test_what_may_be_delivered_again_is_kept(text, status):
    async def test(hub: Hub) -> None:
        await fill(hub)
        answer = await purge(hub, f'{{"older_than": "{text}"}}'.encode())
        assert answer.status == status, answer.document
        assert ("quick.old" in hub.hub._instances) == (status != 200)

    on_hub(test)


def test_an_event_is_delivered_for_a_day_at_least():
    assert find_shortest_retention(load(RULES)) == 3 * 86_400
    without = RULES.replace("    max_age: 2d\n", "")
    assert find_shortest_retention(load(without)) == 86_400
