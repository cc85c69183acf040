"""Gates that look at several events, in the app: one response acts for a group."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.sandbox_process import Stage, stage

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
    [mail] = [one for one in app.inbox() if one.get("subject", "").endswith("failed")]
    assert mail["subject"] == "5 runs of experiment train-fraud failed"
    assert all(f"nightly-{number}: Failed" in mail["text"] for number in range(5))
