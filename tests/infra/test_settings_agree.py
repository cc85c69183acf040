"""The example for your machine, the templates and the code name the same settings."""

import json
import re
from pathlib import Path

import pytest

from infra.hooks.parameters import vault_secrets
from infra.hooks.required_settings import ALWAYS, PARAMETERS
from mlevents.errors import ConfigError
from mlevents.settings import Settings
from tests.infra.bicep_file import INFRA, Declaration, declarations, properties
from tests.unit.asked_settings import settings_asked_for

ROOT = Path(__file__).resolve().parents[2]
APP = INFRA / "modules/function-app.bicep"
ONLY_LOCAL = {
    "FUNCTIONS_WORKER_RUNTIME",  # on Azure the plan says so, and Flex Consumption refuses the setting
    "AzureWebJobsStorage",  # on Azure the account is named, and the identity opens it
}
ONLY_ON_AZURE = {
    "AZURE_CLIENT_ID",  # which identity the app is; on your machine it is you, by `az login`
    "AZURE_TOKEN_CREDENTIALS",  # on Azure nothing but the managed identity is tried
}
SET_BY_THE_HOST = {"AzureWebJobsScriptRoot"}
"""The Functions host tells its worker where the app is; nobody sets it."""
FALLBACKS = {"AzureWebJobsStorage"}
"""Read where MLEVENTS_SECRET is not set, which the templates always set."""


def variable(name: str) -> set[str]:
    node: Declaration = next(one for one in declarations(APP, "var") if one.name == name)
    return set(properties(next(child for child in node.node.named_children if child.type == "object")))


def local() -> set[str]:
    return set(json.loads((ROOT / "local.settings.json.example").read_text())["Values"])


def read_by_code() -> set[str]:
    """What the settings ask the environment for, by name."""
    names = settings_asked_for()
    assert names > SET_BY_THE_HOST | FALLBACKS
    return names - SET_BY_THE_HOST - FALLBACKS


def named_by_rules() -> set[str]:
    rules = "\n".join(line.split("#")[0] for line in (ROOT / "rules.yaml").read_text().splitlines())
    return set(re.findall(r"setting:\s*(\w+)", rules)) | set(re.findall(r"\$\{env\.(\w+)\}", rules))


def test_what_the_code_and_the_rules_read_is_set_on_azure() -> None:
    assert variable("appSettings") == read_by_code() | named_by_rules() | ONLY_ON_AZURE


def test_the_hook_knows_what_the_template_fills_in() -> None:
    assert variable("appSettings") == set(ALWAYS) | set(PARAMETERS)
    declared = {one.name for one in declarations(INFRA / "main.bicep", "param")}
    assert set(PARAMETERS.values()) <= declared
    assert vault_secrets({"useKeyVault": True}) == ["TEAMS_WORKFLOW_URL"]


def test_what_the_code_and_the_rules_read_is_in_the_example_for_your_machine() -> None:
    assert local() == read_by_code() | named_by_rules() | ONLY_LOCAL


def test_the_hosts_settings_open_its_storage_and_its_logs_by_identity() -> None:
    assert variable("hostSettings") == {
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__tableServiceUri",
        "AzureWebJobsStorage__credential",
        "AzureWebJobsStorage__clientId",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
        "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME",
    }


def test_what_observability_names_is_set() -> None:
    page = (ROOT / "docs/observability.md").read_text()
    named = set(re.findall(r"^\| `((?:APPLICATIONINSIGHTS|PYTHON|OTEL)_\w+)` \|", page, re.MULTILINE))
    assert named <= variable("hostSettings")


def test_an_empty_setting_is_called_empty_and_no_empty_one_is_proposed() -> None:
    settings = Settings(environment={"HOOK": "", "HOOKS": "", "HOOK_URL": "https://h"})
    with pytest.raises(ConfigError, match=r"'HOOK' is empty \(did you mean 'HOOK_URL'\?\)"):
        settings.value("HOOK")
    with pytest.raises(ConfigError, match="'HOOKS' is empty"):
        settings.value("HOOKS")
    with pytest.raises(ConfigError, match="'ELSEWHERE' is not set: "):
        settings.value("ELSEWHERE")
