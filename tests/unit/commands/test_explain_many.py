"""`explain` of many events: a summary, one rule alone, and tags that are there in another case."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app

WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/"
RULES = f"""\
version: 1
workspaces: {{prod: {WORKSPACE}prod, test: {WORKSPACE}test}}
connections: {{team: {{type: apprise, url: {{setting: HOOK}}}}}}
rules:
  - id: production
    event: model.registered
    where: {{model: {{tags: {{stage: production, hold: {{absent: true}}}}}}}}
    do: [{{uses: notify, with: {{to: team, template: model-deployed}}}}]
  - id: either
    event: model.registered
    where: {{any: [{{model: {{tags: {{team: risk}}}}}}, {{model: {{properties: {{kind: net}}}}}}]}}
    do: [{{uses: notify, with: {{to: team, template: model-deployed}}}}]
"""


def registered(name: str, tags: dict[str, str], **properties: str) -> dict[str, object]:
    members = {"modelName": name, "modelVersion": "1", "modelTags": tags, "modelProperties": properties}
    return {
        "id": f"e-{name}",
        "topic": f"{WORKSPACE}prod",
        "subject": f"models/{name}:1",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2030-01-01T00:00:00Z",
        "data": members,
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `explain` in a folder with a rule file; a list of events is its standard input."""
    (tmp_path / "rules.yaml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)

    def run(*arguments: str, events: list[dict[str, object]] | None = None) -> Result:
        arguments = ("explain", *(["-"] if events else []), *arguments)
        runner = CliRunner(env={"HOOK": "json://localhost"})
        return runner.invoke(build_app(), arguments, input=json.dumps(events), catch_exceptions=False)

    return run


MANY = [
    registered("good", {"stage": "production"}),
    registered("held", {"stage": "production", "hold": "x"}),
    registered("early", {"stage": "dev"}),
    registered("bare", {}),
]


def test_several_events_end_in_a_summary(run: Callable[..., Result]):
    lines = run(events=MANY).stdout.splitlines()
    at = lines.index("4 events")
    assert lines[at:] == [
        "4 events",
        "  ✓ production: 1 match",
        '      2 × where.model.tags.stage: wanted "production"',
        '      1 × where.model.tags.hold: wanted {"absent": true}',
        "  ✗ either: 0 matches",
        '      4 × where.any: wanted {"any": [{"model": {"tags": {"team": "risk"}}}, '
        '{"model": {"properties": {"kind": "net"}}}]}',
    ]
    summary = json.loads(run("--json", events=MANY).stdout)["summary"]
    assert summary[0] == {
        "id": "production",
        "matches": 1,
        "failed": [
            {"path": "where.model.tags.stage", "wanted": "production", "events": 2},
            {"path": "where.model.tags.hold", "wanted": {"absent": True}, "events": 1},
        ],
    }


def test_one_event_has_no_summary(run: Callable[..., Result]):
    assert "1 event" not in run(events=MANY[:1]).stdout
    assert set(json.loads(run("--json", events=MANY[:1]).stdout)) == {"events"}


def test_more_than_a_screen_of_events_is_a_summary_unless_each_is_wanted(run: Callable[..., Result]):
    many = [registered(f"m{number}", {"stage": "production"}) for number in range(21)]
    assert run(events=many).stdout.splitlines()[0] == "21 events"
    assert len(json.loads(run("--json", events=many).stdout)["events"]) == 21
    for lines in (
        run("--each", events=many).stdout.splitlines(),
        run(events=many[:20]).stdout.splitlines(),
    ):
        assert lines[0] == "model.registered  models/m0:1  e-m0"


def test_one_rule_alone_is_explained(run: Callable[..., Result]):
    document = json.loads(run("--rule", "either", "--json", events=MANY).stdout)
    assert {rule["id"] for event in document["events"] for rule in event["rules"]} == {"either"}
    assert [one["id"] for one in document["summary"]] == ["either"]
    assert "production" not in run("--rule", "either", events=MANY[-1:]).stdout


def test_an_unknown_rule_is_wrong_usage(run: Callable[..., Result]):
    result = run("--rule", "prodction", events=MANY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: there is no rule 'prodction' (did you mean 'production'?)\n"


@pytest.mark.parametrize(
    ("tags", "properties", "hint"),
    [
        ({"Stage": "production"}, {}, "the model has the tag 'Stage', not 'stage'"),
        ({"stage": "production", "HOLD": "x"}, {}, "the model has the tag 'HOLD', not 'hold'"),
        ({"Team": "risk"}, {}, "the model has the tag 'Team', not 'team'"),
        ({}, {"KIND": "net"}, "the model has the property 'KIND', not 'kind'"),
    ],
)
def test_a_tag_in_another_case_is_named(
    run: Callable[..., Result], tags: dict[str, str], properties: dict[str, str], hint: str
):
    events = [registered("net", tags, **properties)]
    assert f"      ! {hint}: keys compare with case" in run(events=events).stdout.splitlines()
    rules = json.loads(run("--json", events=events).stdout)["events"][0]["rules"]
    assert [rule.get("hints") for rule in rules if "hints" in rule] == [[f"{hint}: keys compare with case"]]


def test_a_tag_that_is_there_as_written_needs_no_hint(run: Callable[..., Result]):
    events = [registered("net", {"stage": "dev", "Stage": "production", "other": "x"})]
    assert "keys compare with case" not in run(events=events).stdout


def test_a_folder_of_events_is_explained(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "saved" / "deep").mkdir(parents=True)
    (tmp_path / "saved" / "a.json").write_text(json.dumps(MANY[0]))
    (tmp_path / "saved" / "deep" / "b.jsonl").write_text(json.dumps(MANY[1]))
    document = json.loads(run("saved", "--json").stdout)
    assert [one["id"] for one in document["events"]] == ["e-good", "e-held"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name the events: EVENT.json, --model NAME:VERSION, --run ID, or --workspace NAME\n"),
        (["e.json", "--model", "m:1"], "give one of EVENT.json, --model, --run, or --workspace alone\n"),
        (["--run", "r", "--model", "m:1"], "give one of"),
        (["e.json", "--workspace", "prod"], "give one of"),
        (["--model", "m:1"], "name the workspace with --workspace: it is one of prod, test\n"),
        (
            ["--model", "m:1", "--workspace", "prd"],
            "the rule file lists no workspace 'prd' (did you mean 'prod'?); a resource id will do too\n",
        ),
        (["--workspace", "prod", "--since", "soon"], "'soon' is not a valid time: write one such as 30d"),
        (["e.json", "--save", "new"], "--save is for events from a workspace"),
    ],
)
def test_wrong_usage(run: Callable[..., Result], arguments: list[str], told: str):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {told}")
