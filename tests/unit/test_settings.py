"""Settings that Azure could not fill in are named, and never quoted."""

from pathlib import Path

import pytest

from mlevents.doctor.azure_checks import Doctor
from mlevents.errors import ConfigError
from mlevents.rules.file import load_rules_text
from mlevents.settings import SETTING_NAMES, Settings, find_unresolved_references

REFERENCE = "@Microsoft.KeyVault(VaultName=my-vault;SecretName=teams-workflow-url)"
SPELLINGS = [
    REFERENCE,
    REFERENCE.lower(),
    f"  {REFERENCE}",
    "@Microsoft.KeyVault(SecretUri=https://my-vault.x/y)",
]


@pytest.mark.parametrize("written", SPELLINGS)
def test_a_reference_is_never_a_value(written: str):
    with pytest.raises(ConfigError) as refusal:
        Settings(environment={"HOOK": written}).value("HOOK")
    said = str(refusal.value)
    assert said.startswith("the app setting 'HOOK' still reads @Microsoft.KeyVault(…): ")
    assert "Key Vault Secrets User" in said
    assert "my-vault" not in said
    assert "teams-workflow-url" not in said


@pytest.mark.parametrize("name", SETTING_NAMES)
def test_our_own_settings_are_no_exception(name: str):
    with pytest.raises(ConfigError, match=f"'{name}' still reads") as refusal:
        Settings.read({name: REFERENCE})
    assert "my-vault" not in str(refusal.value)


@pytest.mark.parametrize("value", ["", "https://x", "see @Microsoft.KeyVault(…)", "@Microsoft.Other(x)"])
def test_other_values_are_left_alone(value: str):
    assert find_unresolved_references({"HOOK": value}) == []


def test_every_unresolved_setting_is_listed_by_name():
    lines = find_unresolved_references({"B": REFERENCE, "A": REFERENCE, "C": "fine"})
    assert [line.split("'")[1] for line in lines] == ["A", "B"]


def test_the_doctor_names_a_setting_that_no_rule_names(tmp_path: Path):
    rules = load_rules_text("version: 1\nrules: []\n", tmp_path / "rules.yaml", Settings())
    found = next(iter(Doctor(rules, Settings(environment={"OTHER": REFERENCE})).findings()))
    assert (found.part, found.finding.about, found.finding.ok) == ("settings", "OTHER", False)
    assert "still reads @Microsoft.KeyVault(…)" in found.finding.said
    assert "restart the app" in found.finding.remedy


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"WEBSITE_HOSTNAME": "app.azurewebsites.net"}, "https://app.azurewebsites.net"),
        ({"WEBSITE_HOSTNAME": "127.0.0.1:7071"}, "http://127.0.0.1:7071"),
        ({"MLEVENTS_ADDRESS": "https://ml.example.com/"}, "https://ml.example.com"),
        (
            {"MLEVENTS_ADDRESS": "https://ml.example.com/events", "WEBSITE_HOSTNAME": "app.example"},
            "https://ml.example.com/events",
        ),
    ],
)
def test_links_begin_with_the_address_that_people_reach(environment: dict[str, str], address: str):
    assert Settings.read(environment).find_address() == address


@pytest.mark.parametrize(
    "address",
    [
        "ml.example.com",
        "http://ml.example.com",
        "https://",
        "https://[",
        "https://u:p@x.org",
        "https://x?a=b",
    ],
)
def test_an_address_that_leads_nowhere_or_is_not_encrypted_is_refused(address: str):
    with pytest.raises(ConfigError, match="MLEVENTS_ADDRESS"):
        Settings.read({"MLEVENTS_ADDRESS": address})
