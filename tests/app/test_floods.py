"""Floods of events that lead to no rule, in the running app: few messages and texts, and all are counted."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import Stage, until

RULES = """
version: 1
defaults:
  on_failure: [{uses: notify, with: {to: team, template: quarantined}}]
workspaces:
  prod: /subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod
connections:
  team: {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none, sender: a@b.example, to: [t@b.example]}
rules:
  - id: tell
    event: model.registered
    do: [{uses: notify, with: {to: team, subject: "${model.name}", text: t}}]
"""  # noqa: E501
RUBBISH = 1500
MORE = re.compile(r"([\d,]+) more events? could not")


@pytest.fixture
def stage(start: Callable[..., Stage]) -> Stage:
    return start(RULES, speed=300)


def listed(stage: Stage, **query: str) -> list[Json]:
    address = f"{stage.ready['functions']}/api/v1/responses"
    found: list[Json] = requests.get(address, params={"limit": "500", **query}, timeout=60).json()[
        "responses"
    ]
    return found


def problems(stage: Stage) -> list[str]:
    """The problem that each mail tells."""
    return [text.split("Problem:")[1].split("Topic:")[0] for text in texts(stage) if "Problem:" in text]


def texts(stage: Stage) -> list[str]:
    return [" ".join(message["text"].split()) for message in stage.inbox() if message["via"] == "smtp"]


def told(stage: Stage) -> int:
    """How many events the mails speak of."""
    counts = [MORE.search(problem) for problem in problems(stage)]
    return sum(int(found[1].replace(",", "")) if found else 1 for found in counts)


def test_a_flood_of_rubbish_is_a_message_a_window_and_a_bounded_number_of_texts(stage: Stage):
    began = time.monotonic()
    events: list[Any] = [{"id": f"r-{number}", "eventType": 7} for number in range(RUBBISH)]
    for at in range(0, RUBBISH, 250):
        assert stage.deliver("ModelRegistered", *events[at : at + 250]).status_code == 202
    until(lambda: told(stage) >= RUBBISH, 60, lambda: f"told of {told(stage)}: {problems(stage)}")
    windows = (time.monotonic() - began) / 12  # an hour takes twelve seconds here
    assert told(stage) == RUBBISH
    assert len(problems(stage)) <= 2 + windows
    stored = listed(stage, status="quarantined")
    assert 0 < len(stored) <= 100
    alone = requests.get(f"{stage.ready['functions']}/api/v1/responses/{stored[0]['id']}", timeout=30).json()
    assert json.loads(alone["raw"])["eventType"] == 7
    assert {one["event"]["id"] for one in stored} <= {event["id"] for event in events}


def test_a_flood_of_foreign_events_is_one_response_with_their_count(stage: Stage):
    topic = stage.workspace.replace("ml-prod", "ml-elsewhere")
    events = [stage.model_registered("a", str(number), {}, topic=topic) for number in range(300)]
    assert stage.deliver("ModelRegistered", events[0]).status_code == 202
    [first] = stage.settled(event_id=events[0]["id"])
    assert (first["status"], first["rule"], first["steps"]) == ("refused", None, [])
    assert stage.deliver("ModelRegistered", *events).status_code == 202
    until(lambda: sum(one["count"] for one in listed(stage)) >= 300, 30, lambda: f"{listed(stage)}")
    found = listed(stage, status="refused")
    assert len(found) <= 2  # two, where an hour ended meanwhile
    assert sum(one["count"] for one in found) == 300
    assert stage.inbox() == []


def test_in_a_flood_the_events_of_a_rule_get_through(stage: Stage):
    rubbish: list[Any] = [{"id": f"r-{number}", "eventType": 7} for number in range(200)]
    good = stage.model_registered("churn", "1", {})
    assert stage.deliver("ModelRegistered", *rubbish, good).status_code == 202
    [one] = stage.settled(event_id=good["id"])
    assert one["status"] == "done"
