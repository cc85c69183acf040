"""The documentation says what the code does: examples are loaded, commands run, tables compared.

A fence is told apart by its info: `yaml` is a rule file or any part of one, `yaml wrong` must be refused
with what the next fence says, and a second word with a dot names the file that it stands for, whose `tests:`
are run. `console` holds commands that are run, with what they print; `json fault` is asked of the sandbox.
"""

import json
import re
import shlex
import shutil
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from durabletask.client import OrchestrationStatus
from pydantic import BaseModel
from typer.testing import CliRunner

from mlevents import settings as settings_module
from mlevents.__main__ import build_app
from mlevents.actions.action import Action, action
from mlevents.actions.deploy_model.metric_check import Check
from mlevents.actions.deploy_model.parameters import Mirror, Probe, Rollout, SmokeTest, TrafficStep
from mlevents.actions.documents import parse_document
from mlevents.commands.command import command
from mlevents.conditions.condition import ANY, Membership, operator
from mlevents.errors import RulesError
from mlevents.events import NAMES
from mlevents.events.event_functions import functions
from mlevents.events.event_type import Items, NameType
from mlevents.events.studio_links import ENDPOINT_NAMES, STUDIO_PAGES
from mlevents.expressions.filters import FILTERS
from mlevents.gates.gate import gate
from mlevents.message_templates.template_engine import template_names
from mlevents.orchestration.step_status import StepStatus
from mlevents.responses.response_view import view_response
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Step
from mlevents.rules.rule_check import FAILURE_NAMES, RESPONSE_NAMES
from mlevents.rules.syntax import RuleSyntax, rule_file_model
from mlevents.services.connection import connection
from mlevents.settings import Settings
from mlevents.yamlfile.reader import parse_yaml
from sandbox.__main__ import command as sandbox
from sandbox.azure.faults import Faults
from tests.docs import rights_tables
from tests.unit.asked_settings import settings_asked_for
from tests.unit.markdown_page import Fence, Page, names, read_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CORE_TOOLS = ROOT / "docs/how-to/core-tools.md"
FACTORY = "/subscriptions/0/resourceGroups/g/providers/Microsoft.DataFactory/factories/f"
MACHINE_LEARNING = "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices"
CONNECTIONS = f"""\
connections:
  models: {{type: ml_registry, id: {MACHINE_LEARNING}/registries/contoso-models}}
  prod: {{type: ml_workspace, id: {MACHINE_LEARNING}/workspaces/ml-prod}}
  retraining: {{type: data_factory, id: {FACTORY}}}
  mlops-email: {{type: email, endpoint: {{setting: E}}, sender: a@example.com, to: [b@example.com]}}
  mlops-teams: {{type: apprise, url: {{setting: T}}}}
  catalogue: {{type: http, base: "https://catalogue.example.com"}}
  audit: {{type: storage_queue, account: staudit, queue: ml-events}}
  ml-cd: {{type: github, repository: example/ml-cd, token: {{setting: GITHUB_TOKEN}}}}
  ml-jira: {{type: jira, site: "https://a.atlassian.net", project: ML, user: a@b.c, token: {{setting: J}}}}
  ml-pipelines: {{type: azure_devops, organization: example, project: ml-platform}}
  lakehouse: {{type: event_hub, namespace: ehns-ml.servicebus.windows.net, hub: aml-events}}
"""
STEP = "    - {uses: notify, with: {to: mlops-teams, template: run-failed}}\n"
FAULT = json.loads((ROOT / "sandbox/azure/schemas/fault.json").read_text())
COMMANDS = {"mlevents": build_app(), "sandbox": sandbox}
FACTORIES = "Microsoft.DataFactory/factories"
LONGEST_LINE = 110
REFERENCE = (
    *("rules.md", "actions.md", "sandbox.md", "operations.md", "dependencies.md"),
    *("adding-an-element.md", "coming-from.md", "../README.md", "../CHANGELOG.md"),
)


def page(name: str) -> Page:
    return read_page(ROOT / "docs" / name)


def fences(language: str) -> list[Any]:
    found = [fence for path in DOCS for fence in read_page(path).fences if fence.info[:1] == [language]]
    return [pytest.param(fence, id=fence.place) for fence in found]


