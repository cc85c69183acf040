"""Dead letters are replayed into a running app: nothing acts twice, and each is accounted for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from sandbox.sandbox_process import ROOT, Stage, stage

RULES = """
version: 1
workspaces: {prod: "%s"}
connections:
  mail: {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none, sender: a@b.example, to: [t@b.example]}
defaults: {on_failure: [{uses: notify, with: {to: mail, template: response-failed}}]}
rules:
  - id: announce
    event: model.registered
    where: {model: {name: churn}}
    do: [{uses: notify, with: {to: mail, subject: "${model.name}", text: registered}}]
  - id: fresh
    event: run.status_changed
    max_age: 1h
    do: [{uses: notify, with: {to: mail, subject: "${run.id}", text: changed}}]
"""  # noqa: E501
OLD = "2026-01-05T10:00:00.0000000Z"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("replay")
    from sandbox.azure.workspace import WORKSPACE_ID

    (folder / "rules.yaml").write_text(RULES % WORKSPACE_ID)
    with stage(folder / "rules.yaml", 600, "--dead-letters", str(folder / "dead")) as running:
        yield running


def run(*words: str) -> Result:
    return CliRunner().invoke(build_app(), ["replay", *words], env={"COLUMNS": "120"})


def read(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def die(event: dict[str, Any], reason: str = "MaxDeliveryAttemptsExceeded") -> dict[str, Any]:
    added = {
        "deadLetterReason": reason,
        "deliveryAttempts": 30,
        "lastDeliveryOutcome": "NotFound",
        "publishTime": OLD,
        "lastDeliveryAttemptTime": OLD,
    }
    if "specversion" in event:
        added = {name.lower(): value for name, value in added.items()}
    return {**event, **added}


def to_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    names = {"topic": "source", "eventType": "type", "eventTime": "time"}
    kept = {names.get(name, name): value for name, value in event.items()}
    return {
        **{k: v for k, v in kept.items() if k not in ("dataVersion", "metadataVersion")},
        "specversion": "1.0",
    }


@pytest.fixture
def folder(app: Stage, tmp_path: Path) -> Path:
    """Ten dead letters as Event Grid lays them out: of each kind that a replay tells apart."""
    place = tmp_path / "dead-letters" / "MODEL-REGISTERED" / "2026" / "1" / "5" / "10"
    place.mkdir(parents=True)
    one = app.model_registered("churn", "1", {}) | {"topic": app.workspace, "eventTime": OLD}
    second = app.model_registered("churn", "2", {}) | {"topic": app.workspace, "eventTime": OLD}
    other = app.model_registered("other", "1", {}) | {"topic": app.workspace, "eventTime": OLD}
    foreign = one | {"id": "foreign", "topic": app.workspace.replace("ml-prod", "elsewhere")}
    old = app.run_status_changed("old", "Failed") | {"topic": app.workspace, "eventTime": OLD}
    later = {"eventTime": "2026-01-06T10:00:00Z"}
    third = app.model_registered("churn", "3", {}) | {"topic": app.workspace} | later
    blobs = {
        "array": [die(one), die(other)],
        "cloud": die(to_cloud_event(second)),
        "again": [die(one, "TimeToLiveExceeded")],
        "foreign": [die(foreign)],
        "old": [die(old)],
        "third": [die(third, "TimeToLiveExceeded")],
        "spoiled": [die(one), "text"],
    }
    for name, content in blobs.items():
        (place / f"{name}.json").write_text(json.dumps(content))
    (place / "cut.json").write_text('[{"id": "e')
    return tmp_path / "dead-letters"


def test_a_replay_accounts_for_each_and_repeats_nothing(app: Stage, folder: Path):
    to = app.ready["functions"]
    dry = read(run(str(folder), "--to", to, "--dry-run", "--json"), 1)
    assert app.responses() == [], "a dry run sends nothing"
    first = read(run(str(folder), "--to", to, "--json", "--rate", "100"), 1)
    expected = {"new": 3, "already_there": 2, "unmatched": 1, "refused": 1, "too_old": 1}
    for report in (dry, first):
        assert {name: count for name, count in report["counts"].items() if count} == expected
        problems = {Path(one["blob"]).name for one in report["unreadable"]}
        assert problems == {"cut.json", "spoiled.json"}
    responses = app.settled(rule="announce")
    assert sorted(one["event"]["subject"] for one in responses) == [f"models/churn:{n}" for n in (1, 2, 3)]
    assert {one["status"] for one in responses} == {"done"}
    assert app.responses(rule="fresh") == [], "a response that max_age stops would keep it from acting later"

    second = read(run(str(folder), "--to", to, "--json", "--rate", "100"), 1)
    assert (second["counts"]["new"], second["counts"]["already_there"]) == (0, 5)
    assert len([one for one in app.inbox() if one["subject"] == "churn"]) == 3
    assert [one["existing"] for one in second["events"][0]["responses"]] == ["done"]


def test_the_report_for_people_names_results_and_remedies(app: Stage, folder: Path):
    text = " ".join(run(str(folder), "--to", app.ready["functions"], "--rate", "100").stdout.split())
    assert "cut.json: 1:9: is not valid JSON" in text
    assert "raise max_age of these rules" in text
    assert "fresh: max_age: the event is" in text
    assert "MaxDeliveryAttemptsExceeded, 30 attempts" in text


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (("--reason", "timetolive*"), 2),
        (("--type", "model.registered", "--subject", "models/churn:*", "--until", "2026-01-06"), 5),
        (("--since", "2026-01-06"), 1),
        (("--type", "RunCompleted"), 0),
    ],
)
def test_filters_narrow_a_replay(app: Stage, folder: Path, words: tuple[str, ...], taken: int):
    report = read(run(str(folder), "--to", app.ready["functions"], "--dry-run", "--json", *words), 1)
    assert len(report["events"]) == taken
    assert report["left_out"] == 8 - taken


def test_without_an_app_the_rules_here_explain(app: Stage, folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text(RULES % app.workspace)
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", "25")
    report = read(run(str(folder), "--dry-run", "--json"), 1)
    assert report["counts"]["new"] == 3
    unmatched = next(one for one in report["events"] if one["result"] == "unmatched")
    assert unmatched["detail"] == (
        'the nearest rule is announce: where.model.name: wanted "churn", found "other"'
    )


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("nowhere",), "nowhere: does not exist"),
        (("http://a.blob.core.windows.net/dead",), "is not https"),
        (("https://a.blob.core.windows.net",), "names no container"),
        ((".", "--since", "soon"), "--since is 'soon'"),
    ],
)
def test_a_wrong_command_line_is_one_line(app: Stage, words: tuple[str, ...], fact: str):
    result = run(*words, "--to", app.ready["functions"])
    assert result.exit_code == 2
    assert fact in result.stderr


def test_an_app_that_does_not_listen_is_one_line(folder: Path):
    result = run(str(folder), "--to", "http://127.0.0.1:9")
    assert (result.exit_code, "nothing listens" in result.stderr) == (1, True)


def test_a_deployed_app_is_found_with_the_key_of_its_webhook(app: Stage, folder: Path, monkeypatch):
    for name, value in app.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", app.workspace.split("/")[2])
    monkeypatch.chdir(ROOT)
    report = read(run(str(folder), "--app", "mlevents-sandbox", "--json", "--rate", "100"), 1)
    assert report["counts"]["failed"] == 0
    assert report["counts"]["new"] == 3
