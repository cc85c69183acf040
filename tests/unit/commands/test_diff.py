"""`diff` says what a change of the rules means."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.rules.extensions import use_extensions

WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/prod"
RULES = f"""\
version: 1
workspaces: {{prod: {WORKSPACE}}}
connections: {{team: {{type: apprise, url: "json://localhost"}}}}
rules:
  - id: kept
    event: model.registered
    where: {{model: {{tags: {{stage: production}}}}}}
    do: [{{uses: notify, with: {{to: team, subject: New, text: model}}}}]
"""
MORE = """\
  - id: more
    event: run.completed
    do: [{uses: notify, with: {to: team, subject: Done, text: run}}]
"""
EVENT = {
    "id": "e1",
    "topic": WORKSPACE,
    "subject": "models/net:1",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2030-01-01T00:00:00Z",
    "data": {"modelName": "net", "modelVersion": "1", "modelTags": {"stage": "production"}},
}

OWN_OPERATOR = """\
from mlevents.conditions.condition import Condition, operator

@operator("has-word")
class HasWord(Condition):
    def __init__(self, operand: object) -> None:
        self.operand = operand

    def holds(self, value: object) -> bool:
        return value == self.operand
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `diff` in a folder with the rules `old.yaml`."""
    (tmp_path / "old.yaml").write_text(RULES)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.json").write_text(json.dumps(EVENT))
    monkeypatch.chdir(tmp_path)
    for name in ("MLEVENTS_RULES", "MLEVENTS_ENV"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(build_app(), ["diff", *arguments], catch_exceptions=False)

    return run


def told(result: Result, code: int = 1) -> dict[str, Any]:
    assert result.exit_code == code, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_the_same_rules_make_no_difference(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "new.yaml").write_text(RULES + "# only a comment\n")
    result = run("old.yaml", "new.yaml", "--events", "events")
    assert (result.exit_code, result.output) == (0, "The rules mean the same.\n")
    assert told(run("old.yaml", "new.yaml", "--json"), 0)["different"] is False


def test_a_changed_gate_is_named_with_its_parameter(run: Callable[..., Result], tmp_path: Path):
    gates = 'max_age: 24h\n    throttle: {key: "${model.name}", once_per: 12h}\n    do:'
    (tmp_path / "old.yaml").write_text(RULES.replace("do:", gates))
    (tmp_path / "new.yaml").write_text(
        RULES.replace("do:", gates.replace("12h", "24h").replace("24h", "48h", 1))
    )
    assert told(run("old.yaml", "new.yaml", "--json"))["changed"] == [
        {
            "id": "kept",
            "changes": [
                {"path": "max_age", "before": '"86400s"', "after": '"172800s"'},
                {"path": "throttle.once_per", "before": '"43200s"', "after": '"86400s"'},
            ],
        }
    ]


def test_rules_added_and_removed_change_filters(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "new.yaml").write_text(RULES + MORE)
    found = told(run("old.yaml", "new.yaml", "--json"))
    assert (found["added"], found["removed"], found["changed"]) == (["more"], [], [])
    assert found["filters"] == [
        {
            "path": "RunCompleted.includedEventTypes",
            "before": None,
            "after": '["Microsoft.MachineLearningServices.RunCompleted"]',
        }
    ]
    assert told(run("new.yaml", "old.yaml", "--json"))["removed"] == ["more"]


def test_a_changed_condition_is_named_with_the_events_that_it_decides(
    run: Callable[..., Result], tmp_path: Path
):
    (tmp_path / "new.yaml").write_text(
        RULES.replace("stage: production", "stage: prod, hold: {absent: true}")
    )
    found = told(run("old.yaml", "new.yaml", "--events", "events", "--json"))
    assert found["changed"] == [
        {
            "id": "kept",
            "changes": [
                {"path": "where.model.tags.stage", "before": '"production"', "after": '"prod"'},
                {"path": "where.model.tags.hold", "before": None, "after": '{"absent": true}'},
            ],
        }
    ]
    [decided] = found["events"]
    assert (decided["rule"], decided["before"], decided["after"]) == ("kept", True, False)
    assert decided["because"]["path"] == "where.model.tags.stage"
    lines = run("old.yaml", "new.yaml", "--events", "events").output
    assert '  where.model.tags.stage: "production" → "prod"\n' in lines
    assert "kept: fires → does not fire for model.registered models/net:1" in lines


def test_rights_that_a_new_step_needs_are_listed(run: Callable[..., Result], tmp_path: Path):
    step = "{uses: deploy_model, with: {endpoint: e, template: small.yaml}}"
    (tmp_path / "small.yaml").write_text("instance_type: Standard_DS3_v2\ninstance_count: 1\n")
    (tmp_path / "new.yaml").write_text(RULES.replace("do: [", f"do: [{step}, "))
    found = told(run("old.yaml", "new.yaml", "--json"))
    [right] = found["rights"]
    assert right["path"] == f"workspace {WORKSPACE}"
    assert right["before"] is None
    assert "onlineEndpoints/write" in right["after"]


def test_markdown_is_no_markup_of_its_values(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "new.yaml").write_text(RULES.replace("stage: production", "stage: '<b>**x**</b>'"))
    lines = run("old.yaml", "new.yaml", "--markdown").output.splitlines()
    assert lines[0] == "### Rule kept changed"
    assert lines[1] == '- `` where.model.tags.stage: "production" → "<b>**x**</b>" ``'


def test_an_environment_applies_to_both_sides(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text("modes: {kept: shadow}\n")
    (tmp_path / "new.yaml").write_text(RULES.replace("event: model", "mode: shadow\n    event: model"))
    assert run("old.yaml", "new.yaml").exit_code == 1
    assert run("old.yaml", "new.yaml", "--env", "dev").exit_code == 0


STEP = "{uses: deploy_model, with: {endpoint: e, template: small.yaml}}"
DEPLOYING = RULES.replace("do: [", f"do: [{STEP}, ")


def commit(folder: Path) -> None:
    """Put everything in the folder into a commit of a repository there."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "some")):
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_a_change_of_a_template_is_named_and_the_template_is_not_printed(
    run: Callable[..., Result], tmp_path: Path
):
    lines = ["instance_type: Standard_DS3_v2", "instance_count: 1", "tags:"]
    lines += [f"  tag-{number}: text" for number in range(200)]
    (tmp_path / "small.yaml").write_text("\n".join(lines))
    (tmp_path / "rules.yaml").write_text(DEPLOYING)
    commit(tmp_path)
    (tmp_path / "small.yaml").write_text("\n".join(lines).replace("count: 1", "count: 3"))
    output = run("git:HEAD").output
    assert output == "Other sections\n  files.small.yaml.instance_count: 1 → 3\n\n"
    [added] = told(run("old.yaml", "rules.yaml", "--json"))["sections"]
    assert added["path"] == "files.small.yaml"
    assert added["before"] is None
    assert added["after"].startswith("203 lines (")