def column(document: str, heading: str, table: int = 0) -> list[str]:
    """The names in the first column of a table below this heading."""
    return names([row[0] for row in page(document).tables[heading][table][1:]])


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def rule_file(text: str) -> str:
    """A rule file around an example of a part of one; a test of its own reads the example's lines."""
    written = parse_yaml(text, "example").value
    if isinstance(written, list):
        if all("uses" in one for one in written):
            return rule_file("do:\n" + textwrap.indent(text, "  "))
        return f"version: 1\n{CONNECTIONS}rules:\n{textwrap.indent(text, '  ')}"
    assert isinstance(written, dict), "an example is a list or a mapping"
    if "version" in written:
        return text
    if written.keys() & {"defaults", "workspaces", "connections"}:
        return f"version: 1\n{text}{'' if 'connections' in written else CONNECTIONS}rules: []\n"
    if "uses" in written:
        return rule_file("do:\n  -\n" + textwrap.indent(text, "    "))
    own = {"id": "id: example\n", "event": 'event: "*"\n', "do": f"do:\n{STEP}"}
    missing = "".join(said for key, said in own.items() if key not in written)
    return f"version: 1\n{CONNECTIONS}rules:\n  -\n{textwrap.indent(missing + text, '    ')}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The app's folder as far as rules see it, with the files that the documentation shows."""
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments")
    shutil.copy(ROOT / "rules.yaml", tmp_path)
    for path in DOCS:
        for fence in read_page(path).fences:
            if fence.file:
                (tmp_path / fence.file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / fence.file).write_text(fence.text)
    return tmp_path


def load(text: str, folder: Path) -> None:
    load_rules_text(rule_file(text), folder / "rules.yaml", Settings(), require_settings=False)


@pytest.mark.parametrize("fence", fences("yaml"))
def test_every_yaml_example_loads_or_is_refused_as_it_says(fence: Fence, folder: Path):
    if fence.info[1:] == ["wrong"]:
        with pytest.raises(RulesError) as refusal:
            load(fence.text, folder)
        said = next_fence(fence).text.splitlines()
        assert len(refusal.value.problems) == len(said)
        assert [line for line in said if line not in str(refusal.value)] == []
    elif fence.file.startswith("deployments/"):
        assert parse_document(fence.file, fence.text)
    elif fence.file:
        load_and_test_rules(folder / fence.file, Settings(), require_settings=False)
    else:
        load(fence.text, folder)


def next_fence(fence: Fence) -> Fence:
    there = next(read_page(path).fences for path in DOCS if fence in read_page(path).fences)
    return there[there.index(fence) + 1]


@pytest.mark.parametrize(
    "broken",
    [
        "where: {model: {nmae: x}}",
        "- {uses: notfy}",
        "uses: notify\nwith: {to: nobody, template: run-failed}",
        "connections: {a: {type: smpt}}",
        "- id: x\n  event: model.registred\n  do: []",
        "whre: {}",
    ],
)
def test_a_broken_example_would_be_noticed(broken: str, folder: Path):
    with pytest.raises(RulesError):
        load(broken + "\n", folder)


@pytest.mark.parametrize("fence", fences("json"))
def test_every_json_example_is_json_and_every_fault_is_taken(fence: Fence):
    document = json.loads(fence.text)
    if fence.info[1:] == ["fault"]:
        assert Faults().add(document).left == document.get("times", 1)


def test_the_example_of_a_response_has_what_responses_have():
    shown = json.loads(next(one.text for one in page("operations.md").fences if "responses" in one.info))
    assert shown
    for one in shown:
        status = {name: one[name] for name in ("rule", "event", "status", "because")}
        steps = [{name: step[name] for name in ("id", "uses", "status", "detail")} for step in one["steps"]]
        told = {
            f"{one['id']}.{step['id']}": StepStatus.from_json(
                {name: step[name] for name in ("phases", "log") if name in step}
            )
            for step in one["steps"]
        }
        times = [datetime.fromisoformat(one[name]).replace(tzinfo=None) for name in ("created", "updated")]
        state = SimpleNamespace(
            instance_id=one["id"],
            name="response",
            runtime_status=OrchestrationStatus.COMPLETED,
            serialized_custom_status=json.dumps({**status, "steps": steps}),
            serialized_output=None,
            serialized_input=None,
            created_at=times[0],
            last_updated_at=times[1],
        )
        assert view_response(state, told).view.to_json() == one  # type: ignore[arg-type]


