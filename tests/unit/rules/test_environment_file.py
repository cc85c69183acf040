"""An environment changes what the rule file says, strictly: what it names must exist."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from mlevents.errors import RulesError
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.rules.environment_file import add_environment_settings, has_environment
from mlevents.rules.model import Rules
from mlevents.schema.environment_schema import build_environment_schema
from mlevents.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
WORKSPACE = "/subscriptions/%s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/%s"
RULES = f"""\
version: 1
endpoints: [fraud-*]
workspaces: {{ml: {WORKSPACE % ("s", "ml-prod")}, old: {WORKSPACE % ("s", "ml-old")}}}
connections:
  team: {{type: smtp, host: mail.example.com, sender: a@example.com, to: [prod@example.com]}}
  chat: {{type: apprise, url: {{setting: CHAT}}}}
rules:
  - id: deploy
    event: model.registered
    where: {{model: {{name: {{prefix: fraud-}}}}}}
    do: [{{uses: deploy_model, with: {{endpoint: fraud-one, template: deployments/small.yaml}}}}]
  - id: alert
    event: run.status_changed
    mode: shadow
    do: [{{uses: notify, with: {{to: [team, chat], template: run-failed}}}}]
  - id: never
    event: run.completed
    mode: disabled
    do: [{{uses: notify, with: {{to: team, template: run-failed}}}}]
tests:
  - name: a model is deployed
    given: {{model.registered: {{model: {{name: fraud-net}}, workspace: old}}}}
    expect: deploy
"""
TEMPLATE = "# small\ninstance_type: Standard_DS3_v2\ninstance_count: 3\nenvironment_variables: {A: '1.10'}\n"
CHAT = Settings(environment={"CHAT": "json://localhost"}, rule_environment="dev")


@pytest.fixture(params=["rules.yaml", "rules"])
def rules(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same rules, as a file and as a folder."""
    path: Path = tmp_path / request.param
    if path.suffix:
        path.write_text(RULES)
    else:
        path.mkdir()
        head, _, tail = RULES.partition("rules:\n")
        (path / "a.yaml").write_text("version: 1\nrules:\n" + tail)
        (path / "b.yaml").write_text(head)
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "small.yaml").write_text(TEMPLATE)
    (tmp_path / "environments").mkdir()
    return path


def load(rules: Path, text: str, settings: Settings = CHAT) -> Rules:
    (rules.parent / "environments" / "dev.yaml").write_text(text)
    return load_and_test_rules(rules, settings)


def problems(rules: Path, text: str, settings: Settings = CHAT) -> list[str]:
    with pytest.raises(RulesError) as caught:
        load(rules, text, settings)
    return [str(one).removeprefix(f"{rules.parent}/environments/") for one in caught.value.problems]


def modes(rules: Rules) -> list[str]:
    return [rule.mode for rule in rules.rules]


def test_workspaces_replace_the_allow_list_and_tests_still_name_those_of_the_file(rules: Path):
    found = load(rules, f"workspaces: {{ml: {WORKSPACE % ('s', 'ml-dev')}}}\n")
    assert found.workspaces == {"ml": WORKSPACE % ("s", "ml-dev")}
    assert found.allows(WORKSPACE % ("s", "ml-dev"))
    assert not found.allows(WORKSPACE % ("s", "ml-prod"))
    assert not found.allows(WORKSPACE % ("s", "ml-old"))
    assert found.tests == 1


def test_keys_of_a_connection_are_replaced_and_others_stay(rules: Path):
    found = load(rules, "connections: {team: {to: [dev@example.com]}}\n").connections["team"]
    assert (found["to"], found["host"], found["type"]) == (["dev@example.com"], "mail.example.com", "smtp")


def test_another_type_replaces_the_connection(rules: Path):
    found = load(rules, "connections: {team: {type: apprise, url: {setting: CHAT}}}\n").connections["team"]
    assert found == {"type": "apprise", "url": {"setting": "CHAT"}}


