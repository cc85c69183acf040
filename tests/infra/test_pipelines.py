"""azd's file, the workflows and the workbook are what their readers expect."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.infra.bicep_file import INFRA, at, declarations

ROOT = Path(__file__).resolve().parents[2]


def azure_yaml() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "azure.yaml").read_text())


def test_azd_can_read_its_file() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "azure" / "azd_schema.json").read_text())
    found = jsonschema.Draft202012Validator(schema).iter_errors(azure_yaml())
    assert [error.message for error in found] == []


def test_azd_finds_the_app_by_its_tag() -> None:
    main = next(one for one in declarations(INFRA / "main.bicep", "module") if one.name == "app")
    (service,) = azure_yaml()["services"]
    assert f"'azd-service-name': '{service}'" in at(main.body, "params.tags")


def hooks() -> dict[str, Any]:
    whole = azure_yaml()
    return {**whole["hooks"], **whole["services"]["app"]["hooks"]}


@pytest.mark.parametrize("hook", hooks())
def test_a_hook_runs_a_step_that_there_is(hook: str) -> None:
    from infra.hooks.__main__ import STEPS

    found = hooks()[hook]
    assert found["posix"]["run"] == f"sh infra/hooks/run.sh {hook}"
    assert found["windows"]["run"] == f"python -m infra.hooks {hook}"
    assert hook in STEPS


PIPELINES = [ROOT / ".github/workflows/mlevents.yml", ROOT / ".azuredevops/pipeline.yml"]


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.parent.parent.name or path.name)
def test_a_pipeline_checks_tests_and_compiles_before_it_deploys(path: Path) -> None:
    text = path.read_text()
    steps = ["make check", "make test", "make package", "az bicep build", "environment: dev"]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    assert "for template in main access events; do" in text


def test_a_pipeline_lists_and_audits_what_is_deployed() -> None:
    assert all("make audit" in path.read_text() and "sbom.json" in path.read_text() for path in PIPELINES)
    makefile = (ROOT / "Makefile").read_text()
    assert "cyclonedx-py requirements requirements.txt" in makefile
    assert "pip-audit --strict --require-hashes" in makefile


def test_everything_is_installed_by_hash() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "pip install --quiet --disable-pip-version-check --require-hashes" in makefile
    assert [
        line for line in makefile.splitlines() if "pip install" in line and "INSTALL :=" not in line
    ] == []
    scripts = [ROOT / "infra/hooks/run.sh", ROOT / "infra/hooks/package.py", ROOT / "docs/how-to/windows.md"]
    assert [path.name for path in scripts if "--require-hashes" not in path.read_text()] == []


LOCKS = ["requirements.txt", "requirements-dev.txt", "infra/tools.txt", "infra/checkov.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_file_has_a_hash(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", "")
    packages = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert len(packages) > 20
    assert [line for line in packages if "--hash=sha256:" not in line] == []


def test_the_workbook_is_one() -> None:
    workbook = json.loads((INFRA / "workbook.json").read_text())
    assert workbook["version"] == "Notebook/1.0"
    assert (
        len((INFRA / "workbook.json").read_bytes()) < 131_072
    )  # what loadTextContent takes: 131,072 characters
    assert workbook["items"]


def test_alerts_watch_a_query_that_gives_rows_when_something_is_wrong() -> None:
    for name in ("failed-responses", "quarantine", "function-errors"):
        query = (INFRA / f"queries/{name}.kql").read_text()
        assert "> 0" in query, f"{name}: the alert counts rows, so a query must leave out what is well"
