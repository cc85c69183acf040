"""`backtest` compares two rule files on the same events."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app

WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/prod"
RULES = """\
version: 1
%s
connections: {team: {type: apprise, url: {setting: HOOK}}}
rules:
  - id: production
    event: model.registered
    where: {model: {tags: {stage: production%s}}}
    do: [{uses: notify, with: {to: team, template: model-deployed}}]
  - id: %s
    event: "*"
    do: [{uses: notify, with: {to: team, template: model-deployed}}]
"""


def registered(name: str, **tags: str) -> dict[str, object]:
    return {
        "id": f"e-{name}",
        "topic": WORKSPACE,
        "subject": f"models/{name}:1",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2030-01-01T00:00:00Z",
        "data": {"modelName": name, "modelVersion": "1", "modelTags": tags},
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `backtest` in a folder with two rule files, and events in files of their own."""
    (tmp_path / "rules.yaml").write_text(RULES % ("", ", hold: {absent: true}", "all"))
    (tmp_path / "old.yaml").write_text(RULES % ("", "", "all"))
    events = tmp_path / "events" / "deep"
    events.mkdir(parents=True)
    free, held = registered("free", stage="production"), registered("held", stage="production", hold="x")
    (events / "a.jsonl").write_text(f"{json.dumps(free)}\n{json.dumps(free)}\n")
    (events.parent / "b.json").write_text(json.dumps([held]))
    (events.parent / "c.txt").write_text("not read")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)

    def run(*arguments: str) -> Result:
        runner = CliRunner(env={"HOOK": "json://localhost"})
        return runner.invoke(build_app(), ["backtest", *arguments], catch_exceptions=False)

    return run


def told(run: Callable[..., Result], *arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_people_see_how_often_each_rule_would_fire_and_what_differs(run: Callable[..., Result]):
    result = run("events", "--against", "old.yaml")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "             before    after",
        "production        2        1",
        "all               2        2",
        "production",
        '  1 event: no longer match (where.model.tags.hold: wanted {"absent": true})',
        '    model.registered  models/held:1  e-held  found "x"  events/b.json',
        "3 events, 1 of them with a difference",
    ]


def test_programs_see_it_too(run: Callable[..., Result]):
    assert told(run, "events", "--against", "old.yaml") == {
        "events": 3,
        "rules": [{"id": "production", "before": 2, "after": 1}, {"id": "all", "before": 2, "after": 2}],
        "groups": [
            {
                "rule": "production",
                "change": 'no longer match (where.model.tags.hold: wanted {"absent": true})',
                "events": 1,
            }
        ],
        "different": [
            {
                "file": "events/b.json",
                "id": "e-held",
                "type": "model.registered",
                "subject": "models/held:1",
                "rule": "production",
                "before": True,
                "after": False,
                "because": {"path": "where.model.tags.hold", "wanted": {"absent": True}, "found": "x"},
            }
        ],
        "errors": [],
    }


