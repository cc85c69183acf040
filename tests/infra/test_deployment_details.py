"""What a deployment meets on a real Azure: equal names, networks, secrets that come late."""

import json
import re
from pathlib import Path

import pytest

from infra.hooks import key_vault
from infra.hooks.needs import ArmId
from infra.hooks.programs import HookError
from infra.hooks.topics import topic_name
from tests.infra.bicep_file import FILES, INFRA, at, calls, declarations, text, tree, walk
from tests.infra.deployment_project import (
    APP,
    FACTORY,
    GROUP,
    OUTPUTS,
    SUBSCRIPTION,
    WORKSPACE,
    Azure,
    assignment,
    custom_role,
    topic,
)

TWIN = WORKSPACE.replace("/rg-ml/", "/rg-other/")
SUBNETS = f"{GROUP}/rg-network/providers/Microsoft.Network/virtualNetworks/vnet/subnets"
VAULT = {"MLEVENTS_VAULT_NAME": "mlev-abc"}


def parameters(azure: Azure, **values: object) -> None:
    file = azure.project / "infra/main.parameters.json"
    document = json.loads(file.read_text())
    document["parameters"] |= {name: {"value": value} for name, value in values.items()}
    file.write_text(json.dumps(document))


def test_a_first_run_says_which_subscription_and_region_to_set(azure: Azure) -> None:
    for missing in ("AZURE_SUBSCRIPTION_ID", "AZURE_LOCATION"):
        done = azure.step("preprovision", **{missing: ""})
        assert (done.returncode, azure.state["calls"]) == (1, [])
        assert "azd env set AZURE_SUBSCRIPTION_ID" in done.stderr
        assert "azd env set AZURE_LOCATION" in done.stderr


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, []),
        ({"usePrivateNetwork": True}, ["Microsoft.App"]),
        ({"appSubnetId": f"{SUBNETS}/app"}, ["Microsoft.App"]),
        ({"durableBackend": "scheduler"}, ["Microsoft.DurableTask"]),
    ],
)
def test_a_network_and_a_scheduler_need_their_provider(
    azure: Azure, given: dict[str, object], wanted: list[str]
) -> None:
    parameters(azure, **given)
    done = azure.step("preprovision")
    assert done.returncode == 0, done.stderr
    registered = [one["options"] for one in azure.calls("provider register")]
    assert [one["--namespace"] for one in registered] == wanted
    assert {one["--subscription"] for one in registered} <= {SUBSCRIPTION}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"usePrivateNetwork": True, "appSubnetId": f"{SUBNETS}/app"}, "only appSubnetId is set"),
        ({"usePrivateNetwork": True, "endpointSubnetId": f"{SUBNETS}/e"}, "only endpointSubnetId is set"),
        ({"endpointSubnetId": f"{SUBNETS}/e"}, "endpointSubnetId is set, but usePrivateNetwork is not"),
        ({"dnsZoneIds": {"blob": "/x"}, "peerNetworkIds": ["/y"]}, "dnsZoneIds, peerNetworkIds is set"),
        (
            {
                "usePrivateNetwork": True,
                "appSubnetId": f"{SUBNETS}/a",
                "endpointSubnetId": f"{SUBNETS}/e",
                "peerNetworkIds": ["/y"],
            },
            "peerNetworkIds is for a new network",
        ),
    ],
)
def test_parameters_of_a_network_must_fit(azure: Azure, given: dict[str, object], said: str) -> None:
    parameters(azure, **given)
    done = azure.step("preprovision")
    assert (done.returncode, azure.state["calls"]) == (1, [])
    assert said in done.stderr


def test_topics_of_two_workspaces_of_one_name_have_two_names() -> None:
    names = {topic_name(ArmId(text)) for text in (WORKSPACE, TWIN)}
    assert len(names) == 2
    assert topic_name(ArmId(WORKSPACE.upper().replace("ML-PROD", "ml-prod"))) in names, "an id has no case"
    assert all(len(topic_name(ArmId(f"{WORKSPACE[:-7]}{'w' * count}"))) <= 50 for count in (3, 33, 60))


