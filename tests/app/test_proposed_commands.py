"""Each command that is proposed to try is run against a sandbox, and its rule responds."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from mlevents.commands.first_commands import print_things_to_try, read_things_to_try
from sandbox.sandbox_process import ROOT, Stage

ALERT = """
    do: [{uses: notify, with: {to: team, subject: Look, text: "${event.subject}"}}]
"""
UNTESTED = f"""
version: 1
connections: {{team: {{type: apprise, url: {{setting: TEAMS_WORKFLOW_URL}}}}}}
rules:
  - id: deployed-anywhere
    event: model.deployed
    where: {{deployment: {{models: {{glob: "churn-*:[12]"}}}}}}{ALERT}
  - id: step-failed
    event: run.status_changed
    where:
      run: {{root: false, status: [failed, canceled], tags: {{"team's": {{contains: " a \\"b\\""}}}}}}{ALERT}
  - id: poor-recall
    event: drift.detected
    where: {{drift: {{breaches: {{any: {{metric: Recall, value: {{lt: 0.7}}}}}}}}}}{ALERT}
"""


@pytest.fixture(autouse=True)
def sandbox_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "00000000-0000-0000-0000-000000000000")


def check_commands(stage: Stage, rules: Path, folder: Path) -> list[str]:
    """Paste each proposed command; gives the rules that responded."""
    ready = folder / "it's ready.json"
    ready.write_text(json.dumps(stage.ready))
    found = []
    for one in read_things_to_try(rules, options=("--ready-file", str(ready))):
        answer = CliRunner().invoke(build_app(), [*shlex.split(one.command_line)[1:], "--json"])
        assert answer.exit_code == 0, answer.output
        document = json.loads(answer.stdout)
        responses = [response["rule"] for response in document["responses"]]
        assert one.rule in responses, (one.command_line, document)
        found.append(one.rule)
    return found


def test_the_commands_for_the_shipped_rules_fire_them(shipped: Stage, tmp_path: Path):
    found = check_commands(shipped, ROOT / "rules.yaml", tmp_path)
    assert found == ["deploy-production-models", "retrain-on-drift", "alert-failed-runs"]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ((ROOT / "mlevents/commands/project/rules.yaml").read_text(), ["deploy-released-models"]),
        (UNTESTED, ["deployed-anywhere", "step-failed", "poor-recall"]),
    ],
    ids=["a new project", "rules without tests"],
)
def test_the_commands_for_other_rules_fire_them(
    start: Callable[..., Stage], tmp_path: Path, text: str, rules: list[str]
):
    stage = start(text)
    assert check_commands(stage, tmp_path / "rules.yaml", tmp_path) == rules


def test_a_file_without_any_rule_to_try_shows_how_to_write_a_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
    print_things_to_try(tmp_path / "rules.yaml")
    assert "expect: the-id-of-a-rule" in capsys.readouterr().out