@pytest.mark.parametrize("fence", fences("console"))
def test_commands_print_what_the_documentation_shows(
    fence: Fence, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder)
    for name in ("AZURE_SUBSCRIPTION_ID", "COMMUNICATION_ENDPOINT", "TEAMS_WORKFLOW_URL", "MLEVENTS_RULES"):
        monkeypatch.delenv(name, raising=False)
    parts = fence.text.split("$ python -m mlevents ")[1:]
    assert parts, "a console fence shows a command"
    for part in parts:
        line, _, wanted = part.partition("\n")
        printed = CliRunner().invoke(build_app(), shlex.split(line)).output
        assert [text.rstrip() for text in printed.splitlines()] == wanted.splitlines()


def command_lines() -> Iterator[Any]:
    for path in DOCS:
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"python -m (mlevents|sandbox)\b(?!\.)([^`\n#|>]*)", text):
            line = text.count("\n", 0, found.start()) + 1
            words = shlex.split(found[2])
            if words not in ([], ["…"]):
                yield pytest.param(found[1], words, id=f"{path.name}:{line}")


@pytest.mark.parametrize(("program", "words"), list(command_lines()))
def test_every_command_line_names_a_command_and_its_options(program: str, words: list[str]):
    assert parse_command_line(program, words).info_name == words[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mlevents chekc", "chekc"),
        ("mlevents check --lound", "No such option"),
        ("sandbox up --prot 0", "No such option"),
    ],
)
def test_a_wrong_command_line_would_be_noticed(line: str, said: str):
    program, *words = line.split()
    with pytest.raises(Exception, match=said):
        parse_command_line(program, words)


def parse_command_line(program: str, words: list[str]) -> typer.Context:
    """The command that these words give, which is not run; raises what the program refuses."""
    commands: Mapping[str, Any] = typer.main.get_command(COMMANDS[program]).commands  # type: ignore[attr-defined]
    command, arguments = commands[words[0]], words[1:]
    found: typer.Context = command.make_context(
        words[0], arguments or ["--help"], resilient_parsing=not arguments
    )
    return found


def test_the_commands_of_the_documentation_are_the_commands_that_there_are():
    shown = [name.split()[3] for name in column("rules.md", "Commands")]
    assert sorted(shown) == command.names()


@pytest.mark.parametrize(
    ("document", "heading", "wanted"),
    [
        ("rules.md", "Operators", set(operator.names())),
        ("rules.md", "The file", keys(rule_file_model())),
        ("rules.md", "A rule", keys(RuleSyntax) | set(gate.names())),
        ("rules.md", "Steps", keys(Step)),
        ("rules.md", "Gates", set(gate.names())),
        ("rules.md", "Modes", set(settings_module.MODES)),
        ("actions.md", "Actions and connections", set(action.names())),
        ("sandbox.md", "Faults", set(FAULT["properties"])),
    ],
)
def test_the_tables_list_what_there_is(document: str, heading: str, wanted: set[str]):
    assert set(column(document, heading)) == wanted


def test_the_filters_and_the_values_of_a_failure_are_listed():
    assert column("rules.md", "Values", 1) == list(FILTERS)
    readable = {name for name in column("rules.md", "Values") if name.startswith("failure.")}
    assert readable == {f"failure.{name}" for name in FAILURE_NAMES["failure"]}


@pytest.mark.parametrize("row", page("rules.md").tables["Operators"][0][1:], ids=lambda row: row[0])
def test_every_operator_is_documented_for_the_types_on_which_it_can_hold(row: list[str]):
    (name,) = names([row[0]])
    kind = operator.find(name)
    documented = ANY if row[3] in ("any", "text, number, boolean, list") else set(row[3].split(", "))
    assert documented == (ANY if issubclass(kind, Membership) else kind.fits)
    ((_, operand),) = parse_yaml(names([row[4]])[0] if "(" not in row[4] else row[4][1:-1], "").value.items()
    assert kind(operand[name] if isinstance(operand, dict) else operand)


