"""The steps around a deployment, with `az`, `azd` and `func` replaced by recorders on the PATH."""

import json
import py_compile
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.hooks.needs import ArmId
from infra.hooks.topics import topic_name
from mlevents.rules.rules_outline import read_outline
from mlevents.settings import Settings
from tests.infra.deployment_project import (
    APP,
    FACTORY,
    GROUP,
    OUTPUTS,
    PRINCIPAL,
    ROOT,
    SUBSCRIPTION,
    WORKSPACE,
    Azure,
    assignment,
    custom_role,
    make_wheel,
    topic,
)


def test_before_provisioning_rules_are_checked_and_their_filters_written(azure: Azure) -> None:
    done = azure.step("preprovision")
    assert done.returncode == 0, done.stderr
    filters = json.loads((azure.project / "infra/filters.json").read_text())
    assert filters["ModelRegistered"]["subjectBeginsWith"] == "models/fraud-"
    assert azure.calls("provider register") == []


def test_rules_with_a_mistake_stop_everything(azure: Azure) -> None:
    rules = azure.project / "rules.yaml"
    rules.write_text(rules.read_text().replace("prefix:", "prefx:"))
    done = azure.step("preprovision")
    assert done.returncode == 1
    assert "nothing was deployed" in done.stderr
    assert azure.state["calls"] == []
    assert not (azure.project / "infra/filters.json").exists()


@pytest.mark.parametrize("step", ["preprovision", "predeploy"])
def test_settings_that_the_rules_name_must_not_be_empty(azure: Azure, step: str) -> None:
    done = azure.step(step, COMMUNICATION_ENDPOINT="", TEAMS_WORKFLOW_URL="", **OUTPUTS)
    assert (done.returncode, azure.state["calls"]) == (1, [])
    assert "COMMUNICATION_ENDPOINT: `azd env set COMMUNICATION_ENDPOINT …`" in done.stderr
    assert "`azd env set MLEVENTS_USE_COMMUNICATION true`" in done.stderr
    assert "TEAMS_WORKFLOW_URL: `azd env set TEAMS_WORKFLOW_URL …`" in done.stderr
    assert "AZURE_SUBSCRIPTION_ID:" not in done.stderr


def test_what_is_made_or_kept_in_the_vault_is_not_empty(azure: Azure) -> None:
    made = {"MLEVENTS_USE_COMMUNICATION": "true", "MLEVENTS_USE_KEY_VAULT": "true"}
    done = azure.step("preprovision", COMMUNICATION_ENDPOINT="", TEAMS_WORKFLOW_URL="", **made)
    assert done.returncode == 0, done.stderr
    assert "vault's secret teams-workflow-url" in done.stderr


def test_a_setting_of_your_own_is_supplied_by_the_parameter_settings(azure: Azure) -> None:
    rules, file = azure.project / "rules.yaml", azure.project / "infra/main.parameters.json"
    rules.write_text(rules.read_text().replace("{setting: TEAMS_WORKFLOW_URL}", "{setting: HOOK}"))
    done = azure.step("preprovision", HOOK="only here")
    assert done.returncode == 1
    assert '"settings": {"value": {"HOOK": "${HOOK}"}}' in done.stderr
    document = json.loads(file.read_text())
    document["parameters"]["settings"] = {"value": {"HOOK": "${HOOK}"}}
    file.write_text(json.dumps(document))
    assert azure.step("preprovision").returncode == 1
    done = azure.step("preprovision", HOOK="there, too")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("group", ["RG-ml", "rg-data"])
def test_the_group_of_a_workspace_or_factory_is_never_ours(azure: Azure, group: str) -> None:
    done = azure.step("deploy", "test", "westeurope", f"resourceGroupName={group}")
    assert (done.returncode, azure.state["calls"]) == (1, [])
    assert f"the resource group '{group}' must hold mlevents alone" in done.stderr