def test_a_rule_that_only_one_file_has_is_told(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules.yaml").write_text(RULES % ("", "", "every"))
    document = told(run, "events/b.json", "--against", "old.yaml")
    assert document["rules"] == [
        {"id": "production", "before": 1, "after": 1},
        {"id": "every", "before": None, "after": 1},
        {"id": "all", "before": 1, "after": None},
    ]
    assert [(one["rule"], one["before"], one["after"], one["because"]) for one in document["different"]] == [
        ("all", True, None, None),
        ("every", None, True, None),
    ]
    assert [(one["rule"], one["change"]) for one in document["groups"]] == [
        ("all", "no longer match, because the rule is gone"),
        ("every", "match the new rule"),
    ]


def test_events_that_differ_for_one_reason_are_one_group(run: Callable[..., Result], tmp_path: Path):
    held = [registered(f"held-{number}", stage="production", hold=str(number)) for number in range(5)]
    (tmp_path / "many.json").write_text(json.dumps(held))
    lines = run("many.json", "--against", "old.yaml").stdout.splitlines()
    at = lines.index('  5 events: no longer match (where.model.tags.hold: wanted {"absent": true})')
    assert [line.partition("found ")[2] for line in lines[at + 1 : at + 4]] == [
        f'"{number}"  many.json' for number in range(3)
    ]
    assert lines[at + 4] == "    and 2 more: --json lists all"
    document = told(run, "many.json", "--against", "old.yaml")
    assert [one["events"] for one in document["groups"]] == [5]
    assert len(document["different"]) == 5


def test_one_rule_file_alone_is_counted(run: Callable[..., Result]):
    assert run("events").stdout.splitlines() == [
        "            responses",
        "production          1",
        "all                 2",
        "3 events",
    ]
    document = told(run, "events")
    assert document["rules"][0] == {"id": "production", "before": None, "after": 1}
    assert (document["different"], document["groups"]) == ([], [])


def test_a_workspace_that_is_not_listed_fires_nothing(run: Callable[..., Result], tmp_path: Path):
    listed = f"workspaces: {{other: {WORKSPACE}-2}}"
    (tmp_path / "rules.yaml").write_text(RULES % (listed, "", "all"))
    document = told(run, "events/b.json", "--against", "old.yaml")
    assert document["different"][0]["because"] == {
        "path": "workspaces",
        "wanted": ["other"],
        "found": WORKSPACE,
    }


def test_the_same_rules_make_no_difference(run: Callable[..., Result]):
    assert told(run, "events", "events/b.json", "--against", "rules.yaml", "--same")["different"] == []


def test_a_difference_fails_where_none_is_wanted(run: Callable[..., Result]):
    assert run("events", "--against", "old.yaml", "--same").exit_code == 1


def test_an_event_that_cannot_be_understood_is_told_and_fails(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "events" / "d.json").write_text('[{"id": 1}]')
    result = run("events", "--against", "old.yaml")
    assert result.exit_code == 1
    assert "events/d.json: this event cannot be read: id: 1 is not text" in result.stdout
    [error] = json.loads(run("events", "--against", "old.yaml", "--json").stdout)["errors"]
    assert error["file"] == "events/d.json"


def test_what_is_no_json_is_a_problem(run: Callable[..., Result]):
    result = run("events/c.txt", "--against", "old.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: events/c.txt:1:1: is not valid JSON")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.json", "--against", "old.yaml"], "none.json: cannot be read: No such file or directory\n"),
        (["events", "--against", "none.yaml"], "none.yaml: this rule file does not exist"),
        (["empty", "--against", "old.yaml"], "empty: contains no file that ends in .json, .jsonl, .ndjson\n"),
        ([], "give either EVENTS, files and folders of events, or --workspace\n"),
        (["events", "--workspace", "prod"], "give either EVENTS, files and folders of events"),
        (["events", "--same"], "--same compares with another rule file: name it with --against\n"),
        (["events", "--save", "new"], "--save is for events from a workspace: name it with --workspace\n"),
        (["--workspace", "prod"], "the rule file lists no workspace 'prod'; a resource id will do too\n"),
    ],
)
def test_wrong_usage(run: Callable[..., Result], tmp_path: Path, arguments: list[str], told: str):
    (tmp_path / "empty").mkdir()
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(f"Error: {told}".rstrip())


def test_the_rules_may_be_an_argument(run: Callable[..., Result], tmp_path: Path):
    assert [one["id"] for one in told(run, "old.yaml", "events")["rules"]] == ["production", "all"]
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "own.yml").write_text(RULES % ("", "", "of-the-team"))
    assert [one["id"] for one in told(run, "events", "team/own.yml")["rules"]] == [
        "production",
        "of-the-team",
    ]
    result = run("events", "old.yaml", "rules.yaml")
    assert result.exit_code == 2
    assert result.stderr == "Error: the rules are 'old.yaml' and 'rules.yaml': name them once\n"
