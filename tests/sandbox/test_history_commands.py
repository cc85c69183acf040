"""`explain` and `backtest` of what the sandbox's Azure ML remembers, by the real SDKs over TLS."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.errors import TransientError
from mlevents.event_history.history import LIMITS
from mlevents.event_history.throttling import ThrottlePatience
from mlevents.events import parse
from mlevents.services.resource_manager import ResourceManager
from sandbox.azure.identity import OWNER
from sandbox.azure.workspace import WORKSPACE_ID
from tests.sandbox.arm_server import Server, services_of

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDKs warn of each other's deprecations
BREACH = "azureml_modelmonitor_threshold_breached"
RULES = f"""\
version: 1
workspaces: {{prod: {WORKSPACE_ID}}}
connections: {{team: {{type: apprise, url: {{setting: HOOK}}}}}}
rules:
  - id: production
    event: model.registered
    max_age: 24h
    where: {{model: {{tags: {{stage: production%s}}}}}}
    do: [{{uses: notify, with: {{to: team, template: model-deployed}}}}]
  - id: failed
    event: run.status_changed
    where: {{run: {{status: failed, root: true, monitor_breach: false}}}}
    do: [{{uses: notify, with: {{to: team, template: run-failed}}}}]
  - id: drifted
    event: drift.detected
    dedupe: "${{drift.monitor_run}}"
    do: [{{uses: notify, with: {{to: team, subject: Drift, text: "${{drift.signal}}"}}}}]
