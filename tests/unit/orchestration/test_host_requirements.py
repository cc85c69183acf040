"""What an app's host.json must say, and what is said when it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlevents.orchestration.host_requirements import REQUIREMENTS, find_unmet_requirements

ROOT = Path(__file__).resolve().parents[3]


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    *parents, last = path.split(".")
    copy = json.loads(json.dumps(document))
    place = copy
    for name in parents:
        place = place[name]
    del place[last]
    return copy


def test_our_own_meets_every_requirement():
    assert list(find_unmet_requirements(ROOT, {})) == []


@pytest.mark.parametrize("path", [one.path for one in REQUIREMENTS])
def test_each_setting_that_is_missing_is_named_alone(tmp_path: Path, path: str):
    document = json.loads((ROOT / "host.json").read_text())
    (tmp_path / "host.json").write_text(json.dumps(without(document, path)))
    (line,) = find_unmet_requirements(tmp_path, {})
    assert line.startswith(f"host.json: {path} is not set, so ")


def test_another_value_is_quoted_with_the_wanted_one(tmp_path: Path):
    document = json.loads((ROOT / "host.json").read_text())
    document["extensions"]["durableTask"]["versionMatchStrategy"] = "Strict"
    (tmp_path / "host.json").write_text(json.dumps(document))
    (line,) = find_unmet_requirements(tmp_path, {})
    assert 'versionMatchStrategy is "Strict"' in line
    assert line.endswith('set it to "CurrentOrOlder"')


@pytest.mark.parametrize(
    "text", [None, "{", "[]", '{"extensions": []}', '{"extensions": {"durableTask": 1}}', "1"]
)
def test_a_file_of_another_form_is_reported_and_never_raises(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "host.json").write_text(text)
    assert list(find_unmet_requirements(tmp_path, {}))


PROVIDER = "AzureFunctionsJobHost__extensions__durableTask__storageProvider"


def write_scheduler(folder: Path, **more: Any) -> None:
    document = json.loads((ROOT / "host.json").read_text())
    document["extensions"]["durableTask"] |= {"storageProvider": {"type": "azureManaged"}} | more
    (folder / "host.json").write_text(json.dumps(document))


@pytest.mark.parametrize("environment", [{}, {f"{PROVIDER}__type": "AzureManaged"}])
def test_the_scheduler_needs_no_setting_of_the_storage_account(tmp_path: Path, environment: dict[str, str]):
    write_scheduler(tmp_path)
    assert list(find_unmet_requirements(tmp_path, environment)) == []
    write_scheduler(tmp_path, versionMatchStrategy="Strict")
    (line,) = find_unmet_requirements(tmp_path, environment)
    assert 'versionMatchStrategy is "Strict"' in line


def test_a_backend_that_only_an_app_setting_names_is_reported():
    (line,) = find_unmet_requirements(ROOT, {f"{PROVIDER}__type": "azureManaged"})
    assert 'storageProvider.type is "AzureStorage", but an app setting says "azureManaged"' in line
    assert "Azure starts no instances for responses that wait" in line


def test_an_app_setting_overrides_the_file_whatever_its_case(tmp_path: Path):
    write_scheduler(tmp_path, entityMessageReorderWindowInMinutes=30)
    name = "AZUREFUNCTIONSJOBHOST__Extensions__DurableTask__EntityMessageReorderWindowInMinutes"
    assert list(find_unmet_requirements(tmp_path, {name: "0"})) == []
    (line,) = find_unmet_requirements(ROOT, {name: "30"})
    assert 'entityMessageReorderWindowInMinutes is "30"' in line


def test_the_page_lists_every_requirement_of_an_existing_app():
    page = (ROOT / "docs/how-to/existing-function-app.md").read_text()
    listed = [one.path for one in REQUIREMENTS if one.path != "version"]  # no app starts without it
    assert [path for path in listed if path.rpartition(".")[2] not in page] == []
