"""How `check` prints problems: source lines for people, and three forms for programs."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from rich.cells import cell_len
from rich.text import Text
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.commands.terminal import wrap_text
from mlevents.rules.remedy import split_remedy

ROOT = Path(__file__).resolve().parents[3]
SARIF = json.loads((ROOT / "tests/data/sarif-2.1.0-slice.json").read_text())
RULES = """\
version: 1
connections: {team: {type: apprise, url: {setting: HOOK}}}
rules:
  - id: first
    event: model.registered
    do: [{uses: notify, with: {to: team, template: model-deployed}}]
  - id: alert
    event: model.registered
    where: {model: {name: {prefx: fraud-}}}
    do: [{uses: notify, with: {to: team, template: model-deployed}}]
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `check` on a text, with no app setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)

    def run(text: str, *options: str, file: str = "rules.yaml") -> Result:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
        return CliRunner().invoke(build_app(), ["check", "--rules", file, *options], catch_exceptions=False)

    return run


def test_the_source_line_has_a_caret_below_the_column_and_the_path_has_the_rules_id(
    check: Callable[..., Result],
):
    lines = check(RULES).stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "prefx" in line)
    assert lines[at : at + 3] == [
        "rules.yaml:9:28: alert.where.model.name.prefx: unknown operator 'prefx' (did you mean 'prefix'?)",
        "    9 |     where: {model: {name: {prefx: fraud-}}}",
        "      |                            ^",
    ]


@pytest.mark.parametrize("name", ["", "Not an id", "5", "[a]"])
def test_a_rule_without_a_valid_id_is_named_by_its_index(name: str, check: Callable[..., Result]):
    written = f'"{name}"' if name != "[a]" else name
    assert " rules[1].where.model.name.prefx: " in check(RULES.replace("id: alert", f"id: {written}")).stdout


@pytest.mark.parametrize("many", [0, 10, 200])
def test_the_caret_is_below_its_column_in_long_and_wide_lines(many: int, check: Callable[..., Result]):
    wide = "名" * many
    lines = check(RULES.replace("name: {", f"name: {{contains: x{wide}, ")).stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "prefx: unknown" in line)
    _, source, caret = lines[at : at + 3]
    assert cell_len(source) <= 80
    assert caret.index("^") == cell_len(source[: source.index("prefx")])


def test_a_line_that_may_hold_a_secret_is_not_printed(check: Callable[..., Result]):
    secret = "xoxb-" + "1234567890-" * 2 + "abcdefghijklmnop"
    text = RULES.replace("{setting: HOOK}", f'"slack://{secret}"').replace("prefx: fraud-", "prefix: fraud-")
    result = check(text)
    assert "connections.team.url" in result.stdout
    assert secret not in result.output
    step = f"uses: call_http, with: {{headers: {{x-api-key: {secret}}}}}"
    assert secret not in check(RULES.replace("uses: notify", step, 1)).output


def test_settings_that_are_not_set_share_one_line(check: Callable[..., Result]):
    text = RULES.replace("prefx", "prefix").replace("rules:", "workspaces: {a: '${env.ONE}'}\nrules:")
    unset = [line for line in check(text).stdout.splitlines() if "not set" in line]
    assert len(unset) == 1
    assert "HOOK, ONE" in unset[0]
    found = [one for one in json.loads(check(text, "--json").stdout)["problems"] if "not set" in one["text"]]
    assert [one["line"] for one in found] == [2, 3]


def test_json_has_the_index_the_id_the_message_and_the_hint(check: Callable[..., Result]):
    document = json.loads(check(RULES, "--json").stdout)
    [problem] = [one for one in document["problems"] if one["severity"] == "error"]
    assert problem == {
        "file": "rules.yaml",
        "line": 9,
        "column": 28,
        "path": "rules[1].where.model.name.prefx",
        "rule": "alert",
        "text": "unknown operator 'prefx' (did you mean 'prefix'?)",
        "message": "unknown operator 'prefx'",
        "hint": "did you mean 'prefix'?",
        "severity": "error",
    }
    assert document == json.loads(check(RULES, "--format", "json").stdout)