@pytest.mark.parametrize("words", [("predown",), ("down", "test")])
def test_down_refuses_to_delete_a_workspace(azure: Azure, words: tuple[str, ...]) -> None:
    given = OUTPUTS | {"AZURE_RESOURCE_GROUP": "RG-ML"}
    azure.set(
        topics=topic(APP, f"{APP}-ModelRegistered"),
        assignments=[assignment(WORKSPACE, 1)],
        outputs={name: {"value": value} for name, value in given.items()},
    )
    for rules in ((ROOT / "rules.yaml").read_text(), "version: 1\nrules: oops\n"):
        (azure.project / "rules.yaml").write_text(rules)
        done = azure.step(*words, **given)
        assert done.returncode == 1
        assert WORKSPACE.casefold() in done.stderr.casefold()
        assert azure.calls("group delete") == []
        assert azure.state["assignments"], "nothing was taken away"
        assert azure.state["topics"]["the-topic"]["subscriptions"]


def test_providers_are_registered_where_they_are_not(azure: Azure) -> None:
    azure.set(providers=["Microsoft.MachineLearningServices"])
    assert azure.step("preprovision").returncode == 0
    registered = [one["options"]["--namespace"] for one in azure.calls("provider register")]
    assert registered == ["Microsoft.EventGrid"]


def test_a_workspace_that_is_not_there_is_named_before_anything_is_made(azure: Azure) -> None:
    azure.set(resources=[])
    done = azure.step("preprovision")
    assert done.returncode == 1
    assert WORKSPACE in done.stderr


def test_somebody_elses_topic_must_be_able_to_write_dead_letters(azure: Azure) -> None:
    azure.set(topics=topic(None, identity=None))
    done = azure.step("preprovision")
    assert done.returncode == 1
    assert "az eventgrid system-topic update --name the-topic --resource-group rg-events" in done.stderr
    assert "--identity systemassigned" in done.stderr


