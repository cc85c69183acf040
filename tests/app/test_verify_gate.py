"""A response reads its model or its run again before it acts, with the app's own rights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.sandbox_process import Stage, stage

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
defaults:
  on_failure: [{uses: notify, with: {to: people, template: response-failed}}]
rules:
  - id: promote
    event: model.registered
    where: {model: {tags: {stage: prod, hold: {absent: true}}}}
    verify: [model]
    do: [{uses: notify, with: {to: people, subject: "${model.name}", text: "note ${model.tags.note}"}}]
  - id: alert
    event: run.status_changed
    where: {run: {status: failed}}
    verify: [run]
    do: [{uses: notify, with: {to: people, subject: "${run.id}", text: "${run.tags.reason | default('-')}"}}]
"""
PROD = {"stage": "prod", "note": "early"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    rules: Path = tmp_path_factory.mktemp("verify") / "rules.yaml"
    rules.write_text(RULES)
    with stage(rules, 600) as running:
        yield running


def delivered(app: Stage, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """The response to an event that comes late, as after a day of redelivery."""
    assert app.deliver(function, event).ok
    [one] = app.settled(event_id=event["id"])
    return one


def promoted(app: Stage, name: str, tags: dict[str, str]) -> dict[str, Any]:
    return delivered(app, "ModelRegistered", app.model_registered(name, "1", tags))


def test_a_tag_that_was_set_after_the_event_stops_the_response(app: Stage):
    app.register("held-net", "1", {**PROD, "hold": "legal"})
    stopped = promoted(app, "held-net", PROD)
    assert (stopped["status"], stopped["because"]) == (
        "stopped",
        "verify: model.tags.hold is 'legal' now, wanted absent",
    )
    assert [step["status"] for step in stopped["steps"]] == ["skipped"]


def test_steps_read_what_the_model_says_now(app: Stage):
    app.register("noted-net", "1", {"stage": "Prod", "hold": "not yet", "note": "late"})
    app.register("noted-net", "1", {"stage": "Prod", "note": "late"})
    assert promoted(app, "noted-net", PROD)["status"] == "done"
    assert any("note late" in str(one) for one in app.inbox())


def test_a_model_that_is_gone_or_archived_stops_the_response(app: Stage):
    gone = promoted(app, "gone-net", PROD)
    assert gone["because"] == "verify: the model 'gone-net:1' is not registered any more"
    app.register("old-net", "1", {"stage": "dev"})
    app.arm(
        f"{app.workspace}/models/old-net?api-version=2024-10-01", "PUT", {"properties": {"isArchived": True}}
    )
    archived = promoted(app, "old-net", PROD)
    assert archived["because"] == "verify: the model 'old-net:1' is archived"


def test_a_run_is_read_again(app: Stage):
    app.publish(app.run_status_changed("nightly", "Running", {"reason": "disk"}))
    late = app.run_status_changed("nightly", "Failed", {"reason": "quota"})
    stopped = delivered(app, "RunStatusChanged", late)
    assert stopped["because"] == "verify: run.status is 'Running' now, wanted 'failed'"


def test_a_model_that_cannot_be_read_fails_the_response_and_notifies(app: Stage):
    app.register("closed-net", "1", {"stage": "dev"})
    app.fault(match="GET .*/models/closed-net/.*", status=403)
    failed = promoted(app, "closed-net", PROD)
    assert failed["status"] == "failed"
    assert failed["because"].startswith("verify: ")
    assert "closed-net:1" in failed["because"]
    assert [step["status"] for step in failed["steps"]] == ["skipped", "done"]