@pytest.mark.parametrize(
    ("text", "fact", "remedy"),
    [
        (
            "must be text, not the number 5: put it in quotes",
            "must be text, not the number 5",
            "put it in quotes",
        ),
        ("'a: write b' is wrong: use c", "'a: write b' is wrong", "use c"),
        (
            "this is not YAML: mapping values are not allowed",
            "this is not YAML: mapping values are not allowed",
            "",
        ),
        ("unknown 'x' (did you mean 'y'?): use z", "unknown 'x'", "did you mean 'y'? use z"),
        ("expected a to match, but b fails: wanted 1", "expected a to match, but b fails: wanted 1", ""),
    ],
)
def test_a_message_is_a_fact_and_a_remedy(text: str, fact: str, remedy: str):
    assert split_remedy(text) == (fact, remedy)


def test_github_gets_a_workflow_command_for_each_problem(check: Callable[..., Result]):
    result = check(RULES.replace("prefx", "'100%,\\n: x'".replace("'", '"')), "--format", "github")
    assert result.exit_code == 1
    [error] = [line for line in result.stdout.splitlines() if line.startswith("::error ")]
    head, _, message = error.removeprefix("::error ").partition("::")
    properties = dict(pair.split("=", 1) for pair in head.split(","))
    assert properties["file"] == "rules.yaml"
    assert (properties["line"], properties["col"]) == ("9", "28")
    assert properties["title"] == "alert.where.model.name.100%25%2C%0A%3A x"
    assert "100%25,%0A: x" in message
    assert [
        line for line in result.stdout.splitlines() if not line.startswith(("::error ", "::warning "))
    ] == []


def test_sarif_is_valid_and_says_where(check: Callable[..., Result]):
    result = check(RULES, "--format", "sarif", file="my rules/a.yaml")
    assert result.exit_code == 1
    log = json.loads(result.stdout)
    jsonschema.Draft202012Validator(SARIF).validate(log)
    [found] = [one for one in log["runs"][0]["results"] if one["level"] == "error"]
    [place] = found["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20rules/a.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 9, "startColumn": 28},
    }
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
    elsewhere = json.loads(check(RULES, "--format", "sarif", file=str(Path.cwd().parent / "b.yaml")).stdout)
    [address] = {
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for one in elsewhere["runs"][0]["results"]
    }
    assert address.startswith("file:///")


def test_an_unknown_format_is_wrong_usage(check: Callable[..., Result]):
    result = check(RULES, "--format", "xml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_lines_break_between_words_alone(width: int):
    text = (
        "  rules.yaml:7:9: the name is wrong, see /a/very/long/path/that/has-dashes/and/no/spaces at all: x y"
    )
    lines = [line.plain for line in wrap_text(Text(text), width)]
    assert " ".join(line.strip() for line in lines) == text.strip()
    assert all(len(line) <= width or " " not in line.strip() for line in lines)


def test_a_terminal_of_80_columns_gets_whole_words(tmp_path: Path):
    (tmp_path / "rules.yaml").write_text(RULES)
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mlevents", "check"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=slave, stderr=slave) as process:
        os.close(slave)
        printed = b""
        while chunk := _read(master):
            printed += chunk
    os.close(master)
    assert process.returncode == 1
    lines = printed.decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert "\n    " in "\n".join(lines)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


def test_a_broken_rule_file_is_printed_with_its_lines_by_every_command(
    check: Callable[..., Result], tmp_path: Path
):
    check(RULES)
    (tmp_path / "event.json").write_text("{}")
    result = CliRunner().invoke(build_app(), ["explain", "event.json"], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert "alert.where.model.name.prefx: unknown operator" in lines[0]
    assert lines[2].endswith("^")
    assert lines[-1] == "Error: rules.yaml: correct the rule file: `mlevents check` prints its problems"
