"""A tag that changes leads to one response each time, also when the app is killed on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.sandbox_process import PATIENCE, Stage, stage, until

RULES = """
version: 1
workspaces:
  prod: /subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
rules:
  - id: promote
    event: model.tagged
    where:
      model:
        name: {prefix: fraud-}
        tags: {stage: prod}
        before: {tags: {stage: {not-in: prod}}}
    do:
      - uses: notify
        with: {to: people, subject: "${model.name}", text: "was ${model.before.tags.stage | default('-')}"}
"""  # noqa: E501
NET = "models/fraud-net:1"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    rules: Path = tmp_path_factory.mktemp("tagged") / "rules.yaml"
    rules.write_text(RULES)
    with stage(rules, 1200) as running:
        yield running


def tag(app: Stage, value: str) -> None:
    app.register("fraud-net", "1", {"stage": value})


def count_looks(app: Stage) -> int:
    """How often the timer has read the versions; with its own identity."""
    return sum(one["path"].endswith("/models/fraud-net/versions") for one in app.requests_seen("GET"))


def await_looks(app: Stage, count: int = 2) -> None:
    """Wait until so many looks have begun and ended after now."""
    begun = count_looks(app)
    until(
        lambda: count_looks(app) > begun + count,
        PATIENCE,
        lambda: f"{count_looks(app)} looks, {begun} before",
    )


def await_responses(app: Stage, count: int) -> list[str]:
    """The statuses of the responses, once there are so many and two more looks have found no other."""
    until(lambda: len(app.responses(NET)) >= count, PATIENCE, lambda: f"{app.responses(NET)}")
    await_looks(app)
    return [one["status"] for one in app.settled(NET)]


def test_each_change_of_a_tag_leads_to_one_response(app: Stage):
    tag(app, "dev")
    app.register("other", "1", {"stage": "dev"})
    await_looks(app)
    app.register("other", "1", {"stage": "prod"})
    tag(app, "prod")
    assert await_responses(app, 1) == ["done"]
    assert "was dev" in str(app.inbox())
    tag(app, "dev")
    await_looks(app)
    tag(app, "prod")
    assert await_responses(app, 2) == ["done", "done"]
    assert not any("/models/other" in one["path"] for one in app.requests_seen("GET"))


def test_the_sandbox_brings_an_event_to_the_app_as_its_timer_does(app: Stage):
    members = {"modelName": "fraud-x", "modelVersion": "3", "modelTags": {"stage": "prod"}}
    event = {"id": "e1", "eventType": "mlevents.ModelTagged", "subject": "models/fraud-x:3", "data": members}
    app.publish({**event, "eventTime": "2026-03-02T09:20:00Z", "dataVersion": "2"})
    until(lambda: app.responses("models/fraud-x:3"), PATIENCE, lambda: "no response")
    assert [one["rule"] for one in app.settled("models/fraud-x:3")] == ["promote"]


def test_a_change_leads_to_one_response_where_the_app_is_killed_as_it_begins(app: Stage):
    tag(app, "dev")
    await_looks(app)
    before = len(app.responses(NET))
    app.kill(at="ACTIVITY .*")
    tag(app, "prod")
    until(lambda: app.host()["state"] == "stopped", PATIENCE, lambda: "the app was not killed")
    app.start()
    assert await_responses(app, before + 1) == ["done"] * (before + 1)