def test_changes_of_extensions_and_message_templates_are_named(run: Callable[..., Result], tmp_path: Path):
    for folder in ("before/templates", "after/templates", "after/extensions"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "before/templates/own.txt").write_text("One\n\none line")
    (tmp_path / "after/templates/own.txt").write_text("One\n\nanother line")
    (tmp_path / "after/extensions/words.py").write_text(OWN_OPERATOR)
    for folder in ("before", "after"):
        (tmp_path / folder / "rules.yaml").write_text(RULES)
    changes = told(run("before/rules.yaml", "after/rules.yaml", "--json"))["sections"]
    added, changed = sorted(changes, key=lambda one: one["path"])
    assert (added["path"].replace('"', ""), added["before"]) == ("files.extensions/words.py", None)
    assert changed["before"] != changed["after"]
    assert "own.txt" in changed["path"]
    use_extensions(tmp_path / "nowhere" / "rules.yaml")


def test_of_a_long_text_people_see_what_is_around_the_difference(run: Callable[..., Result], tmp_path: Path):
    text = "word " * 100
    (tmp_path / "one.yaml").write_text(RULES.replace("text: model", f"text: {text}one {text}"))
    (tmp_path / "two.yaml").write_text(RULES.replace("text: model", f"text: {text}two {text}"))
    line = next(line for line in run("one.yaml", "two.yaml").output.splitlines() if "text" in line)
    assert len(line) < 330
    assert "one" in line.split("→")[0]
    assert "two" in line.split("→")[1]
    [changed] = told(run("one.yaml", "two.yaml", "--json"))["changed"]
    assert len(changed["changes"][0]["after"]) > 1000


