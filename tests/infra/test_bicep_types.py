"""The check of a template against Azure's types finds mistakes."""

from pathlib import Path

import pytest

from tests.infra.bicep_file import declarations
from tests.infra.bicep_types import problems

TYPE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2025-12-01"
GOOD = "location: 'westeurope'\n  properties: {\n    authMode: 'AADToken'\n  }"


def found(folder: Path, body: str, target: str = TYPE) -> list[str]:
    path = folder / "one.bicep"
    path.write_text(f"resource one '{target}' = {{\n  name: 'ws-1/fraud'\n  {body}\n}}\n")
    return problems(declarations(path, "resource")[0])


def test_a_good_resource_has_no_problems(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("locaton: 'x'", "locaton: there is no such property"),
        ("properties: {\n    authMode: 'Kee'\n  }", "'Kee' is none of"),
        ("properties: {\n    authMode: 'Key'\n    scoringUri: 'x'\n  }", "scoringUri: is read-only"),
        ("properties: 'x'", "wants ObjectType"),
        ("properties: {}", "authMode: is missing"),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, body: str, part: str) -> None:
    assert part in "\n".join(found(tmp_path, body))


def test_an_unknown_type_is_found(tmp_path: Path) -> None:
    assert "no such type" in found(tmp_path, GOOD, TYPE.replace("onlineEndpoints", "onlineEntpoints"))[0]
