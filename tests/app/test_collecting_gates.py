"""Gates that look at several events, in the app: one response acts for a group, or for what did not come."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.sandbox_process import PATIENCE, Stage, stage, until

RULES = """
version: 1
connections:
  mail: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@b.example, to: [t@b.example]}
rules:
  - id: alert
    event: run.status_changed
    where: {run: {status: failed}}
    group: {key: "${run.experiment}", wait: 40m, at_most: 20}
    do: [{uses: notify, with: {to: mail, template: run-failed}}]
  - id: recovered
    event: run.status_changed
    where: {run: {status: completed, id: {prefix: again}}}
    recovered: {within: 365d}
    do: [{uses: notify, with: {to: mail, template: run-recovered}}]
  - id: unended
    event: run.status_changed
    where: {run: {status: running}}
    expect:
      event: run.status_changed
      where: {run: {id: "${run.id}", status: [completed, failed, canceled]}}
      within: 40m
    do: [{uses: notify, with: {to: mail, subject: "${run.id} has not ended", text: "for 40 minutes"}}]
  - id: no-models
    expect: {event: model.registered, every: 2s}
    do: [{uses: notify, with: {to: mail, subject: "no model for ${expect.every}", text: "${expect.since}"}}]
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    rules: Path = tmp_path_factory.mktemp("collecting") / "rules.yaml"
    rules.write_text(RULES)
    with stage(rules, 1200) as running:
        yield running


def test_one_response_acts_for_a_group_of_events(app: Stage):
    events = [app.run_status_changed(f"nightly-{number}", "Failed") for number in range(5)]
    app.publish(*events)
    app.publish(events[0])
    found = [one for event in events for one in app.settled(event_id=event["id"])]
    [leader] = [one for one in found if one["status"] == "done"]
    members = [one for one in found if one is not leader]
    assert {(one["status"], one["because"]) for one in members} == {
        ("stopped", f"group: {leader['id']} acts for it")
    }
    [mail] = [one for one in app.inbox() if one.get("subject", "").startswith("5 runs")]
    assert mail["subject"] == "5 runs of experiment train-fraud failed, 5 with UserError"
    assert all(f"nightly-{number}: Failed" in mail["text"] for number in range(5))


def test_the_first_run_that_completes_after_a_failure_is_reported(app: Stage):
    app.publish(failed := app.run_status_changed("broken", "Failed"))
    app.settled(event_id=failed["id"])
    for name, status in (("again-1", "done"), ("again-2", "stopped")):
        app.publish(event := app.run_status_changed(name, "Completed"))
        [found] = app.settled(event_id=event["id"])
        assert found["status"] == status, found
    assert found["because"] == "recovered: no run failed before it: 'again-1' completed"
    [mail] = [one for one in app.inbox() if "again" in one.get("subject", "")]
    assert mail["subject"] == "train-fraud completes again: run again-1"
    assert "Failed:     broken, " in mail["text"]


def test_a_run_that_has_not_ended_is_reported_and_one_that_has_is_not(app: Stage):
    ended, unended = (app.run_status_changed(name, "Running") for name in ("short", "long"))
    app.publish(ended, unended, app.run_status_changed("short", "Completed"))
    [one] = app.settled(event_id=ended["id"])
    assert one["status"] == "stopped"
    assert one["because"].startswith("expect: run.status_changed of short came at 20")
    [one] = app.settled(event_id=unended["id"])
    assert one["status"] == "done"
    assert [mail["subject"] for mail in app.inbox() if "ended" in mail.get("subject", "")] == [
        "long has not ended"
    ]


def test_a_silence_is_reported(app: Stage):
    def find_mail() -> list[dict[str, Any]]:
        return [mail for mail in app.inbox() if mail.get("subject") == "no model for 2 s"]

    until(find_mail, PATIENCE, lambda: f"{app.inbox()}")