def test_a_setting_of_the_app_wins_over_that_of_the_environment(rules: Path):
    text = "workspaces: {ml: '/subscriptions/${env.SUB}/resourceGroups/r/providers"
    text += "/Microsoft.MachineLearningServices/workspaces/w'}\nsettings: {SUB: dev, CHAT: 'json://dev'}\n"
    chosen = Settings(environment={"SUB": "own", "CHAT": ""}, rule_environment="dev")
    assert load(rules, text, chosen).workspaces["ml"].startswith("/subscriptions/own/")
    unset = Settings(environment={}, rule_environment="dev")
    loaded = load(rules, text, unset)
    assert loaded.workspaces["ml"].startswith("/subscriptions/dev/")
    assert [one.path for one in loaded.warnings if "'CHAT' is a secret" in one.text] == [
        "connections.chat.url"
    ]
    running = add_environment_settings(unset, rules)
    assert (running.value("CHAT"), running.value("SUB")) == ("json://dev", "dev")
    assert add_environment_settings(chosen, rules).value("SUB") == "own"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("modes: {alert: live}", ["live", "live", "disabled"]),
        ("modes: {all: shadow}", ["shadow", "shadow", "disabled"]),
        ("modes: {all: shadow, deploy: live}", ["live", "shadow", "disabled"]),
        ("modes: {all: live}", ["live", "live", "disabled"]),
        ("modes: {all: disabled}", ["disabled", "disabled", "disabled"]),
        ("modes: {never: live}", ["live", "shadow", "live"]),
        ("", ["live", "shadow", "disabled"]),
    ],
)
def test_modes_are_of_a_rule_or_of_all_that_are_not_disabled(rules: Path, text: str, wanted: list[str]):
    assert modes(load(rules, text)) == wanted


def test_a_template_is_checked_with_its_size_in_the_environment(rules: Path):
    template = rules.parent / "deployments" / "small.yaml"
    template.write_text("description: no size\n")
    assert "deployments/small.yaml:1:1: 'instance_type' is missing: add it" in problems(rules, "")[0]
    load(rules, "templates: {deployments/small.yaml: {instance_type: Standard_DS2_v2}}\n")
    template.write_text("instance_count: many\n\ndescription: 5\n")
    found = problems(rules, "templates: {deployments/small.yaml: {instance_type: S, instance_count: 2}}\n")[0]
    assert "deployments/small.yaml:3:1: description: must be text, not the number 5" in found


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("instance_type: a\ninstance_type: b\n", "2:1: instance_type: "),
        ("instance_count: many\ndescription: 5\n", "2:1: description: must be text"),
        ("# small\n\ndescription: 5\n", "3:1: description: must be text"),
        ("  instance_count: many\n  description: 5\n", "2:3: description: must be text"),
        ("{instance_count: many, description: 5}", "1:"),
        ("instance_count:\n  many\ndescription: 5\n", "1:"),
        ("instance_count: &a 5\ndescription: *a\n", "description: must be text"),
    ],
)
def test_a_template_has_the_faults_that_its_size_leaves_on_their_lines(
    rules: Path, template: str, fault: str
):
    (rules.parent / "deployments" / "small.yaml").write_text(template)
    text = "templates: {deployments/small.yaml: {instance_type: S, instance_count: 2}}\n"
    (found,) = problems(rules, text)
    assert f"deployments/small.yaml:{fault}" in found or (fault[0] == "d" and fault in found)
    assert found.count("small.yaml:") == 1
    assert "many" not in found


