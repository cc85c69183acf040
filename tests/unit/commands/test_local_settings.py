"""Commands read `local.settings.json` beside the rules."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.commands.command import read_settings

RULES = """\
version: 1
connections: {team: {type: apprise, url: {setting: TEAM_HOOK}}}
rules:
  - id: any
    event: model.registered
    do: [{uses: notify, with: {to: team, template: model-deployed}}]
    on_failure: []
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TEAM_HOOK", "MLEVENTS_ENV", "MLEVENTS_RULES"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path / "rules.yaml"


def write(folder: Path, **values: object) -> None:
    (folder / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))


def check(rules: Path) -> Result:
    return CliRunner().invoke(build_app(), ["check", str(rules)], catch_exceptions=False)


def test_a_setting_of_the_file_is_set_for_check(rules: Path):
    assert "TEAM_HOOK" in check(rules).output
    write(rules.parent, TEAM_HOOK="json://localhost")
    assert "TEAM_HOOK" not in check(rules).output


def test_the_file_is_beside_a_folder_of_rules_as_it_is_beside_a_file(rules: Path):
    folder = rules.parent / "rules"
    folder.mkdir()
    rules.rename(folder / "team.yaml")
    write(rules.parent, TEAM_HOOK="json://localhost")
    assert read_settings(folder).value("TEAM_HOOK") == "json://localhost"


def test_the_environment_wins(rules: Path, monkeypatch: pytest.MonkeyPatch):
    write(rules.parent, TEAM_HOOK="json://file", MLEVENTS_MODE="shadow")
    monkeypatch.setenv("TEAM_HOOK", "json://environment")
    settings = read_settings(rules)
    assert (settings.value("TEAM_HOOK"), settings.mode) == ("json://environment", "shadow")


def test_the_file_names_the_environment_unless_the_command_does(rules: Path):
    write(rules.parent, MLEVENTS_ENV="dev")
    assert read_settings(rules).rule_environment == "dev"
    assert read_settings(rules, "prod").rule_environment == "prod"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"Values": {"A": "1",}}', "local.settings.json:1:21: is not JSON"),
        ("[]", "must be an object with 'Values'"),
        ('{"Values": []}', "'Values' must be an object"),
        ('{"Values": {"PORT": 587}}', "the value of 'PORT' is not a text"),
        ('{"IsEncrypted": true, "Values": {"A": "c2VjcmV0"}}', "run `func settings decrypt`"),
        ("[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_no_value_is_printed(rules: Path, text: str, fault: str):
    (rules.parent / "local.settings.json").write_text(text)
    result = check(rules)
    assert result.exit_code == 2
    assert fault in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "587" not in result.stderr
    assert "c2VjcmV0" not in result.stderr