def test_leaving_one_workspace_leaves_the_role_of_its_namesake(azure: Azure) -> None:
    roles = [
        custom_role("r1", WORKSPACE),
        custom_role("r2", TWIN),
        custom_role("r3", WORKSPACE, "mlevents-abcd"),
    ]
    azure.set(
        topics=topic(APP, f"{APP}-ModelRegistered"),
        roles=roles,
        assignments=[assignment(WORKSPACE, 1, role="r1")],
    )
    assert azure.step("predown", **OUTPUTS).returncode == 0
    assert azure.state["roles"] == roles[1:]


def test_a_role_is_found_by_its_assignment_too_and_a_foreign_one_is_left(azure: Azure) -> None:
    older = {"name": "OLD", "roleName": f"{APP} on workspace ml-prod", "description": "An older text."}
    foreign = {"name": "f1", "roleName": "Our readers", "description": None}
    azure.set(
        roles=[older, foreign],
        assignments=[assignment(WORKSPACE, 1, role="old"), assignment(FACTORY, 2, role="f1")],
    )
    assert azure.step("predown", **OUTPUTS).returncode == 0
    assert (azure.state["roles"], azure.state["assignments"]) == ([foreign], [])


@pytest.mark.parametrize(
    "path", [INFRA / "access.bicep", INFRA / "events.bicep", INFRA / "modules/streams.bicep"]
)
def test_names_of_deployments_are_made_of_ids(path: Path) -> None:
    modules = declarations(path, "module")
    assert modules
    for module in modules:
        name = at(module.body, "name")
        assert "toLower(" in name, f"{path.name}: {module.name} has the name {name}"
        assert "id" in name.lower().split("tolower(")[1]


@pytest.mark.parametrize("kind", ["workspace", "factory"])
def test_a_roles_display_name_holds_the_app_and_a_hash_of_the_id(kind: str) -> None:
    path = INFRA / f"modules/{kind}-role.bicep"
    role = next(one for one in declarations(path, "resource") if one.name == "role")
    assert "${appName} on " in at(role.body, "properties.roleName")
    assert [f"toLower({kind}.id)"] in calls(path, "uniqueString")
    assert f"in ${{{kind}.id}}, and no more." in at(role.body, "properties.description")
    assert all(one[0] == f"toLower({kind}.id)" for one in calls(path, "guid"))


def test_the_urls_of_web_hooks_are_a_secure_parameter(azure: Azure) -> None:
    hooks = [{"name": "pager", "url": "https://p.example.com/?key=abc", "subjectBeginsWith": "models/"}]
    (azure.project / "infra/streams.json").write_text(json.dumps({"webHooks": hooks}))
    azure.set(topics=topic(APP, f"{APP}-pager", f"{APP}-gone"))
    done = azure.step("postdeploy", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    given = azure.template("events.bicep")
    assert given["webHookUrls"] == {"pager": "https://p.example.com/?key=abc"}
    assert given["webHooks"] == [{"name": "pager", "subjectBeginsWith": "models/"}]
    assert "key=abc" not in done.stdout + done.stderr
    assert azure.state["topics"]["the-topic"]["subscriptions"] == [f"{APP}-pager"]


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("main.bicep", "settings"),
        ("main.bicep", "teamsWorkflowUrl"),
        ("modules/function-app.bicep", "settings"),
        ("events.bicep", "webHookUrls"),
        ("modules/streams.bicep", "webHookUrls"),
    ],
)
def test_a_parameter_that_may_hold_a_secret_is_secure(template: str, name: str) -> None:
    (parameter,) = [one for one in declarations(INFRA / template, "param") if one.name == name]
    assert parameter.secure


def test_what_an_entry_may_leave_out_is_asked_for_safely() -> None:
    """Of `stream['eventTypes']` and the like the compiler warns, and a missing key fails the deployment."""
    written = (INFRA / "modules/streams.bicep").read_text()
    code = "\n".join(line.split("//")[0] for line in written.splitlines())
    for entry in ("stream", "webHook"):
        for name in ("eventTypes", "subjectBeginsWith"):
            assert f"{entry}.?{name} ?? " in code
            assert not re.search(rf"{entry}(\.|\[\??'){name}|contains\({entry},", code)