def test_a_template_gets_its_size_and_keeps_everything_else(rules: Path):
    text = "templates: {deployments/small.yaml: {instance_type: Standard_DS2_v2, instance_count: 1}}\n"
    found = json.loads(load(rules, text).files["deployments/small.yaml"])
    variables = {"environment_variables": {"A": "1.10"}}
    assert found == {"instance_type": "Standard_DS2_v2", "instance_count": 1, **variables}
    one = load(rules, "templates: {deployments/small.yaml: {instance_count: 2}}\n")
    assert json.loads(one.files["deployments/small.yaml"])["instance_type"] == "Standard_DS3_v2"
    assert load(rules, "").files["deployments/small.yaml"] == TEMPLATE


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("modes: {deplo: live}", "1:9: modes.deplo: unknown rule 'deplo' (did you mean 'deploy'?)"),
        (
            "modes: {deploy: liv}",
            "1:9: modes.deploy: must be 'live', 'shadow' or 'disabled', not the text 'liv'",
        ),
        (
            "connections: {teem: {}}",
            "1:15: connections.teem: unknown connection 'teem' (did you mean 'team'?)",
        ),
        ("connections: {team: {hst: x}}", "1:22: connections.team.hst: unknown key (did you mean 'host'?)"),
        ("mods: {}", "1:1: mods: unknown key (did you mean 'modes'?)"),
        ("workspaces: {ml: nowhere}", "1:14: workspaces.ml: the text 'nowhere' is not a workspace id"),
        ("settings: {A: 5}", "1:12: settings.A: must be text, not the number 5: put it in quotes"),
        ("settings: {MLEVENTS_SECRET: x}", "1:12: settings.MLEVENTS_SECRET: is read before this file"),
        ("templates: {deployments/smal.yaml: {}}", "(did you mean 'deployments/small.yaml'?)"),
        ("templates: {deployments/small.yaml: {instance_count: 0}}", "instance_count: must be at least 1"),
        ("templates: {deployments/small.yaml: {instance_typ: x}}", "(did you mean 'instance_type'?)"),
        ("- 1", "1:1: must be a mapping"),
        ("modes: [", "this is not YAML"),
        ("version: 2", "1:1: version: must be 1, not the number 2"),
    ],
)
def test_a_mistake_names_the_line_of_the_environment(rules: Path, text: str, wanted: str):
    [problem] = problems(rules, text)
    assert problem.startswith("dev.yaml:")
    assert wanted in problem


def test_a_problem_of_the_rule_file_keeps_its_place(rules: Path):
    file = rules if rules.suffix else rules / "b.yaml"
    file.write_text(file.read_text().replace("host:", "hst:"))
    [problem] = problems(rules, "connections: {team: {to: [dev@example.com]}}")
    assert problem.removeprefix(f"{file}")[:6] == ":5:22:"


@pytest.mark.parametrize("name", ["prd", "../dev", "a/b", ".hidden"])
def test_an_environment_that_is_not_there_is_an_error(rules: Path, name: str):
    (rules.parent / "environments" / "prod.yaml").write_text("")
    wanted = "did you mean 'prod'?" if name == "prd" else "is not a valid environment"
    assert wanted in problems(rules, "", Settings(rule_environment=name))[0]
    assert not has_environment(rules, name)
    assert has_environment(rules, "prod")


def test_the_app_setting_names_the_environment(rules: Path):
    assert Settings.read({"MLEVENTS_ENV": "dev"}).rule_environment == "dev"
    assert Settings.read({}).rule_environment == ""


def test_a_rule_named_all_cannot_be_told_from_every_rule(rules: Path):
    file = rules if rules.suffix else rules / "a.yaml"
    file.write_text(file.read_text().replace("id: alert", "id: all"))
    assert "one rule has this id: rename that rule" in problems(rules, "modes: {all: live}")[0]


def test_the_example_of_the_documentation_fits_the_shipped_rules(tmp_path: Path):
    page = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    good, wrong = re.findall(r"```yml\n(.*?)```", page, re.DOTALL)
    shutil.copy(ROOT / "rules.yaml", tmp_path)
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments")
    (tmp_path / "environments").mkdir()
    names = ("AZURE_SUBSCRIPTION_ID", "COMMUNICATION_ENDPOINT", "TEAMS_WORKFLOW_URL")
    chosen = Settings(environment=dict.fromkeys(names, "x"), rule_environment="dev")
    found = load(tmp_path / "rules.yaml", good, chosen)
    assert set(modes(found)) == {"shadow", "live"}
    assert [one.id for one in found.rules if one.mode == "live"] == ["alert-failed-runs"]
    assert found.connections["mlops-email"]["to"] == ["dev@example.com"]
    [problem] = problems(tmp_path / "rules.yaml", wrong, chosen)
    (said,) = re.findall(r"```text\n(unknown.*)\n```", page)
    assert problem.endswith(said)
    schema = Draft202012Validator(build_environment_schema())
    schema.validate(yaml.safe_load(good))
    assert not schema.is_valid({"mods": {}})
    assert not schema.is_valid({"modes": {"deploy": "liv"}})
    assert not schema.is_valid({"templates": {"a.yaml": {"instance_count": 0}}})
