"""Dead letters in the running app: one message for many, the health, and the replay from the container."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from mlevents.responses.dead_letter_watch import SETTLED
from mlevents.services import azure_credential
from sandbox.azure.workspace import WORKSPACE_ID
from sandbox.sandbox_process import Stage, stage, until

RULES = f"""
version: 1
workspaces: {{prod: "{WORKSPACE_ID}"}}
connections:
  mail: {{type: smtp, host: {{setting: SMTP_HOST}}, port: {{setting: SMTP_PORT}}, tls: none, sender: a@b.example, to: [t@b.example]}}
defaults: {{on_failure: [{{uses: notify, with: {{to: mail, template: response-failed}}}}]}}
rules:
  - id: announce
    event: model.registered
    do: [{{uses: notify, with: {{to: mail, subject: "${{model.name}}", text: registered}}}}]
"""  # noqa: E501


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    rules = tmp_path_factory.mktemp("letters") / "rules.yaml"
    rules.write_text(RULES)
    with stage(rules, 100_000) as running:
        yield running


def letters(app: Stage) -> list[Any]:
    found: list[Any] = requests.get(f"{app.ready['event_grid']}/deadletters", timeout=30).json()
    return found


def health(app: Stage) -> Any:
    return requests.get(f"{app.ready['functions']}/api/health/details", timeout=60).json()["dead_letters"]


def lose(app: Stage, *names: str) -> None:
    """Events that Event Grid cannot deliver, because the app is down."""
    assert requests.post(f"{app.ready['host']}/kill", json={}, timeout=60).ok
    before = len(letters(app))
    app.publish(*(app.model_registered(name, "1", {}) | {"topic": app.workspace} for name in names))
    until(lambda: len(letters(app)) == before + len(names), 40, lambda: f"dead letters: {letters(app)}")
    if len(names) > 1:
        time.sleep(SETTLED.total_seconds() + 1)  # the app leaves the youngest to a later message
    assert requests.post(f"{app.ready['host']}/start", json={}, timeout=60).ok
    until(lambda: requests.get(f"{app.ready['functions']}/api/health", timeout=30).ok, 30, lambda: "down")


def reports(app: Stage) -> list[Any]:
    return [one for one in app.settled_or_none() if one["id"].startswith("dead-letters.")]


def test_dead_letters_are_one_message_and_are_replayed_from_the_container(app: Stage, monkeypatch):
    assert health(app)["events"] == 0
    lose(app, "lost", "gone")
    until(lambda: reports(app), 40, lambda: "no report of the dead letters")
    [report] = reports(app)
    assert (report["status"], report["event"]["subject"]) == ("failed", "2 events")
    assert report["because"].startswith("Event Grid gave up 2 events: ")
    [mail] = [one for one in app.inbox() if "Event Grid" in one["subject"]]
    assert mail["subject"] == "Event Grid could not deliver 2 events"
    assert f"mlevents replay {app.ready['dead_letters']}" in " ".join(mail["text"].split())

    lose(app, "later")
    found = health(app)
    assert (found["events"], found["problem"]) == (3, None)
    assert sum(found["reasons"].values()) == 3
    assert found["command"].startswith(f"mlevents replay {app.ready['dead_letters']}")
    page = requests.get(f"{app.ready['functions']}/api/console/health", timeout=60).text
    assert "mlevents replay" in page
    assert len(reports(app)) == 1, "another message comes after an hour at the earliest"

    for name, value in app.environment().items():
        monkeypatch.setenv(name, value)
    azure_credential._credential.cache_clear()
    words = ["replay", app.ready["dead_letters"], "--to", app.ready["functions"], "--json", "--since", "1h"]
    first = CliRunner().invoke(build_app(), words)
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["counts"]["new"] == 3
    assert {one["event"]["subject"] for one in app.settled(rule="announce")} == {
        f"models/{name}:1" for name in ("lost", "gone", "later")
    }
    second = json.loads(CliRunner().invoke(build_app(), words).stdout)["counts"]
    assert (second["new"], second["already_there"]) == (0, 3)
    azure_credential._credential.cache_clear()