def test_every_environment_is_compared_and_one_with_the_same_differences_says_so(
    run: Callable[..., Result], tmp_path: Path
):
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text("modes: {kept: shadow}\n")
    (tmp_path / "rules.yaml").write_text(RULES)
    commit(tmp_path)
    changed = RULES.replace("stage: production", "stage: prod")
    (tmp_path / "rules.yaml").write_text(changed)
    (tmp_path / "environments" / "prod.yaml").write_text("workspaces: {other: " + WORKSPACE + "}\n")
    found = told(run("git:HEAD", "--all-environments", "--json"))["environments"]
    assert sorted(found) == ["dev", "prod"]
    assert {one["path"] for one in found["prod"]["sections"]} == {"workspaces.other", "workspaces.prod"}
    lines = run("git:HEAD", "--all-environments", "--markdown").output.splitlines()
    assert lines[lines.index("## Environment dev") + 1] == "The same differences as above."
    assert lines[lines.index("## Environment prod") + 1] == "### Rule kept changed"
    commit(tmp_path)
    (tmp_path / "environments" / "dev.yaml").write_text("modes: {kept: disabled}\n")
    lines = run("git:HEAD", "--all-environments").output.splitlines()
    assert lines[0] == "The rules mean the same."
    assert '  mode: "shadow" → "disabled"' in lines[lines.index("Environment dev") :]
    assert lines[lines.index("Environment prod") + 1] == "The rules mean the same."


def test_an_environment_that_cannot_be_read_hides_no_other(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text("modes: {none: shadow}\n")
    (tmp_path / "environments" / "prod.yaml").write_text("modes: {kept: shadow}\n")
    (tmp_path / "rules.yaml").write_text(RULES)
    found = told(run("old.yaml", "rules.yaml", "--all-environments", "--json"), 2)["environments"]
    assert "unknown rule 'none'" in found["dev"]["error"]
    assert found["prod"]["different"] is False


@pytest.mark.parametrize(
    ("before", "said"),
    [(None, "this commit has no 'rules.yaml'"), ("rules: [", "git:HEAD:rules.yaml:1:")],
)
def test_markdown_says_why_a_side_cannot_be_read(
    run: Callable[..., Result], tmp_path: Path, before: str | None, said: str
):
    if before:
        (tmp_path / "rules.yaml").write_text(before)
    commit(tmp_path)
    (tmp_path / "rules.yaml").write_text(RULES)
    result = run("git:HEAD", "--markdown")
    assert (result.exit_code, result.stderr) == (2, "")
    assert result.stdout.startswith("The rules cannot be compared:\n\n- `` ")
    assert said in result.stdout
    plain = run("git:HEAD")
    assert (plain.exit_code, plain.stdout) == (2, "")
    assert said in plain.stderr
    assert plain.stderr.splitlines()[-1].startswith("Error: ")


def test_without_new_the_rules_are_those_of_the_folder_or_of_the_setting(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "rules.yaml").write_text(RULES)
    commit(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules.yaml").rename(tmp_path / "rules" / "team.yaml")
    assert run("git:HEAD").exit_code == 0, "the same rules, in a folder now"
    (tmp_path / "other.yaml").write_text(RULES + MORE)
    monkeypatch.setenv("MLEVENTS_RULES", "other.yaml")
    assert told(run("git:HEAD:rules.yaml", "--json"))["added"] == ["more"]


def test_a_line_of_markdown_ends_only_where_it_should(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "new.yaml").write_text(RULES.replace("stage: production", "stage: 'a``b <b>'"))
    line = run("old.yaml", "new.yaml", "--markdown").output.splitlines()[1]
    assert line == '- ``` where.model.tags.stage: "production" → "a``b <b>" ```'


def test_events_come_from_one_place(run: Callable[..., Result]):
    result = run("old.yaml", "old.yaml", "--events", "events", "--workspace", "prod")
    assert result.exit_code == 2
    assert "--events and --workspace: choose one" in result.stderr


def test_a_commit_is_one_side(run: Callable[..., Result], tmp_path: Path):
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "rules.yaml").write_text(RULES)
    git("add", "-A")
    git("commit", "-qm", "first")
    (tmp_path / "rules.yaml").write_text(RULES + MORE)
    assert told(run("git:HEAD", "rules.yaml", "--json"))["added"] == ["more"]
    assert told(run("git:HEAD:old.yaml", "rules.yaml", "--json"))["added"] == ["more"]
    assert run("git:HEAD", "git:HEAD").exit_code == 0
    for name in ("git:nowhere", "git:--output=x", "git:HEAD:none.yaml", "none.yaml"):
        assert run(name, "rules.yaml").exit_code == 2
    assert not (tmp_path / "x").exists()


def test_rules_outside_the_repository_are_in_no_commit(
    run: Callable[..., Result], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "a"]
    subprocess.run([*commit, "--allow-empty"], cwd=tmp_path, check=True)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "rules.yaml"
    elsewhere.write_text(RULES)
    done = run("git:HEAD", str(elsewhere))
    assert done.exit_code == 2
    assert "is outside the repository" in done.stderr
    assert "write git:REF:PATH" in done.stderr
