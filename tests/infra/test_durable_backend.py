"""The task hub in a storage account or a Durable Task Scheduler: what is deployed, and host.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.hooks.host_file import HUB, KEPT, choose_backend, restore, write_backend
from infra.hooks.preflight import LONGEST_IDS
from infra.hooks.programs import HookError
from mlevents.orchestration.host_requirements import find_unmet_requirements
from mlevents.responses.response_id import part_id, response_id
from tests.infra.bicep_file import INFRA, Declaration, at, declarations, properties, strings, text
from tests.infra.deployment_project import ROOT, Azure

MAIN, APP, SCHEDULER = (
    INFRA / "main.bicep",
    INFRA / "modules/function-app.bicep",
    INFRA / "modules/scheduler.bicep",
)
DURABLE = "AzureFunctionsJobHost__extensions__durableTask__"
ORIGINAL = (ROOT / "host.json").read_bytes()


def find(path: Path, kind: str, name: str) -> Declaration:
    return next(one for one in declarations(path, kind) if one.name == name)


def scheduler_settings() -> dict[str, str]:
    found = properties(find(APP, "var", "schedulerSettings").node.named_children[-1])
    return {name: text(value).strip("'") for name, value in found.items()}


@pytest.fixture
def host_json(tmp_path: Path) -> Path:
    file = tmp_path / "host.json"
    file.write_bytes(ORIGINAL)
    return file


def read_hub(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text())["extensions"]["durableTask"])


def test_a_scheduler_is_made_only_on_request() -> None:
    assert find(MAIN, "param", "durableBackend").default == "'storage'"
    for name in ("scheduler", "schedulerEndpoint"):
        assert "if (usesScheduler" in text(find(MAIN, "module", name).node)
    assert "union(hostSettings, empty(schedulerEndpoint) ? {} : schedulerSettings," in text(
        find(APP, "var", "allSettings").node
    )


def test_the_app_has_all_rights_on_its_task_hub_and_a_person_reads() -> None:
    assert strings(SCHEDULER, "contributorRole") == ["0ad04412-c4d5-4796-b79c-f76d14c8d402"]
    assert strings(SCHEDULER, "readerRole") == ["d6a5505f-6ebb-45a4-896e-ac8274cfc0ac"]
    for name, role in (("appWorks", "contributorRole"), ("operatorReads", "readerRole")):
        body = find(SCHEDULER, "resource", name).body
        assert at(body, "scope") == "hub"
        assert role in at(body, "properties.roleDefinitionId")
    assert "if (!empty(operatorId))" in text(find(SCHEDULER, "resource", "operatorReads").node)


def test_a_private_network_closes_the_scheduler() -> None:
    body = find(SCHEDULER, "resource", "scheduler").body
    assert at(body, "properties.ipAllowlist") == "isPrivate ? [] : allowedAddresses"
    assert at(body, "properties.publicNetworkAccess") == "isPrivate ? 'Disabled' : 'Enabled'"
    assert at(find(MAIN, "module", "scheduler").body, "params.isPrivate") == "usePrivateNetwork"


def test_the_apps_settings_and_the_package_name_the_same_task_hub(host_json: Path) -> None:
    write_backend("scheduler", host_json.parent)
    settings, hub = scheduler_settings(), read_hub(host_json)
    for name, value in hub["storageProvider"].items():
        assert settings[f"{DURABLE}storageProvider__{name}"] == value
    assert set(hub["storageProvider"]["connectionStringName"].split()) <= set(settings)
    assert settings["TASKHUB_NAME"] == "hubName"
    assert (
        strings(MAIN, "hubName")
        == [hub["hubName"]]
        == [json.loads(ORIGINAL)["extensions"]["durableTask"]["hubName"]]
    )
    connection = settings["DURABLE_TASK_SCHEDULER_CONNECTION_STRING"]
    assert connection == "Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${clientId}"


def test_the_package_for_the_scheduler_meets_every_requirement(host_json: Path) -> None:
    write_backend("scheduler", host_json.parent)
    overrides = {name: value for name, value in scheduler_settings().items() if name.startswith(DURABLE)}
    assert len(overrides) == 2
    assert list(find_unmet_requirements(host_json.parent, overrides)) == []
    assert read_hub(host_json)["storageProvider"] == HUB["storageProvider"]
    kept = {name: value for name, value in read_hub(host_json).items() if name not in HUB}
    assert kept == {
        name: value
        for name, value in json.loads(ORIGINAL)["extensions"]["durableTask"].items()
        if name not in HUB
    }


def test_the_file_is_as_it_was_after_the_package(host_json: Path) -> None:
    for _ in range(2):  # a packaging that failed leaves the file to the next one
        write_backend("scheduler", host_json.parent)
    restore(host_json.parent)
    assert host_json.read_bytes() == ORIGINAL
    assert not (host_json.parent / KEPT).exists()
    write_backend("scheduler", host_json.parent)
    write_backend("storage", host_json.parent)
    assert host_json.read_bytes() == ORIGINAL


def test_a_change_since_the_packaging_is_kept(host_json: Path) -> None:
    write_backend("scheduler", host_json.parent)
    host_json.write_text('{"version": "2.0"}')
    with pytest.raises(HookError, match=r"put your change into \.host\.json\.kept"):
        restore(host_json.parent)
    assert host_json.read_text() == '{"version": "2.0"}'
    assert (host_json.parent / KEPT).read_bytes() == ORIGINAL


@pytest.mark.parametrize("written", ["{", "[]", '{"extensions": []}'])
def test_a_file_of_another_form_stops_the_packaging(host_json: Path, written: str) -> None:
    host_json.write_text(written)
    with pytest.raises(HookError, match=r"host\.json cannot be read"):
        write_backend("scheduler", host_json.parent)
    assert host_json.read_text() == written


def test_an_unknown_backend_is_refused() -> None:
    assert choose_backend({}) == "storage"
    with pytest.raises(
        HookError, match="the parameter 'durableBackend' is 'netherite': use storage or scheduler"
    ):
        choose_backend({"durableBackend": "netherite"})


def test_the_published_package_names_the_scheduler_and_the_project_does_not(azure: Azure) -> None:
    file = azure.project / "host.json"
    file.write_bytes(ORIGINAL)
    done = azure.step("prepackage", MLEVENTS_DURABLE_BACKEND="scheduler")
    assert done.returncode == 0, done.stderr
    assert read_hub(file)["storageProvider"]["type"] == "azureManaged"
    assert azure.step("postpackage").returncode == 0
    assert file.read_bytes() == ORIGINAL
    assert azure.step("prepackage").returncode == 0
    assert file.read_bytes() == ORIGINAL


def test_ids_that_the_scheduler_may_refuse_are_named(azure: Azure) -> None:
    rules = azure.project / "rules.yaml"
    long = "a" * 52
    rules.write_text(rules.read_text().replace("alert-failed-runs", long))
    assert long in rules.read_text()
    assert "may refuse" not in azure.step("preprovision").stderr
    done = azure.step("preprovision", MLEVENTS_DURABLE_BACKEND="scheduler")
    assert done.returncode == 0, done.stderr
    assert f"mlevents: the ids '{long}' and 'notify'" in done.stderr
    assert done.stderr.count("may refuse") == 1


def test_the_longest_id_that_is_let_pass_fits_the_scheduler() -> None:
    rule, step = "r" * 30, "s" * (LONGEST_IDS - 30)
    longest = part_id(response_id(rule, "event"), step, reruns=99) + ".restore" + ".3-3"
    assert len(longest) == 100