"""
ANNOUNCED = (
    ("ModelRegistered", "models/good:1", 2, {"modelTags": {"stage": "production"}}),
    ("ModelRegistered", "models/held:7", 2, {"modelTags": {"stage": "production", "hold": "x"}}),
    ("ModelRegistered", "models/cased:1", 2, {"modelTags": {"Stage": "production"}}),
    ("ModelRegistered", "models/old:1", 200, {"modelTags": {"stage": "production"}}),
    ("RunStatusChanged", "experiments/e/runs/broken", 1, {"runStatus": "Failed", "experimentName": "train"}),
    ("RunStatusChanged", "experiments/e/runs/fine", 1, {"runStatus": "Completed", "experimentName": "train"}),
    *(
        (
            "RunStatusChanged",
            f"experiments/m/runs/step-{signal}",
            1,
            {
                "runStatus": "Failed",
                "experimentName": "monitor",
                "runType": "azureml.StepRun",
                "runTags": {
                    BREACH: f"The signal '{signal}' has failed due to one or more features …",
                    "azureml.pipelinerunid": "monitor-run",
                },
            },
        )
        for signal in ("inputs", "outputs")
    ),
)


@pytest.fixture(scope="module", autouse=True)
def past(server: Server) -> None:
    """What happened in the workspace, so many days ago."""
    for kind, subject, days, members in ANNOUNCED:
        moment = datetime.now(UTC) - timedelta(days=days)
        event = {
            "id": "e",
            "topic": WORKSPACE_ID,
            "subject": subject,
            "eventType": f"Microsoft.MachineLearningServices.{kind}",
            "eventTime": moment.isoformat(),
            "data": members,
        }
        server.manager.machine_learning.remember_announced(parse(event))


@pytest.fixture
def run(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """Runs a command as a person who may read everything, in a folder with two rule files."""
    (tmp_path / "rules.yaml").write_text(RULES % ", hold: {absent: true}")
    (tmp_path / "old.yaml").write_text(RULES % "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)
    with services_of(server, monkeypatch):
        monkeypatch.setenv("IDENTITY_HEADER", OWNER)
        monkeypatch.setenv("MLEVENTS_RESOURCE_MANAGER", server.manager.base_url)
        monkeypatch.setenv("HOOK", "json://localhost")

        def run(*arguments: str) -> Result:
            return CliRunner().invoke(build_app(), arguments, catch_exceptions=False)

        yield run


def told(result: Result) -> dict[str, Any]:
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_model_is_explained_as_if_its_event_arrived_now(run: Callable[..., Result]) -> None:
    result = run("explain", "--model", "good:1", "--workspace", "prod", "--rule", "production")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "1 event rebuilt from workspace ml-prod"
    assert "  not rebuilt: tags and properties as they were then: models and runs have those of now" in lines
    assert "  ✓ production" in lines
    assert "      ✓ max_age 24 hours: the event is 0 seconds old" in lines
    later = run("explain", "--model", "good:1", "--rule", "production", "--at", "2999-01-01T00:00:00Z").stdout
    assert "✗ max_age" in later


def test_a_tag_in_another_case_explains_a_model(run: Callable[..., Result]) -> None:
    shown = run("explain", "--model", "cased:1").stdout
    assert "the model has the tag 'Stage', not 'stage': keys compare with case" in shown


def test_a_completed_run_is_explained_by_both_of_its_events(run: Callable[..., Result]) -> None:
    document = told(run("explain", "--run", "fine", "--workspace", WORKSPACE_ID.upper(), "--json"))
    assert [event["type"] for event in document["events"]] == ["run.status_changed", "run.completed"]
    assert document["history"]["workspace"].lower() == "ml-prod"


def test_a_run_that_failed_is_explained_with_its_experiment(run: Callable[..., Result]) -> None:
    document = told(run("explain", "--run", "broken", "--json"))
    assert [rule["id"] for rule in document["events"][0]["rules"] if rule["matches"]] == ["failed"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "none:1"), f"the model 'none:1' is not registered in {WORKSPACE_ID}: check its name"),
        (("--model", "good"), "'good' is not an asset reference: write name:version"),
        (("--run", "none"), f"there is no run 'none' in {WORKSPACE_ID}: give the run's id"),
        (("--workspace", f"{WORKSPACE_ID}-2"), "ml-prod-2"),
    ],
)
def test_what_is_not_there_is_named(run: Callable[..., Result], arguments: list[str], said: str) -> None:
    result = run("explain", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr


def test_missing_rights_are_named(run: Callable[..., Result], server: Server) -> None:
    body = {"permissions": [{"actions": ["*"], "notActions": ["*/experiments/read"]}], "scope": WORKSPACE_ID}
    server.call("POST", "/_sandbox/permissions", json={**body, "who": OWNER})
    result = run("backtest", "--workspace", "prod")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "listing the experiments: Azure answered 403" in result.stderr
    assert "Microsoft.MachineLearningServices/workspaces/experiments/read" in result.stderr


def test_a_backtest_needs_no_saved_events(run: Callable[..., Result]) -> None:
    result = run("backtest", "--workspace", "prod", "--since", "30d", "--against", "old.yaml")
    assert (result.exit_code, result.stderr) == (0, "")  # no progress bar where there is no terminal
    lines = result.stdout.splitlines()
    assert lines[0].startswith("8 events rebuilt from workspace ml-prod since ")
    assert lines[1 : 1 + len(LIMITS)] == [f"  not rebuilt: {limit}" for limit in LIMITS]
    assert lines[1 + len(LIMITS) :][:4] == [
        "             before    after",
        "production        2        1",
        "failed            1        1",
        "drifted           1        1",
    ]
    assert '  1 event: no longer match (where.model.tags.hold: wanted {"absent": true})' in lines


def test_since_says_how_far_back(run: Callable[..., Result]) -> None:
    def count(since: str) -> int:
        return int(told(run("backtest", "--workspace", "prod", "--since", since, "--json"))["events"])

    day = (datetime.now(UTC) - timedelta(days=36)).strftime("%Y-%m-%d")
    assert [count(since) for since in ("1h", "36h", "30d", day, "365d")] == [0, 5, 8, 8, 9]


def test_saved_events_are_read_as_the_same(run: Callable[..., Result], tmp_path: Path) -> None:
    arguments = ("--against", "old.yaml", "--json")
    rebuilt = told(run("backtest", "--workspace", "prod", "--save", "saved/past", *arguments))
    assert sorted(one.name for one in (tmp_path / "saved" / "past").iterdir()) == [
        "model-registered.jsonl",
        "run-completed.jsonl",
        "run-status-changed.jsonl",
    ]
    assert rebuilt.pop("history")["not_rebuilt"] == list(LIMITS)
    saved = told(run("backtest", "saved/past", *arguments))
    for document in (rebuilt, saved):
        for one in document["different"]:
            del one["file"]
    assert saved == rebuilt
    explained = told(run("explain", "saved/past", "--json"))
    assert explained["summary"] == told(run("explain", "--workspace", "prod", "--json"))["summary"]


def test_a_folder_that_holds_something_is_left_alone(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "mine.txt").write_text("mine")
    result = run("explain", "--workspace", "prod", "--save", "saved")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: saved: is not an empty folder: name a new one\n"
    assert [one.name for one in (tmp_path / "saved").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("command", [["backtest"], ["explain", "--model", "good:1"]], ids=["all", "one"])
@pytest.mark.parametrize(
    ("folder", "said"),
    [("rules.yaml", "is not an empty folder"), ("rules.yaml/below", "cannot be created in ")],
)
def test_a_folder_that_cannot_be_written_is_named_before_anything_is_read(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, command: list[str], folder: str, said: str
) -> None:
    def sign_in(_: ResourceManager) -> str:
        raise AssertionError("it calls Azure first")

    monkeypatch.setattr(ResourceManager, "identity", sign_in)
    result = run(*command, "--workspace", "prod", "--save", folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: {folder}: {said}" in result.stderr


def test_diff_decides_the_events_of_a_workspace(run: Callable[..., Result]) -> None:
    result = run("diff", "old.yaml", "rules.yaml", "--workspace", "prod", "--since", "30d", "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    document = json.loads(result.stdout)
    assert [(one["subject"], one["before"], one["after"]) for one in document["events"]] == [
        ("models/held:7", True, False)
    ]
    assert document["history"]["events"] == 8
    lines = run("diff", "old.yaml", "rules.yaml", "--workspace", "prod").stdout.splitlines()
    assert lines[0].startswith("8 events rebuilt from workspace ml-prod since ")
    assert "Events decided differently: 1" in lines
    markdown = run("diff", "old.yaml", "rules.yaml", "--workspace", "prod", "--markdown").stdout
    assert "\n8 events rebuilt from workspace ml-prod since " in markdown


def test_a_terminal_shows_what_is_read(run: Callable[..., Result], tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-W", "ignore", "-m", "mlevents", "backtest", "--workspace", "prod", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    try:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=terminal, check=True
        )
        shown = os.read(controller, 100_000).decode()
    finally:
        os.close(terminal)
        os.close(controller)
    assert json.loads(done.stdout)["events"] == 8
    assert "reading models" in shown
    assert "reading experiments" in shown


@pytest.mark.parametrize("command", [["backtest"], ["explain", "--model", "good:1"]], ids=["all", "one"])
def test_a_sign_in_that_fails_is_not_retried(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    def refuse(_: ResourceManager) -> str:
        raise TransientError("signing in to Azure: no credential")

    def read(*_: object) -> None:
        raise AssertionError("it reads without a sign-in")

    monkeypatch.setattr(ResourceManager, "identity", refuse)
    monkeypatch.setattr(ThrottlePatience, "read", read)
    result = run(*command, "--workspace", "prod")
    assert result.exit_code == 1
    assert "no credential; sign in (az login)" in " ".join(result.stderr.split())
