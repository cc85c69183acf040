"""Events in quarantine are replayed: the app tries the text again, acts once, and records who asked."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from sandbox.sandbox_process import ROOT, Stage, stage, until

RULES = """
version: 1
connections:
  mail: {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none, sender: a@b.example, to: [t@b.example]}
rules:
  - id: announce
    event: model.registered
    do: [{uses: notify, with: {to: mail, subject: "${model.name}", text: registered}}]
"""  # noqa: E501
BEFORE, AFTER = 'envelope.members.get("data")', 'envelope.members.get("data") or {"modelName": "late"}'


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    rules = tmp_path_factory.mktemp("quarantine") / "rules.yaml"
    rules.write_text(RULES)
    with stage(rules, 600) as running:
        yield running


def quarantine(app: Stage, name: str) -> str:
    """Deliver an event that this version of the app cannot understand; the id of its record."""
    event = app.model_registered("odd", "1", {}) | {"id": name, "topic": app.workspace, "data": []}
    assert app.deliver("ModelRegistered", event).status_code == 202
    [one] = app.settled(event_id=name)
    assert one["status"] == "quarantined"
    return str(one["id"])


def ask(app: Stage, path: str, **body: Any) -> requests.Response:
    return requests.post(f"{app.ready['functions']}/api/v1/{path}", json=body, timeout=30)


def read(app: Stage, response: str) -> dict[str, Any]:
    url = f"{app.ready['functions']}/api/v1/responses/{response}"
    found: dict[str, Any] = requests.get(url, timeout=30).json()
    return found


def test_a_text_that_is_still_not_understood_stays_with_a_record_of_each_try(app: Stage):
    one = quarantine(app, "still")
    for number in (1, 2):
        answer = ask(app, f"responses/{one}/replay", reason=f"try {number}")
        assert answer.status_code == 200, answer.text
        assert (answer.json()["status"], answer.json()["by"]) == ("quarantined", "function key")
        assert answer.json()["effect"].startswith("it still cannot be understood: data")
    found = read(app, one)
    assert (found["status"], found["attempt"]) == ("quarantined", 3)
    assert [entry["reason"] for entry in found["log"]] == ["try 1", "try 2"]
    assert json.loads(found["raw"])["id"] == "still"


def test_only_an_event_in_quarantine_is_replayed(app: Stage):
    event = app.model_registered("fine", "1", {}) | {"topic": app.workspace}
    app.deliver("ModelRegistered", event)
    [fine] = app.settled(event_id=event["id"])
    assert ask(app, f"responses/{fine['id']}/replay").status_code == 409
    assert ask(app, "responses/announce.0/replay").status_code == 404


def test_code_that_understands_the_texts_acts_on_each_once(app: Stage, tmp_path: Path):
    one, other = quarantine(app, "one"), quarantine(app, "other")
    upgrade(app, tmp_path)
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps(app.ready))
    words = ["replay", "--quarantine", "--ready-file", str(ready), "--json", "--reason", "*data*"]
    dry = run(*words, "--dry-run")
    assert dry["counts"]["understood"] >= 2
    assert app.responses(rule="announce", event_id="one") == []

    answer = ask(app, f"responses/{one}/replay", reason="new code").json()
    [acted] = app.settled(rule="announce", event_id="one")
    assert (answer["status"], answer["changed"]) == ("done", True)
    assert acted["id"] in answer["effect"]
    again = ask(app, f"responses/{one}/replay", reason="once more").json()
    assert (again["changed"], again["reason"]) == (False, "new code")
    assert "by function key: new code" in read(app, one)["because"]

    done = {entry["id"] for entry in run(*words)["events"]}
    assert other in done
    assert one not in done
    assert len(app.settled(rule="announce", event_id="other")) == 1
    assert run(*words)["events"] == [], "nothing is in quarantine any more"
    mails = [mail for mail in app.inbox() if mail["subject"] == "late"]
    assert len(mails) == len(done) + 1

    bulk = ask(app, "bulk/replay", status="quarantined", dry_run=True).json()
    assert bulk["responses"] == []


def upgrade(app: Stage, folder: Path) -> None:
    """Start the app with code that reads what this code cannot."""
    new = folder / "next"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mlevents", new / "mlevents", ignore=ignored)
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, new / name)
    module = new / "mlevents" / "events" / "__init__.py"
    assert BEFORE in module.read_text()
    module.write_text(module.read_text().replace(BEFORE, AFTER))
    for verb, body in (("kill", {}), ("start", {"checkout": str(new)})):
        answer = requests.post(f"{app.ready['host']}/{verb}", json=body, timeout=60)
        assert answer.ok, answer.text
    until(lambda: requests.get(f"{app.ready['functions']}/api/health", timeout=30).ok, 30, lambda: "down")


def run(*words: str) -> Any:
    result = CliRunner().invoke(build_app(), list(words))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
