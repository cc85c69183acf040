"""Every command knows the elements beside the rules, and reports a broken one in one line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.rules.extensions import use_extensions
from mlevents.yamlfile.reader import parse_yaml
from tests.unit.markdown_page import read_page

ROOT = Path(__file__).resolve().parents[3]
PAGE = read_page(ROOT / "docs/extensions.md")
EXAMPLE = ROOT / "docs/examples/own-elements"
RULES = str(EXAMPLE / "rules.yaml")
REGISTERED = {
    "id": "1",
    "topic": "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/ml",
    "subject": "models/churn:3",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-01-01T00:00:00Z",
    "data": {"modelName": "churn", "modelVersion": "3", "modelTags": {"notes": "an urgent fix"}},
}


@pytest.fixture(autouse=True)
def no_own_elements() -> Iterator[None]:
    """Nothing stays registered for other tests."""
    yield
    use_extensions(ROOT / "nowhere" / "rules.yaml")


def run(*words: str, expected: int = 0) -> Result:
    done = CliRunner().invoke(build_app(), words)
    assert done.exit_code == expected, done.output
    return done


def ask(*words: str) -> Any:
    return json.loads(run(*words).stdout)


def make_project(folder: Path, text: str) -> Path:
    (folder / "extensions").mkdir()
    (folder / "extensions" / "own.py").write_text(text)
    (folder / "rules.yaml").write_text("version: 1\nrules: []\n")
    return folder / "rules.yaml"


def test_the_page_shows_the_files_of_the_example():
    shown = {fence.file: fence.text for fence in PAGE.fences if fence.file}
    files = [file for file in EXAMPLE.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert shown == {str(file.relative_to(ROOT)): file.read_text() for file in files}


def test_check_runs_the_tests_of_the_example():
    found = ask("check", RULES, "--json")
    assert (found["ok"], found["rules"], found["tests"]) == (True, 1, 2)


def test_the_schema_offers_the_elements_of_the_example():
    schema = ask("schema", RULES)
    written = parse_yaml(Path(RULES).read_text(), RULES).value
    assert [error.message for error in Draft202012Validator(schema).iter_errors(written)] == []
    for name in ("open_ticket", "ticket_system", "has-word", "quiet_days"):
        assert f'"{name}"' in json.dumps(schema)
        assert f'"{name}"' not in (ROOT / "rules.schema.json").read_text()


def test_filters_and_explain_know_the_operator_and_the_gate(tmp_path: Path):
    assert (
        ask("filters", RULES, "--json")["ModelRegistered"]["widened"][0]["path"] == "where.model.tags.notes"
    )
    event = tmp_path / "event.json"
    event.write_text(json.dumps(REGISTERED))
    [explained] = ask("explain", str(event), "--rules", RULES, "--json")["events"]
    assert [rule["matches"] for rule in explained["rules"]] == [True]
    assert "quiet_days days" in run("explain", str(event), "--rules", RULES).stdout


def test_doctor_lists_what_an_extension_may_do(tmp_path: Path):
    rules = make_project(
        tmp_path,
        """\
from mlevents.actions.action import Action, Done, action
from mlevents.services.permission import READER, WORKSPACE_SCOPE, Permission


@action("count_jobs")
class CountJobs(Action):
    permissions = (Permission(WORKSPACE_SCOPE, READER, ("Contoso.Jobs/count/read",)),)

    def perform(self, context, services):
        return Done("counted")
""",
    )
    workspace = REGISTERED["topic"]
    rules.write_text(
        f"version: 1\nworkspaces: {{ml: {workspace}}}\n"
        "rules:\n  - {id: count, event: run.completed, do: [{uses: count_jobs}], on_failure: []}\n"
    )
    needed = ask("doctor", "--needs", "--json", "--rules", str(rules))
    assert {"scope": "workspace", "resource": workspace, "actions": ["Contoso.Jobs/count/read"]}.items() <= (
        needed["resources"][0].items()
    )


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("filters",),
        ("schema",),
        ("explain", "event.json"),
        ("doctor", "--needs"),
        ("diff", "rules.yaml", "rules.yaml"),
        ("backtest", "event.json"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_reports_a_broken_one_in_one_line(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_project(tmp_path, "import json\n\n1 / 0\n")
    monkeypatch.chdir(tmp_path)
    Path("event.json").write_text(json.dumps(REGISTERED))
    done = CliRunner().invoke(build_app(), words)
    assert done.exit_code in (1, 2)
    line = "extensions/own.py:3:1: ZeroDivisionError: division by zero: correct the extension"
    assert (done.stdout + done.stderr).splitlines().count(line) == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_check_gives_the_place_to_programs(tmp_path: Path):
    rules = make_project(tmp_path, "import not_installed\n")
    done = run("check", str(rules), "--json", expected=1)
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["file"], problem["line"]) == (str(tmp_path / "extensions" / "own.py"), 1)


def test_diff_compares_the_rights_of_each_side(tmp_path: Path):
    text = """\
from mlevents.actions.action import Action, Done, action
from mlevents.services.permission import READER, WORKSPACE_SCOPE, Permission


@action("count_jobs")
class CountJobs(Action):
    permissions = (Permission(WORKSPACE_SCOPE, READER, ("Contoso.Jobs/{0}",)),)

    def perform(self, context, services):
        return Done("counted")
"""
    rules = []
    for name in ("read", "write"):
        (tmp_path / name).mkdir()
        rules.append(make_project(tmp_path / name, text.format(name)))
        rules[-1].write_text(
            f"version: 1\nworkspaces: {{ml: {REGISTERED['topic']}}}\n"
            "rules:\n  - {id: count, event: run.completed, do: [{uses: count_jobs}], on_failure: []}\n"
        )
    found = json.loads(run("diff", *map(str, rules), "--json", expected=1).stdout)
    (change,) = found["rights"]
    assert (change["before"], change["after"]) == ("Contoso.Jobs/read", "Contoso.Jobs/write")
