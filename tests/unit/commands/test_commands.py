"""The commands, as people and programs meet them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app

ROOT = Path(__file__).resolve().parents[3]
WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/prod"
RULES = f"""\
version: 1
workspaces: {{prod: {WORKSPACE}}}
connections: {{team: {{type: apprise, url: {{setting: HOOK}}}}}}
rules:
  - id: production
    event: model.registered
    where: {{model: {{tags: {{stage: production, hold: {{absent: true}}}}}}}}
    do: [{{uses: notify, with: {{to: team, template: model-deployed}}}}]
  - id: drift
    event: drift.detected
    mode: shadow
    do: [{{uses: notify, with: {{to: team, template: model-deployed}}}}]
filters: narrow
defaults: {{on_failure: []}}
"""


def registered(**tags: str) -> dict[str, object]:
    return {
        "id": "e1",
        "topic": WORKSPACE,
        "subject": "models/net:7",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2025-01-01T00:00:00Z",
        "data": {"modelName": "net", "modelVersion": "7", "modelTags": tags},
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a folder that holds `rules.yaml`."""
    (tmp_path / "rules.yaml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)

    def run(*arguments: str, given: str = "", **environment: str) -> Result:
        runner = CliRunner(env={"HOOK": "json://localhost", **environment})
        return runner.invoke(build_app(), arguments, input=given, catch_exceptions=False)

    return run


def test_check_is_content_with_a_good_file(run: Callable[..., Result]):
    result = run("check")
    assert (result.exit_code, result.output) == (0, "rules.yaml: 2 rules, no problems\n")
    assert json.loads(run("check", "--json").stdout) == {"ok": True, "rules": 2, "tests": 0, "problems": []}


def test_check_shows_every_problem_and_fails(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules.yaml").write_text(
        RULES.replace("stage:", "stag: {prefx: x}, stage:").replace("uses", "use")
    )
    result = run("check")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == (
        "rules.yaml:7:35: production.where.model.tags.stag.prefx: "
        "unknown operator 'prefx' (did you mean 'prefix'?)"
    )
    assert result.stdout.splitlines()[-1] == "rules.yaml: 3 problems"
    document = json.loads(run("check", "--json").stdout)
    assert document["ok"] is False
    assert document["problems"][0] == {
        "file": "rules.yaml",
        "line": 7,
        "column": 35,
        "path": "rules[0].where.model.tags.stag.prefx",
        "text": "unknown operator 'prefx' (did you mean 'prefix'?)",
        "rule": "production",
        "message": "unknown operator 'prefx'",
        "hint": "did you mean 'prefix'?",
        "severity": "error",
    }


def test_check_runs_the_tests_of_the_file(run: Callable[..., Result], tmp_path: Path):
    given = "{model.registered: {model: {name: net, tags: {stage: draft}}, workspace: prod}}"
    test = f"tests:\n  - name: a draft stays\n    given: {given}\n    expect: %s\n"
    (tmp_path / "rules.yaml").write_text(RULES + test % "{not: {production: where.model.tags.stage}}")
    assert run("check").output == "rules.yaml: 2 rules, 1 test, no problems\n"
    (tmp_path / "rules.yaml").write_text(RULES + test % "production")
    result = run("check")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        "rules.yaml:18:5: tests[0].expect: 'a draft stays': expected production to match, "
        'but where.model.tags.stage fails: wanted "production", found "draft"',
    )
    [problem] = json.loads(run("check", "--json").stdout)["problems"]
    assert (problem["line"], problem["path"], problem["severity"]) == (18, "tests[0].expect", "error")
    assert run("explain", "-", given=json.dumps(registered())).exit_code == 0


def test_check_warns_of_settings_that_are_not_set_here(run: Callable[..., Result]):
    result = run("check", "--json", HOOK="")
    [problem] = json.loads(result.stdout)["problems"]
    assert (result.exit_code, problem["severity"], problem["path"]) == (0, "warning", "connections.team.url")


def test_the_rule_file_is_chosen_by_option_or_setting(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules.yaml").rename(tmp_path / "mine.yaml")
    assert run("check", "--rules", "mine.yaml").exit_code == 0
    assert run("check", MLEVENTS_RULES="mine.yaml").exit_code == 0
    missing = run("check")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert missing.stderr == "Error: rules.yaml: this rule file does not exist: name another with --rules\n"


def test_a_bad_setting_is_wrong_usage(run: Callable[..., Result]):
    result = run("check", MLEVENTS_MODE="lve")
    assert result.exit_code == 2
    assert "MLEVENTS_MODE is 'lve' (did you mean 'live'?)" in result.stderr


def test_explain_says_why_to_people(run: Callable[..., Result]):
    result = run("explain", "-", given=json.dumps(registered(stage="production", hold="legal")))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "model.registered  models/net:7  e1",
        '  ✗ production: where.model.tags.hold: wanted {"absent": true}, found "legal"',
        "      model",
        "        tags",
        '          ✓ stage equals "production": "production"',
        '          ✗ hold absent: "legal"',
        '  ✗ drift (shadow): event: wanted "drift.detected", found "model.registered"',
        "  ! Event Grid would not deliver it: "
        "the filter of ModelRegistered requires data.modelTags.hold IsNullOrUndefined",
    ]