def test_the_names_of_events_are_those_that_rules_can_ask_for():
    shown: dict[str, dict[str, dict[str, str]]] = {kind: {} for kind in NAMES}
    for event, root, fields in page("rules.md").tables["Events and their names"][1][1:]:
        for kind in names([event]) or NAMES:
            shown[kind][names([root])[0]] = dict(re.findall(r"`(\w+)` (\w+)", fields))
    assert shown == {
        kind: {
            root: {name: describe_type(type_) for name, type_ in fields.items()}
            for root, fields in roots.items()
        }
        for kind, roots in NAMES.items()
    }


def test_the_links_are_those_that_steps_can_insert():
    links = {name for name in column("rules.md", "Links") if name.endswith(".link")}
    assert links == {f"{root}.link" for root in (*STUDIO_PAGES, *RESPONSE_NAMES)}
    known = {**ENDPOINT_NAMES, **RESPONSE_NAMES}
    others = {f"{root}.{name}" for root, fields in known.items() for name in fields}
    assert set(column("rules.md", "Links")) == links | others


def describe_type(type_: NameType) -> str:
    if isinstance(type_, Mapping):
        return "names"
    return "items" if isinstance(type_, Items) else type_


def test_the_fields_of_items_are_those_that_rules_can_ask_for():
    rows = page("rules.md").tables["Events and their names"][2][1:]
    shown = {name: dict(re.findall(r"`(\w+)` (\w+)", row[1])) for row in rows for name in names([row[0]])}
    assert shown == {
        f"{root}.{name}": type_.fields if isinstance(type_, Items) else type_
        for roots in NAMES.values()
        for root, fields in roots.items()
        for name, type_ in fields.items()
        if isinstance(type_, Items | Mapping)
    }


def test_the_events_are_said_to_come_from_where_they_come_from():
    rows = page("rules.md").tables["Events and their names"][0][1:]
    shown = {tuple(names(row[:2])) for row in rows}
    assert shown == {(kind, name) for name, known in functions().items() for kind in known.kinds()}


@pytest.mark.parametrize(("name", "element"), [*action.items(), *connection.items()])
def test_every_parameter_is_documented_and_said_to_be_required_or_not(name: str, element: type[BaseModel]):
    wanted = {field.alias or key: field.is_required() for key, field in element.model_fields.items()}
    (table,) = [one for one in page("actions.md").tables[name] if one[0][0] == "parameter"]
    place = table[0].index("")
    assert {names([row[0]])[0]: row[place] == "required" for row in table[1:]} == wanted


def test_every_key_of_a_rollout_is_documented_and_said_to_be_required_or_not():
    parts: dict[str, Any] = {
        "smoke_test": SmokeTest,
        "mirror": Mirror,
        "steps": TrafficStep,
        "checks": Check,
        "probe": Probe,
    }
    models: dict[str, Any] = {"": Rollout, **{f"{name}.": model for name, model in parts.items()}}
    wanted = {
        f"{place}{field.alias or key}": field.is_required()
        for place, model in models.items()
        for key, field in model.model_fields.items()
    }
    (table,) = [one for one in page("actions.md").tables["deploy_model"] if one[0][0] == "key"]
    assert {names([row[0]])[0]: row[1] == "required" for row in table[1:]} == wanted


@pytest.mark.parametrize("path", rights_tables.PAGES, ids=lambda path: path.name)
def test_the_rights_in_azure_are_those_of_the_code(path: Path):
    text = path.read_text(encoding="utf-8")
    assert rights_tables.write_tables(text) == text, "run `make docs`"
    assert "<!-- rights: " in text


