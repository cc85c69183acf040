"""The app's secret is generated once, stays the same, and is in nothing that a reader of the group sees."""

from typing import Any

import pytest

from infra.hooks.app_secret import choose_secret
from mlevents.errors import ConfigError
from mlevents.settings import Settings
from tests.infra.bicep_file import INFRA, at, declarations
from tests.infra.deployment_project import APP, Azure

REFERENCE = "@Microsoft.KeyVault(VaultName=mlev-abc;SecretName=mlevents-secret)"
THERE = {"name": APP, "resourceGroup": "RG-mlevents-TEST", "tags": {"app": "mlevents"}}
OTHER = {"name": "other", "resourceGroup": "rg-other", "tags": None}


def deployed(value: str) -> dict[str, Any]:
    settings = [{"name": "MLEVENTS_MODE", "value": ""}, {"name": "MLEVENTS_SECRET", "value": value}]
    return {"apps": [OTHER, THERE], "settings": settings}


def kept(azure: Azure, **environment: str) -> str:
    done = azure.step("preprovision", **{"MLEVENTS_SECRET": "", **environment})
    assert done.returncode == 0, done.stderr
    line: str = azure.state.get("azd", "")
    value = line.strip().removeprefix("MLEVENTS_SECRET='").removesuffix("'")
    assert not value or value not in done.stdout + done.stderr
    assert not value or all(value not in " ".join(call["words"]) for call in azure.state["calls"])
    return value


def test_a_first_deployment_generates_one_and_keeps_it_in_azds_environment(azure: Azure) -> None:
    first = kept(azure)
    assert len(first) >= 43
    assert kept(azure) != first, "nothing but chance decides it"


def test_one_that_azd_keeps_stays(azure: Azure) -> None:
    assert kept(azure, MLEVENTS_SECRET="chosen") == ""
    assert azure.calls("functionapp config appsettings list") == []


def test_without_azds_environment_it_is_the_one_of_the_app(azure: Azure) -> None:
    azure.set(**deployed("the-present-one"))
    assert kept(azure) == "the-present-one"
    done = azure.step("deploy", "test", "westeurope", MLEVENTS_SECRET="")
    assert done.returncode == 0, done.stderr
    assert azure.template("main.bicep")["appSecret"] == "the-present-one"


def test_one_that_the_vault_has_stays_in_the_vault(azure: Azure) -> None:
    azure.set(**deployed(REFERENCE))
    assert kept(azure, MLEVENTS_USE_KEY_VAULT="true") == ""


def test_taking_the_vault_away_asks_for_its_secret(azure: Azure) -> None:
    azure.set(**deployed(REFERENCE))
    done = azure.step("preprovision", MLEVENTS_SECRET="")
    assert done.returncode == 1
    assert "useKeyVault is no longer set: set MLEVENTS_SECRET" in done.stderr


def test_a_parameter_of_the_command_line_wins() -> None:
    assert choose_secret({}, {"appSecret": "chosen"}) == "chosen"


def test_no_template_derives_it() -> None:
    app, vault = (INFRA / f"modules/{name}.bicep" for name in ("function-app", "key-vault"))
    (settings,) = [one for one in declarations(app, "var") if one.name == "appSettings"]
    assert at(settings.body, "MLEVENTS_SECRET") == "appSecret"
    for path in (app, vault):
        (parameter,) = [one for one in declarations(path, "param") if one.name == "appSecret"]
        assert (parameter.secure, parameter.required) == (True, True)


def test_azd_asks_nobody_for_one_that_the_vault_has() -> None:
    """Of a parameter that is empty and has no default azd asks the person, and fails in a pipeline."""
    (parameter,) = [one for one in declarations(INFRA / "main.bicep", "param") if one.name == "appSecret"]
    assert (parameter.secure, parameter.default) == (True, "''")


def test_a_reference_that_is_not_resolved_is_no_secret() -> None:
    with pytest.raises(ConfigError, match="'MLEVENTS_SECRET' still reads"):
        Settings.read({"MLEVENTS_SECRET": REFERENCE})
