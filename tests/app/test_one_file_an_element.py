"""Each example of docs/adding-an-element.md is one new file, and works everywhere without another change."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator

from sandbox.azure.resource_manager import ResourceManager
from sandbox.sandbox_process import ROOT, Stage, wait_until_ready

PARTS = ("mlevents", "sandbox", "function_app.py", "host.json", "deployments")
DOCUMENT = ROOT / "docs/adding-an-element.md"
WIRE_TYPE = "Microsoft.MachineLearningServices.ModelArchived"
RULES = """\
version: 1
filters: narrow
workspaces: {{prod: {workspace}}}
connections:
  notes: {{type: notebook, folder: {notes}}}
rules:
  - id: note-archived
    event: model.archived
    where: {{model: {{name: {{prefix: net-, longer-than: 5}}, reason: {{longer-than: 3, prefix: too}}}}}}
    max_age: 24h
    freeze: {{models: [net-frozen]}}
    on_failure: []
    do:
      - {{uses: write_note, with: {{to: notes, text: "${{model.name}}: ${{model.reason}}"}}}}
tests:
  - name: a model that was archived is noted
    given: {{model.archived: {{model: {{name: net-old-one, version: "1", reason: too old}}}}}}
    expect: note-archived
  - name: a short name is not
    given: {{model.archived: {{model: {{name: net-1, version: "1", reason: too old}}}}}}
    expect: {{not: {{note-archived: where.model.name}}}}
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of the app with the examples, and a rule file that uses them."""

    folder: Path
    notes: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command of the copy."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [sys.executable, "-m", "mlevents", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, *arguments: str) -> Any:
        """The JSON document that a command prints."""
        answer = self.run(*arguments)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return json.loads(answer.stdout)


def examples() -> dict[str, str]:
    """The modules of the document, by the path in their first line."""
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return {block.split("\n", 1)[0].removeprefix("# "): block for block in blocks}


def copy_app(folder: Path) -> None:
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    folder = tmp_path_factory.mktemp("checkout")
    notes = tmp_path_factory.mktemp("notes")
    copy_app(folder)
    for path, text in examples().items():
        assert not (folder / path).exists()
        (folder / path).write_text(text, encoding="utf-8")
    rules = RULES.format(workspace=ResourceManager.workspace_id, notes=notes)
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    return Checkout(folder, notes)


def archived(name: str, reason: str = "too old") -> dict[str, Any]:
    return {
        "id": f"archived-{name}",
        "topic": ResourceManager.workspace_id,
        "subject": f"models/{name}:1",
        "eventType": WIRE_TYPE,
        "eventTime": datetime.now(UTC).isoformat(),
        "data": {"modelName": name, "modelVersion": "1", "archiveReason": reason, "modelTags": {}},
        "dataVersion": "2",
    }


def test_there_is_an_example_of_each_kind():
    packages = sorted(path.split("/")[1] for path in examples())
    assert packages == ["actions", "conditions", "events", "gates", "services"]


def test_check_takes_all_of_them_and_runs_their_tests(checkout: Checkout):
    found = checkout.ask("check", "--json")
    assert (found["ok"], found["rules"], found["tests"], found["problems"]) == (True, 1, 2, [])


@pytest.mark.parametrize(
    ("line", "broken", "path"),
    [
        ("longer-than: 5", "longer-than: five", "rules[0].where.model.name.longer-than"),
        ("{models: [net-frozen]}", "{modles: [net-frozen]}", "rules[0].freeze.modles"),
        ("uses: write_note", "uses: write_not", "rules[0].do[0].uses"),
        ("type: notebook", "type: notebok", "connections.notes.type"),
        ("event: model.archived", "event: model.archive", "rules[0].event"),
    ],
)
def test_check_finds_a_mistake_in_each(checkout: Checkout, line: str, broken: str, path: str):
    wrong = checkout.folder / "wrong.yaml"
    wrong.write_text((checkout.folder / "rules.yaml").read_text().replace(line, broken))
    answer = checkout.run("check", "--json", "--rules", "wrong.yaml")
    assert answer.returncode == 1, answer.stderr
    assert path in [problem["path"] for problem in json.loads(answer.stdout)["problems"]]


def test_schema_offers_each(checkout: Checkout):
    schema = checkout.ask("schema")
    definitions = schema["$defs"]
    assert '"Nothing is done about these models."' in json.dumps(definitions["rule"])
    assert definitions["freeze"]["properties"]["models"]["description"] == "Name the models."
    for name in ("model.archived", "longer-than", "write_note", "notebook"):
        assert f'"{name}"' in json.dumps(schema)
    validator = Draft202012Validator(schema)
    written = yaml.safe_load((checkout.folder / "rules.yaml").read_text())
    assert [error.message for error in validator.iter_errors(written)] == []
    written["rules"][0]["freeze"] = {"modles": []}
    assert not validator.is_valid(written)


def test_filters_ask_for_the_type_and_never_narrow_by_an_unknown_operator(checkout: Checkout):
    found = checkout.ask("filters", "--json")["ModelArchived"]
    assert found["includedEventTypes"] == [WIRE_TYPE]
    asked = [(one["operatorType"], one["key"]) for one in found["advancedFilters"]]
    assert asked == [("StringBeginsWith", "data.modelName"), ("StringBeginsWith", "data.archiveReason")]
    assert "where.model.name" in [one["path"] for one in found["widened"]]


def test_explain_shows_the_gate_and_the_step(checkout: Checkout, tmp_path: Path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps(archived("net-old-one")))
    answer = checkout.run("explain", str(event))
    assert answer.returncode == 0, answer.stderr
    assert 'freeze models ["net-frozen"]' in answer.stdout
    assert "write_note" in answer.stdout
    assert '"net-old-one: too old"' in answer.stdout
    assert "would not deliver" not in answer.stdout


def test_doctor_lists_what_they_need(checkout: Checkout):
    needed = checkout.ask("doctor", "--needs", "--json")
    elements = {one["element"]: one["actions"] for one in needed["elements"]}
    assert elements["write_note"] == ["Contoso.Notes/notebooks/notes/write"]
    assert elements["notebook"] == ["Contoso.Notes/notebooks/read"]
    assert set(needed["labels"]) == {"ModelArchived"}


@pytest.fixture(scope="module")
def stage(checkout: Checkout) -> Iterator[Stage]:
    """The sandbox of the copy, which runs the app of the copy."""
    ready = checkout.folder / "ready.json"
    options = ("--port", "0", "--speed", "60", "--ready-file", str(ready), "--rules", "rules.yaml")
    command = [sys.executable, "-m", "sandbox", "up", *options]
    with subprocess.Popen(command, cwd=checkout.folder, stdout=subprocess.DEVNULL) as process:
        try:
            yield Stage(wait_until_ready(ready, process), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_published_event_is_delivered_and_acted_on(stage: Stage, checkout: Checkout):
    topic = requests.get(stage.ready["event_grid"], timeout=30).json()
    assert "model-archived" in [one["name"] for one in topic["subscriptions"]]
    stage.publish(archived("net-old-one"))
    [done] = stage.settled(event_id="archived-net-old-one")
    assert (done["status"], done["rule"]) == ("done", "note-archived")
    assert [note.read_text() for note in checkout.notes.iterdir()] == ["net-old-one: too old"]


def test_the_gate_stops_a_response(stage: Stage):
    stage.publish(archived("net-frozen"))
    [stopped] = stage.settled(event_id="archived-net-frozen")
    assert (stopped["status"], stopped["because"]) == ("stopped", "freeze: 'net-frozen' is frozen")
