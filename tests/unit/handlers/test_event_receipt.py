"""A new worker answers events that no rule matches from the outline of its rules, and loads nothing."""

import asyncio
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlevents.errors import RulesError
from mlevents.handlers import app_state, event_receipt
from sandbox.sandbox_process import ROOT

WORKSPACE = "/subscriptions/{}/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
RULES = f"""
version: 1
workspaces: {{w: "{WORKSPACE.format("${env.SUBSCRIPTION}")}"}}
connections: {{team: {{type: apprise, url: {{setting: TEAM_URL}}}}}}
rules:
  - id: announce
    event: model.registered
    where: {{model: {{name: {{prefix: fraud-}}, tags: {{stage: prod}}}}}}
    do: [{{uses: notify, with: {{to: team, subject: "${{model.name}}", text: registered}}}}]
"""
OUTLINE = "__pycache__/rules.default.outline"


class NoClient:
    """Nothing is asked of it."""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The app's folder with rules, in a process that has loaded nothing yet."""
    (tmp_path / "rules.yaml").write_text(RULES)
    monkeypatch.setenv("AzureWebJobsScriptRoot", str(tmp_path))
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)
    monkeypatch.setenv("SUBSCRIPTION", "sub")
    monkeypatch.setenv("TEAM_URL", "json://receiver")
    monkeypatch.setenv("MLEVENTS_RECENT_EVENTS", "0")
    restart()
    yield tmp_path
    restart()


def restart() -> None:
    for one in (app_state.settings, app_state.load_rules_once, app_state.outline):
        one.cache_clear()
    app_state.failures.clear()


def event(name: str = "other", subscription: str = "sub", **members: Any) -> str:
    return json.dumps(
        {
            "id": "1",
            "topic": WORKSPACE.format(subscription),
            "subject": f"models/{name}:1",
            "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
            "eventTime": "2026-01-01T00:00:00Z",
            "data": {"modelName": name, "modelVersion": "1", "modelTags": {"stage": "prod"}},
            **members,
        }
    )


def is_answered_early(raw: str) -> bool:
    return asyncio.run(event_receipt.exclude_event(raw, NoClient()))  # type: ignore[arg-type]


def load() -> None:
    app_state.rules()
    restart()


def test_the_next_worker_needs_no_rules_for_an_event_that_none_matches(app: Path):
    assert not is_answered_early(event())
    load()
    assert is_answered_early(event())
    assert not app_state.load_rules_once.cache_info().currsize


@pytest.mark.parametrize(
    "raw",
    [
        event("fraud-a"),
        event(subscription="other"),
        event(eventType=None),
        "no JSON",
        "[]",
    ],
    ids=["a rule matches", "a foreign workspace", "no type", "no JSON", "no event"],
)
def test_every_other_event_is_decided_by_the_rules(app: Path, raw: str):
    load()
    assert not is_answered_early(raw)


def test_it_holds_for_the_same_files_alone(app: Path):
    load()
    (app / "rules.yaml").write_text(RULES.replace("prefix: fraud-", "prefix: other"))
    assert not is_answered_early(event())
    load()
    assert not is_answered_early(event())
    assert is_answered_early(event("fraud-a"))


@pytest.mark.parametrize("content", [b"", b"x" * 40, pickle.dumps("no outline")])
def test_a_broken_outline_is_none(app: Path, content: bytes):
    load()
    digest = (app / OUTLINE).read_bytes()[:32]
    for broken in (content, digest + content):
        (app / OUTLINE).write_bytes(broken)
        restart()
        assert not is_answered_early(event())
    load()
    assert is_answered_early(event())


def test_an_outline_holds_no_setting(app: Path, monkeypatch: pytest.MonkeyPatch):
    """It is made where the app's settings are unknown, and travels with the code."""
    monkeypatch.setenv("SUBSCRIPTION", "somewhere-else")
    load()
    assert b"somewhere-else" not in (app / OUTLINE).read_bytes()
    monkeypatch.setenv("SUBSCRIPTION", "sub")
    assert is_answered_early(event())
    monkeypatch.delenv("SUBSCRIPTION")
    restart()
    assert not is_answered_early(event())


def test_rules_with_a_problem_leave_none(app: Path):
    (app / "rules.yaml").write_text(RULES.replace("uses: notify", "uses: notfy"))
    with pytest.raises(RulesError):
        app_state.rules()
    assert not (app / OUTLINE).exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "    expect: {event: model.deployed, within: 6h}\n",
        lambda text: text.replace("event: model.registered", "event: [model.registered, model.tagged]"),
    ],
    ids=["expect", "model.tagged"],
)
def test_rules_that_watch_other_events_are_always_asked(app: Path, change: Any):
    (app / "rules.yaml").write_text(change(RULES))
    load()
    assert not is_answered_early(event())


def test_a_mode_of_the_environment_counts(app: Path, monkeypatch: pytest.MonkeyPatch):
    (app / "environments").mkdir()
    (app / "environments" / "dev.yaml").write_text("version: 1\nmodes: {announce: disabled}\n")
    monkeypatch.setenv("MLEVENTS_ENV", "dev")
    restart()
    load()
    assert is_answered_early(event("fraud-a"))
    monkeypatch.delenv("MLEVENTS_ENV")
    restart()
    assert not is_answered_early(event("fraud-a"))


def test_own_elements_leave_none(app: Path):
    """Nobody knows what else decides what their code answers."""
    (app / "extensions").mkdir()
    (app / "extensions" / "_shared.py").write_text("")
    load()
    assert not (app / OUTLINE).exists()


def test_a_disabled_app_asks_its_rules(app: Path, monkeypatch: pytest.MonkeyPatch):
    load()
    monkeypatch.setenv("MLEVENTS_MODE", "disabled")
    restart()
    assert not is_answered_early(event())


def test_an_outline_that_cannot_be_replaced_leaves_nothing_else(app: Path):
    (app / OUTLINE).mkdir(parents=True)
    load()
    assert [file.name for file in (app / "__pycache__").iterdir()] == [Path(OUTLINE).name]


def test_a_folder_that_cannot_be_written_is_no_problem(app: Path):
    (app / "__pycache__").write_text("a file")
    load()
    assert not is_answered_early(event())


def modules_of(app: Path, program: str) -> set[str]:
    """What a fresh process has imported in the end."""
    text = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{program}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], cwd=app, capture_output=True, check=True, text=True)
    return set(done.stdout.split())


def test_a_new_worker_imports_little_before_and_for_such_an_event(app: Path):
    load()
    library = modules_of(app, "import azure.functions, azure.durable_functions")
    start = modules_of(app, "import function_app") - library
    answer = (
        "import asyncio, function_app\n"
        "from mlevents.handlers.event_receipt import exclude_event\n"
        f"assert asyncio.run(exclude_event({event()!r}, None))"
    )
    first = modules_of(app, answer) - library
    heavy = {"pydantic", "jinja2", "yaml", "grpc.aio", "opentelemetry.metrics"}
    heavy |= {"mlevents.rules.model", "mlevents.actions.action"}
    assert first & heavy == set()
    assert len(start) <= 60, sorted(start)
    assert len(first) <= 100, sorted(first)