def test_explain_says_why_to_programs(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "event.json").write_text(json.dumps([registered(stage="Production"), registered()]))
    document = json.loads(run("explain", "event.json", "--json").stdout)
    first, second = document["events"]
    because = {"path": "event", "wanted": "drift.detected", "found": "model.registered"}
    assert first == {
        "id": "e1",
        "type": "model.registered",
        "subject": "models/net:7",
        "rules": [
            {"id": "production", "matches": True, "because": None, "delivered": True},
            {"id": "drift", "matches": False, "because": because, "delivered": True},
        ],
    }
    missing = {"path": "where.model.tags.stage", "wanted": "production", "found": None}
    assert second["rules"][0] == {
        "id": "production",
        "matches": False,
        "because": missing,
        "delivered": False,
    }


def test_explain_says_that_a_workspace_is_not_listed(run: Callable[..., Result]):
    event = registered(stage="production") | {"topic": WORKSPACE + "2"}
    assert "refused: the rule file lists no workspace" in run("explain", "-", given=json.dumps(event)).stdout


def test_explain_goes_on_after_an_event_that_cannot_be_understood(run: Callable[..., Result]):
    given = json.dumps([{"id": 1}, registered()])
    result = run("explain", "-", given=given)
    assert result.exit_code == 1
    assert result.stdout.startswith("this event cannot be read: ")
    assert "model.registered  models/net:7" in result.stdout
    bad, good = json.loads(run("explain", "-", "--json", given=given).stdout)["events"]
    assert (bad["id"], bad["rules"], good["id"]) == (None, [], "e1")
    assert bad["error"]


def test_explain_of_a_file_that_is_no_event_is_an_error_as_of_every_command(
    run: Callable[..., Result], tmp_path: Path
):
    (tmp_path / "notes.txt").write_text("version: 1")
    result = run("explain", str(tmp_path / "notes.txt"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "notes.txt:1:1: is not valid JSON" in " ".join(result.stderr.split())
    assert result.stderr.endswith("name a file of events\n")


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("none.json", "", "none.json: cannot be read: No such file or directory\n"),
        ("empty", "", "empty: contains no file that ends in .json, .jsonl, .ndjson\n"),
    ],
)
def test_explain_leaves_where_there_is_no_file(
    run: Callable[..., Result], tmp_path: Path, name: str, given: str, told: str
):
    (tmp_path / "empty").mkdir()
    result = run("explain", name, given=given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {told}")


def test_what_is_no_json_is_an_event_that_cannot_be_understood(run: Callable[..., Result]):
    result = run("explain", "-", "--json", given='{"a": ')
    [bad] = json.loads(result.stdout)["events"]
    assert (result.exit_code, bad["id"], bad["rules"]) == (1, None, [])
    assert bad["error"].startswith("-:1:7: is not valid JSON")


def test_explain_leaves_where_the_rules_have_problems(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules.yaml").write_text("version: 1\n")
    result = run("explain", "-", given="{}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("rules.yaml:1:1: 'rules' is missing: list the rules")


def test_what_an_event_says_cannot_steer_the_terminal(run: Callable[..., Result]):
    event = registered(stage="\x1b[2J[red]x") | {"id": "e\x1b]0;x\x07[bold]"}
    shown = run("explain", "-", given=json.dumps(event)).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert r"e\x1b]0;x\x07[bold]" in shown
    assert r"\u001b[2J[red]x" in shown


def test_filters_are_shown_and_printed(run: Callable[..., Result]):
    document = json.loads(run("filters", "--json").stdout)
    assert set(document["ModelRegistered"]) == {
        "includedEventTypes",
        "subjectBeginsWith",
        "advancedFilters",
        "widened",
    }
    shown = run("filters").stdout
    assert "data.modelTags.stage StringIn production" in shown
    assert "ModelDeployed: no rule needs it" in shown
    assert "narrow: it is not verified whether Azure compares keys inside `data` with case" in shown


def test_safe_filters_ask_for_types_and_subjects_and_say_what_was_widened(
    run: Callable[..., Result], tmp_path: Path
):
    for text in (RULES.replace("filters: narrow", "filters: safe"), RULES.replace("filters: narrow", "")):
        (tmp_path / "rules.yaml").write_text(text)
        document = json.loads(run("filters", "--json").stdout)
        assert all(one["advancedFilters"] == [] for one in document.values())
        assert {(one["path"], one["reason"]) for one in document["ModelRegistered"]["widened"]} == {
            ("where.model.tags.stage", "`filters: safe` does not filter on keys inside `data`"),
            ("where.model.tags.hold", "`filters: safe` does not filter on keys inside `data`"),
        }
        [event] = json.loads(run("explain", "-", "--json", given=json.dumps(registered())).stdout)["events"]
        assert [rule["delivered"] for rule in event["rules"]] == [True, True]
        assert "narrow" not in run("filters").stdout


def test_a_width_of_filters_that_is_none_is_a_mistake(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules.yaml").write_text(RULES.replace("filters: narrow", "filters: narow"))
    assert (
        "filters: must be 'safe' or 'narrow', not the text 'narow' (did you mean 'narrow'?)"
        in run("check").stdout
    )


def test_the_committed_schema_is_the_one_that_is_printed(run: Callable[..., Result]):
    assert run("schema").stdout == (ROOT / "rules.schema.json").read_text()


def test_send_refuses_what_is_no_address(run: Callable[..., Result]):
    result = run("send", "-", "--to", "file:///etc/hosts", given="{}")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: 'file:///etc/hosts' is not an address: begin with http:// or https://\n",
    )