def test_the_app_gets_the_rights_that_its_rules_need(azure: Azure) -> None:
    done = azure.step("predeploy", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    given = azure.template("access.bicep")
    assert (given["appName"], given["principalId"]) == (APP, PRINCIPAL)
    assert (given["targets"], given["registries"]) == ([], [])
    (workspace,), (factory,) = given["workspaces"], given["factories"]
    assert (workspace["id"], factory["id"]) == (WORKSPACE, FACTORY)
    assert "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write" in workspace["actions"]
    assert not [one for one in workspace["actions"] if "/jobs/" in one]
    assert "Microsoft.DataFactory/factories/pipelines/createrun/action" in factory["actions"]


def test_functions_are_subscribed_when_they_are_there(azure: Azure) -> None:
    done = azure.step("postdeploy", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    given = azure.template("events.bicep")
    assert given["functionAppId"] == OUTPUTS["MLEVENTS_FUNCTION_APP_ID"]
    assert given["sources"] == [
        {
            "workspaceId": WORKSPACE,
            "location": "westeurope",
            "topicName": topic_name(ArmId(WORKSPACE)),
            "topicResourceGroup": "rg-ml",
            "topicIsOurs": True,
        }
    ]
    wanted = json.loads((azure.project / "infra/filters.json").read_text())
    assert set(given["labels"]) == {name for name, one in wanted.items() if one["includedEventTypes"]}
    order = [one.get("command") for one in azure.state["calls"]]
    assert order.index("functionapp function list") < order.index("deployment sub create")


def test_an_event_type_that_azure_has_dropped_stops_nothing(azure: Azure) -> None:
    left = ("ModelRegistered", "RunStatusChanged")
    azure.set(types=[f"Microsoft.MachineLearningServices.{name}" for name in left])
    done = azure.step("postdeploy", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    assert "lists no DatasetDriftDetected events" in done.stderr
    filters = json.loads((azure.project / "infra/filters.json").read_text())
    assert {name for name, one in filters.items() if one["includedEventTypes"]} == set(left)


def test_a_topic_that_is_there_is_used_and_not_made_again(azure: Azure) -> None:
    azure.set(topics=topic(None))
    assert azure.step("postdeploy", **OUTPUTS).returncode == 0
    source = azure.template("events.bicep")["sources"][0]
    assert (source["topicName"], source["topicResourceGroup"], source["topicIsOurs"]) == (
        "the-topic",
        "rg-events",
        False,
    )


def test_streams_without_code_are_deployed_too(azure: Azure) -> None:
    stream = {
        "name": "lake",
        "kind": "EventHub",
        "target": f"{GROUP}/rg/providers/Microsoft.EventHub/namespaces/n/eventhubs/h",
    }
    (azure.project / "infra/streams.json").write_text(json.dumps({"streams": [stream]}))
    azure.set(topics=topic(APP, f"{APP}-lake", f"{APP}-old-stream"))
    assert azure.step("postdeploy", **OUTPUTS).returncode == 0
    assert azure.template("events.bicep")["streams"] == [stream]
    assert azure.template("events.bicep")["webHookUrls"] == {}
    assert azure.state["topics"]["the-topic"]["subscriptions"] == [f"{APP}-lake"]


def test_a_subscription_that_no_rule_needs_any_more_goes_and_others_stay(azure: Azure) -> None:
    mine = [f"{APP}-ModelRegistered", f"{APP}-ModelDeployed"]
    azure.set(topics=topic(APP, *mine, "somebody-elses", "mlevents-other-ModelDeployed"))
    assert azure.step("postdeploy", **OUTPUTS).returncode == 0
    left = azure.state["topics"]["the-topic"]["subscriptions"]
    assert left == [f"{APP}-ModelRegistered", "somebody-elses", "mlevents-other-ModelDeployed"]


def test_a_workspace_that_the_rules_dropped_is_left(azure: Azure) -> None:
    dropped = WORKSPACE.replace("ml-prod", "ml-old")
    found = topic(APP, f"{APP}-ModelRegistered")
    found["the-topic"]["source"] = dropped
    azure.set(topics=found, assignments=[assignment(WORKSPACE, 1), assignment(dropped, 2)])
    assert azure.step("postdeploy", **OUTPUTS).returncode == 0
    assert azure.state["topics"] == {}
    assert azure.state["assignments"] == [assignment(WORKSPACE, 1)]


@pytest.mark.parametrize(("owner", "left"), [(APP, False), (None, True)])
def test_a_dropped_workspace_that_the_app_has_no_rights_on_is_left_too(
    azure: Azure, owner: str | None, left: bool
) -> None:
    found = topic(owner, f"{APP}-RunStatusChanged", *(["somebody-elses"] if left else []))
    found["the-topic"]["source"] = WORKSPACE.replace("ml-prod", "ml-old")
    storage = topic("mlevents-other", f"{APP}x")["the-topic"]
    storage |= {"name": "storage", "source": f"/subscriptions/{SUBSCRIPTION}"}
    azure.set(topics=found | {"storage": storage})
    done = azure.step("postdeploy", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    remaining = {name: one["subscriptions"] for name, one in azure.state["topics"].items()}
    assert remaining == {"storage": [f"{APP}x"]} | ({"the-topic": ["somebody-elses"]} if left else {})


def test_the_doctor_looks_at_what_was_deployed(azure: Azure) -> None:
    only_az = {"MLEVENTS_DOCTOR": "on", "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}
    done = azure.step("postdeploy", **OUTPUTS, **only_az)
    assert "workspace" in done.stdout, "the doctor's findings are shown"
    assert "the doctor found problems" in done.stderr, "there is no Azure here, and it says so"


def test_down_leaves_the_workspace_as_it_was(azure: Azure) -> None:
    role = custom_role("r1", WORKSPACE.upper())
    other = {"name": "r2", "roleName": "Somebody's role on workspace ml-prod", "description": None}
    theirs = assignment(WORKSPACE, 3, "somebody")
    azure.set(
        topics=topic(APP, f"{APP}-ModelRegistered", f"{APP}-RunStatusChanged"),
        assignments=[assignment(WORKSPACE, 1), assignment(FACTORY, 2), theirs],
        roles=[role, other],
    )
    done = azure.step("predown", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    state = azure.state
    assert (state["topics"], state["assignments"], state["roles"]) == ({}, [theirs], [other])


@pytest.mark.parametrize("owner", [None, "mlevents-other"])
def test_down_leaves_somebody_elses_topic(azure: Azure, owner: str | None) -> None:
    azure.set(topics=topic(owner, f"{APP}-ModelRegistered"))
    assert azure.step("predown", **OUTPUTS).returncode == 0
    assert azure.state["topics"]["the-topic"]["subscriptions"] == []
    assert azure.calls("eventgrid system-topic delete") == []


def test_down_leaves_a_topic_that_somebody_else_came_to_use(azure: Azure) -> None:
    azure.set(topics=topic(APP, f"{APP}-ModelRegistered", "somebody-elses"))
    assert azure.step("predown", **OUTPUTS).returncode == 0
    assert azure.state["topics"]["the-topic"]["subscriptions"] == ["somebody-elses"]


def test_down_works_with_a_broken_rule_file(azure: Azure) -> None:
    (azure.project / "rules.yaml").write_text("version: 1\nrules: oops\n")
    azure.set(topics=topic(APP, f"{APP}-ModelRegistered"), assignments=[assignment(WORKSPACE, 1)])
    done = azure.step("predown", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    assert azure.state["topics"] == {}


def test_down_before_up_is_no_error(azure: Azure) -> None:
    done = azure.step("predown")
    assert (done.returncode, azure.state["calls"]) == (0, [])


def test_the_plain_way_does_it_all_in_order(azure: Azure) -> None:
    run_sh = azure.project / ".venv/bin/python"
    run_sh.parent.mkdir(parents=True)
    run_sh.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    run_sh.chmod(0o755)
    typed = ("useKeyVault=True", "maxDepth=5", 'settings={"HOOK": "a=b"}', 'allowedAddresses=["10.0.0.0/8"]')
    done = azure.run("sh", "infra/deploy.sh", "test", "westeurope", "mode=shadow", *typed)
    assert done.returncode == 0, done.stderr
    deployed = [one["template"] for one in azure.calls("deployment sub create")]
    assert deployed == ["main.bicep", "access.bicep", "events.bicep"]
    assert azure.template("main.bicep") == {
        "environmentName": "test",
        "location": "westeurope",
        "mode": "shadow",
        "ruleEnvironment": "",
        "rulesFile": "",
        "appSecret": "chosen",
        "alertEmail": "",
        "useCommunication": False,
        "useKeyVault": True,
        "usePrivateNetwork": False,
        "operatorId": "",
        "operatorType": "User",
        "durableBackend": "storage",
        "schedulerSku": "Consumption",
        "communicationEndpoint": "https://c.example.com",
        "teamsWorkflowUrl": "workflows://host/id/signature",
        "maxDepth": 5,
        "settings": {"HOOK": "a=b"},
        "allowedAddresses": ["10.0.0.0/8"],
    }
    published = [one["words"] for one in azure.state["calls"] if one["program"] == "func"]
    assert published == [["azure", "functionapp", "publish", APP, "--python", "--no-build"]]
    assert (azure.project / ".python_packages/lib/site-packages/tiny.py").exists()


def test_the_plain_way_back(azure: Azure) -> None:
    azure.set(topics=topic(APP, f"{APP}-ModelRegistered"))
    done = azure.step("down", "test")
    assert done.returncode == 0, done.stderr
    assert azure.state["topics"] == {}
    assert azure.state["calls"][-1]["options"]["--name"] == "rg-mlevents-test"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("useKeyVault=yes", "'useKeyVault' is 'yes': write it as bool"),
        ("maxDepth=1.5", "'maxDepth' is '1.5': write it as int"),
        ("settings=[]", "'settings' is '[]': write it as object"),
        ("maxDeph=1", "no parameter 'maxDeph' (did you mean 'maxDepth'?)"),
    ],
)
def test_a_parameter_that_main_bicep_would_not_take_is_said_at_once(
    azure: Azure, word: str, said: str
) -> None:
    done = azure.step("deploy", "test", "westeurope", word)
    assert (done.returncode, azure.state["calls"]) == (1, [])
    assert said in done.stderr


def test_the_filters_and_the_app_are_of_one_rule_file(azure: Azure) -> None:
    other = (azure.project / "rules.yaml").read_text().replace("fraud-", "credit-")
    (azure.project / "other.yaml").write_text(other)
    done = azure.step("deploy", "test", "westeurope", "rulesFile=other.yaml")
    assert done.returncode == 0, done.stderr
    assert azure.template("main.bicep")["rulesFile"] == "other.yaml"
    filters = json.loads((azure.project / "infra/filters.json").read_text())
    assert filters["ModelRegistered"]["subjectBeginsWith"] == "models/credit-"
    assert azure.step("deploy", "test", "westeurope", MLEVENTS_RULES="other.yaml").returncode == 0
    assert azure.template("main.bicep")["rulesFile"] == "other.yaml"


def test_the_file_of_the_azd_environment_is_applied_and_kept(azure: Azure) -> None:
    folder = azure.project / "environments"
    folder.mkdir()
    (folder / "test.yaml").write_text("modes: {deploy-production-models: disabled}\nsettings: {HOOK: x}\n")
    done = azure.step("preprovision", HOOK="")
    assert done.returncode == 0, done.stderr
    assert azure.state["azd"] == "MLEVENTS_ENV='test'\n"
    filters = json.loads((azure.project / "infra/filters.json").read_text())
    assert filters["ModelRegistered"]["includedEventTypes"] == []
    assert azure.step("deploy", "test", "westeurope").returncode == 0
    assert azure.template("main.bicep")["ruleEnvironment"] == "test"
    other = azure.step("preprovision", MLEVENTS_ENV="tset")
    assert other.returncode == 1
    assert "did you mean 'test'?" in other.stdout + other.stderr


def test_a_setting_of_the_environment_is_supplied(azure: Azure) -> None:
    assert azure.step("preprovision", COMMUNICATION_ENDPOINT="").returncode == 1
    (azure.project / "environments").mkdir()
    text = "settings: {COMMUNICATION_ENDPOINT: 'https://dev.example.com'}\n"
    (azure.project / "environments" / "test.yaml").write_text(text)
    assert azure.step("preprovision", COMMUNICATION_ENDPOINT="").returncode == 0


def test_a_failure_of_az_is_shown_with_its_command(azure: Azure) -> None:
    azure.set(functions=[], resources=[])
    done = azure.step("preprovision")
    assert f"az resource show --ids {WORKSPACE}" in done.stderr
    assert "ResourceNotFound" in done.stderr


def test_a_missing_az_is_said_plainly(azure: Azure) -> None:
    done = azure.step("preprovision", PATH=str(azure.project))
    assert done.returncode == 1
    assert "'az' is not on the PATH" in done.stderr


def test_the_shell_scripts_are_posix() -> None:
    scripts = sorted((ROOT / "infra").rglob("*.sh"))
    assert scripts
    for path in scripts:
        assert path.read_text().startswith("#!/bin/sh\n")
        assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0


def write_dependent_wheel(folder: Path) -> None:
    """A wheel that requires the wheel `tiny`."""
    make_wheel(folder, "dependent")
    path = folder / "dependent-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path) as wheel:
        members = {name: wheel.read(name) for name in wheel.namelist()}
    members["dependent-1.0.dist-info/METADATA"] += b"Requires-Dist: tiny==1.0\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)


def test_requirements_without_hashes_are_installed_with_what_they_require(azure: Azure):
    write_dependent_wheel(azure.project / "wheels")
    (azure.project / "requirements.txt").write_text("--find-links wheels\ndependent==1.0\n")
    done = azure.step("prepackage")
    assert done.returncode == 0, done.stderr
    site = azure.project / ".python_packages/lib/site-packages"
    assert (site / "dependent.py").exists()
    assert (site / "tiny.py").exists()


def test_the_package_has_bytecode_and_the_outline_of_the_rules(azure: Azure):
    (azure.project / "environments").mkdir()
    (azure.project / "environments/test.yaml").write_text("version: 1\nmodes: {all: shadow}\n")
    app = azure.project / "function_app.py"
    app.write_text("x = 1\n")
    py_compile.compile(str(app))  # as an import leaves it
    done = azure.step("prepackage")
    assert done.returncode == 0, done.stderr
    code = (azure.project / "__pycache__/function_app.cpython-313.pyc").read_bytes()
    assert code[4:8] == b"\x03\0\0\0", "not recognised by the hash of its source"
    settings = Settings(rules=azure.project / "rules.yaml", rule_environment="test")
    outline = read_outline(settings)
    assert outline
    assert {one.mode for one in outline.rules} == {"shadow"}


def test_one_hash_makes_every_hash_necessary(azure: Azure):
    line = make_wheel(azure.project / "wheels", "other")
    (azure.project / "requirements.txt").write_text(f"{line}tiny==1.0\n")
    done = azure.step("prepackage")
    assert done.returncode == 1
    assert "nothing was deployed" in done.stderr