def test_filters_are_a_parameter_so_that_a_fresh_clone_compiles(azure: Azure) -> None:
    loaded = [one[0] for path in INFRA.rglob("*.bicep") for one in calls(path, "loadJsonContent")]
    assert loaded == []
    assert azure.step("postdeploy", **OUTPUTS).returncode == 0
    written = json.loads((azure.project / "infra/filters.json").read_text())
    assert azure.template("events.bicep")["filters"] == written


def test_subscriptions_of_one_topic_are_made_one_at_a_time() -> None:
    for path in INFRA.rglob("*.bicep"):
        for resource in declarations(path, "resource"):
            if "/eventSubscriptions@" in resource.target:
                before = path.read_text().split(f"resource {resource.name} ")[0].rstrip()
                assert before.endswith("@batchSize(1)"), f"{path.name}: {resource.name}"
    streams = INFRA / "modules/streams.bicep"
    hooks = next(one for one in declarations(streams, "resource") if one.name == "webHookSubscriptions")
    assert at(hooks.body, "dependsOn").split() == ["[", "subscriptions", "]"]
    streaming = next(one for one in declarations(INFRA / "events.bicep", "module") if one.name == "streaming")
    assert at(streaming.body, "dependsOn").split() == ["[", "subscriptions", "]"]


def test_secrets_are_read_again_after_the_code_is_there(azure: Azure) -> None:
    azure.set(references={"TEAMS_WORKFLOW_URL": "Resolved"})
    done = azure.step("postdeploy", **OUTPUTS, **VAULT)
    assert done.returncode == 0, done.stderr
    (refreshed,) = azure.state["refreshed"]
    assert refreshed.startswith(
        f"{OUTPUTS['MLEVENTS_FUNCTION_APP_ID']}/config/configreferences/appsettings/refresh?"
    )


def test_a_secret_that_azure_cannot_read_is_named(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    azure.set(references={"TEAMS_WORKFLOW_URL": "SecretNotFound", "OTHER": "Resolved"})
    for name, value in azure.recorders().items():
        monkeypatch.setenv(name, value)
    pauses: list[float] = []
    with pytest.raises(HookError) as refusal:
        key_vault.refresh(OUTPUTS | VAULT, pause=pauses.append)
    assert "TEAMS_WORKFLOW_URL: SecretNotFound" in str(refusal.value)
    assert "OTHER" not in str(refusal.value)
    assert "az keyvault secret set --vault-name mlev-abc" in str(refusal.value)
    assert len(pauses) == key_vault.WAITS


def test_without_a_vault_nothing_is_refreshed(azure: Azure) -> None:
    assert azure.step("postdeploy", **OUTPUTS).returncode == 0
    assert azure.calls("rest") == []


def test_the_app_comes_after_the_vault_and_every_private_endpoint() -> None:
    app = next(one for one in declarations(INFRA / "main.bicep", "module") if one.name == "app")
    assert {"storageEndpoints", "schedulerEndpoint", "vault", "vaultEndpoint"} <= set(
        at(app.body, "dependsOn").split()
    )


def test_no_address_of_one_cloud_is_in_a_template() -> None:
    suffixes = (
        "core.windows.net",
        "vault.azure.net",
        "vaultcore.azure.net",
        "azurewebsites.net",
        "management.azure",
    )
    texts = [(path.name, text(node)) for path in FILES for node in walk(tree(path)) if node.type == "string"]
    assert len(texts) > 100
    assert [one for one in texts if any(suffix in one[1] for suffix in suffixes)] == []


@pytest.mark.parametrize(
    ("suffix", "zone"),
    [
        (".vault.azure.net", "privatelink.vaultcore.azure.net"),
        (".vault.usgovcloudapi.net", "privatelink.vaultcore.usgovcloudapi.net"),
        (".vault.azure.cn", "privatelink.vaultcore.azure.cn"),
    ],
)
def test_the_zone_of_the_vault_follows_the_cloud(suffix: str, zone: str) -> None:
    """The zones are those of learn.microsoft.com/azure/private-link/private-endpoint-dns."""
    (written,) = [
        text(one.node) for one in declarations(INFRA / "main.bicep", "var") if one.name == "vaultZone"
    ]
    assert "'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'" in written
    assert f"privatelink{suffix.replace('.vault.', '.vaultcore.')}" == zone
