"""`mlevents up` reads changed files again, and the world lives on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.sandbox_process import until
from tests.app.test_up_command import RunningCommand

RULES = """\
version: 1
connections: {team: {type: apprise, url: {setting: TEAM_HOOK}}}
rules:
  - id: RULE
    event: model.registered
    where: {model: {name: {prefix: churn-}}}
    do:
      - {uses: notify, with: {to: team, subject: "SUBJECT ${model.name}", text: t}}
    on_failure: []
"""
ENDPOINT = {
    "location": "westeurope",
    "identity": {"type": "SystemAssigned"},
    "properties": {"authMode": "Key"},
}


def write(folder: Path, rule: str, subject: str = "first", more: str = "") -> None:
    text = RULES.replace("RULE", rule).replace("SUBJECT", subject)
    (folder / "rules.yaml").write_text(text + more)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCommand]:
    folder = tmp_path_factory.mktemp("reload")
    write(folder, "before")
    found = RunningCommand(folder)
    try:
        yield found
    finally:
        found.stop()


def rules_that_fire(running: RunningCommand, model: str) -> list[str]:
    running.stage.register(model, "1", {})
    return [one["rule"] for one in running.stage.settled(f"models/{model}:1")]


def test_a_changed_file_takes_effect_and_the_world_lives_on(running: RunningCommand):
    stage = running.stage
    assert rules_that_fire(running, "churn-1") == ["before"]
    endpoint = f"{stage.workspace}/onlineEndpoints/kept?api-version=2024-10-01"
    stage.arm(endpoint, "PUT", ENDPOINT)
    worker = requests.get(stage.ready["host"], timeout=10).json()["pid"]
    write(running.folder, "after", "second")
    running.wait_for("rules.yaml has changed: the app has restarted with it")
    assert rules_that_fire(running, "churn-2") == ["after"]
    assert requests.get(stage.ready["host"], timeout=10).json()["pid"] != worker
    assert stage.arm(endpoint)["name"] == "kept"
    assert [one["rule"] for one in stage.responses("models/churn-1:1")] == ["before"]
    assert [one["subject"] for one in stage.inbox()] == ["first churn-1", "second churn-2"]
    assert running.process.poll() is None


def test_filters_rights_and_settings_follow(running: RunningCommand):
    more = """\
  - id: own-setting
    event: run.status_changed
    do: [{uses: notify, with: {to: other, subject: s, text: t}}]
"""
    text = RULES.replace("RULE", "settings").replace("SUBJECT", "third").replace("churn-", "fraud-")
    text = text.replace("TEAM_HOOK}}}", "TEAM_HOOK}}, other: {type: apprise, url: {setting: NEW_HOOK}}}")
    (running.folder / "rules.yaml").write_text(text + more)
    until(lambda: "NEW_HOOK" in running.read_ready()["settings"], 40, lambda: running.output)
    assert rules_that_fire(running, "fraud-1") == ["settings"]
    running.stage.publish(event := running.stage.run_status_changed("train-1", "Failed"))
    [response] = running.stage.settled(event_id=event["id"])
    assert (response["rule"], response["status"]) == ("own-setting", "done")
    assert running.stage.inbox()[-1]["to"] == ["/NEW_HOOK"]


def test_a_broken_file_is_shown_and_the_old_rules_stay_until_it_is_right_again(running: RunningCommand):
    begun = running.output.count("has restarted with it")
    write(running.folder, "good")
    running.wait_for("has restarted with it", begun + 1)
    assert rules_that_fire(running, "churn-3") == ["good"]
    write(running.folder, "broken", more="    wehre: {}\n")
    running.wait_for("has problems: the app continues without it")
    assert "rules.yaml:1" in running.output
    assert "wehre: unknown key" in running.output
    assert rules_that_fire(running, "churn-4") == ["good"]
    write(running.folder, "right")
    running.wait_for("has restarted with it", begun + 2)
    assert rules_that_fire(running, "churn-5") == ["right"]


def test_many_saves_in_a_row_are_one_restart(running: RunningCommand):
    begun = running.output.count("has restarted with it")
    for number in range(8):
        write(running.folder, f"storm-{number}")
        (running.folder / "rules.yaml").touch()
    running.wait_for("has restarted with it", begun + 1)
    assert rules_that_fire(running, "churn-6") == ["storm-7"]
    time.sleep(2)
    assert running.output.count("has restarted with it") == begun + 1


@pytest.mark.parametrize("name", ["environments/dev.yaml", "deployments/small.yaml"])
def test_files_beside_the_rules_count(running: RunningCommand, name: str):
    file = running.folder / name
    file.parent.mkdir()
    file.write_text("version: 1\n")
    running.wait_for(f"{file.name} has changed: the app has restarted with it")


def test_rules_that_are_broken_at_the_start_run_once_they_are_right(tmp_path: Path):
    write(tmp_path, "broken", more="    wehre: {}\n")
    found = RunningCommand(tmp_path)
    try:
        assert "wehre: unknown key" in found.output
        write(tmp_path, "right")
        found.wait_for("has restarted with it")
        assert rules_that_fire(found, "churn-1") == ["right"]
    finally:
        found.stop()