@pytest.mark.parametrize(("name", "element"), action.items())
def test_an_action_has_an_example_and_says_its_rights_and_what_happens_at_a_failure(
    name: str, element: type[Action]
):
    text = (ROOT / "docs/actions.md").read_text(encoding="utf-8").partition(f"\n## {name}\n")[2]
    section = text.partition("\n## ")[0]
    assert f"uses: {name}\n" in section
    assert "\n| when | what happens |\n" in section
    assert "in Azure" in section
    assert (f"<!-- rights: {name} -->" in section) == bool(element.permissions)


def test_the_connection_types_and_templates_are_listed():
    assert set(column("actions.md", "Actions and connections", 1)) == set(connection.names())
    assert sorted(names([row[0] for row in page("actions.md").tables["notify"][3][1:]])) == template_names()


def test_the_readme_names_every_event_action_and_connection():
    (table,) = read_page(ROOT / "README.md").tables["What there is"]
    shown = {row[0]: set(names([row[1]])) for row in table}
    wanted = {"events": set(NAMES), "actions": set(action.names()), "connections": set(connection.names())}
    assert shown == wanted


def test_the_options_of_the_sandbox_are_listed():
    up = typer.main.get_command(sandbox).commands["up"]  # type: ignore[attr-defined]
    wanted = {option.opts[0] for option in up.params if option.name != "help"}
    assert set(column("sandbox.md", "Options of up")) == wanted


def test_every_setting_of_ours_is_listed():
    ours = {name for name in settings_asked_for() if name.startswith("MLEVENTS_")}
    assert ours == set(settings_module.SETTING_NAMES)
    assert ours <= set(column("operations.md", "App settings"))


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    said = {
        word
        for row in chain(*chain(*page("dependencies.md").tables.values()))
        for word in re.split(r"[ ,]+", row[0])
    }
    assert {one.split("==")[0] for one in wanted} - said == set()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    targets = re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not leads_somewhere(path, target)] == []


def test_a_link_that_leads_nowhere_would_be_noticed():
    readme = ROOT / "README.md"
    assert not leads_somewhere(readme, "docs/nowhere.md")
    assert not leads_somewhere(readme, "docs/rules.md#nowhere")
    assert leads_somewhere(readme, "docs/rules.md#operators")
    assert not leads_somewhere(readme, "tests/conftest.py#nobody")
    assert leads_somewhere(readme, "tests/conftest.py#shipped")


def leads_somewhere(page: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    there = (page.parent / file).resolve() if file else page
    if not there.exists():
        return False
    if there.suffix == ".py":  # a test that a page names as proof
        return not anchor or f"def {anchor}(" in there.read_text(encoding="utf-8")
    return not anchor or anchor in {slug(heading) for heading in read_page(there).tables}


def test_every_page_can_be_reached_from_the_readme():
    reached = set()
    new = {ROOT / "README.md"}
    while new:
        reached |= new
        targets = {
            (path.parent / target).resolve()
            for path in new
            for target in re.findall(r"\]\(([^):#\s]+\.md)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        }
        new = targets - reached
    assert set(DOCS) - reached == set()


def test_the_lines_of_the_reference_are_short():
    lines = [line for name in REFERENCE for line in page(name).prose]
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_delivery_to_core_tools_comes_from_a_workspace_of_the_example_settings():
    """The curl of the page, with the settings of the example, is not refused as foreign."""
    text = CORE_TOOLS.read_text(encoding="utf-8")
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    subscription = re.findall(r"^SUBSCRIPTION=(\S+)", text, re.MULTILINE)[0]
    topic = re.findall(r'"topic": "([^"]+)"', text)[0].replace("$SUBSCRIPTION", subscription)
    rules = load_and_test_rules(ROOT / "rules.yaml", Settings(environment=example))
    assert topic.casefold() in {id.casefold() for id in rules.workspaces.values()}


def test_core_tools_start_in_an_activated_environment_of_this_folder():
    text = CORE_TOOLS.read_text(encoding="utf-8")
    steps = ["-m venv .venv", ". .venv/bin/activate", "--require-hashes -r requirements.txt", "func start"]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    assert "--location .azurite" in text
    assert ".azurite/" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_page_puts_a_key_into_an_address():
    assert [path.name for path in DOCS if re.search(r"[?&]code=", path.read_text(encoding="utf-8"))] == []
