"""Every template parses, fits together, and matches Azure's types."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.infra.bicep_file import (
    FILES,
    INFRA,
    Declaration,
    at,
    calls,
    declarations,
    properties,
    syntax_errors,
    text,
    tree,
    walk,
)
from tests.infra.bicep_types import problems

TEMPLATES = ("main.bicep", "access.bicep", "events.bicep")
FORMS = {"spread_expression", "type_declaration", "user_defined_function", "lambda_expression"}
"""What the grammar or checkov's parser cannot read; nothing here needs it."""


def relative(path: Path) -> str:
    return str(path.relative_to(INFRA))


each = pytest.mark.parametrize("path", FILES, ids=relative)


def test_there_are_templates_with_everything_that_is_checked_here() -> None:
    assert {INFRA / name for name in TEMPLATES} <= set(FILES)
    kinds = ("param", "var", "resource", "module", "output")
    assert [kind for kind in kinds if not any(declarations(path, kind) for path in FILES)] == []
    assert sum(len(outputs_read(path)) for path in FILES) > 10


@each
def test_it_parses(path: Path) -> None:
    assert syntax_errors(path) == []


@each
def test_it_is_plain(path: Path) -> None:
    assert not {node.type for node in walk(tree(path))} & FORMS


@each
def test_modules_get_exactly_the_parameters_they_declare(path: Path) -> None:
    for module in declarations(path, "module"):
        called = (path.parent / module.target).resolve()
        assert called in FILES, module.target
        declared = {one.name: one.required for one in declarations(called, "param")}
        given = set(properties(properties(module.body)["params"]))
        assert given <= set(declared), f"{module.name}: {given - set(declared)}"
        assert {name for name, required in declared.items() if required} <= given, module.name


@each
def test_outputs_that_are_read_exist(path: Path) -> None:
    modules = {one.name: (path.parent / one.target).resolve() for one in declarations(path, "module")}
    there = {(name, one.name) for name, file in modules.items() for one in declarations(file, "output")}
    assert outputs_read(path) - there == set()


def outputs_read(path: Path) -> set[tuple[str, str]]:
    """Each module of a template with an output of it that the template reads."""
    modules = {one.name for one in declarations(path, "module")}
    members = [text(node) for node in walk(tree(path)) if node.type == "member_expression"]
    parts = [re.sub(r"\[[^\]]*\]|!", "", one).split(".") for one in members]
    return {(one[0], one[2]) for one in parts if len(one) == 3 and one[0] in modules and one[1] == "outputs"}


@each
def test_names_are_declared_once(path: Path) -> None:
    names = [one.name for one in declarations(path, "param", "var", "resource", "module")]
    assert len(names) == len(set(names))


@each
def test_what_is_declared_is_used(path: Path) -> None:
    uses = Counter(text(node) for node in walk(tree(path)) if node.type == "identifier")
    assert [one.name for one in declarations(path, "param", "var") if uses[one.name] < 2] == []


@each
def test_files_that_are_loaded_exist(path: Path) -> None:
    loaded = [*calls(path, "loadTextContent"), *calls(path, "loadJsonContent")]
    written_by_the_hook = {INFRA / "filters.json"}
    assert {(path.parent / one[0]).resolve() for one in loaded} - written_by_the_hook <= set(INFRA.rglob("*"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_parameters_of_a_template_are_documented(name: str) -> None:
    assert [one.name for one in declarations(INFRA / name, "param") if not one.description] == []


def test_the_parameters_that_azd_gives_exist() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    declared = declarations(INFRA / "main.bicep", "param")
    assert set(given) <= {one.name for one in declared}
    assert {one.name for one in declared if one.required} <= set(given)


def test_azd_touches_no_resource_group_but_its_own() -> None:
    """`azd down` deletes every resource group that its deployment touched (Azure/azure-dev issue 2916)."""
    scopes = {at(one.body, "scope") for one in declarations(INFRA / "main.bicep", "module")}
    assert scopes == {"group"}
    own = {(INFRA / one.target).resolve() for one in declarations(INFRA / "main.bicep", "module")}
    inside = [one for path in own for one in declarations(path, "resource", "module")]
    assert len(inside) > 20
    assert [one.name for one in inside if at(one.body, "scope").startswith("resourceGroup")] == []


@pytest.mark.parametrize(
    ("path", "resource"),
    [(path, one) for path in FILES for one in declarations(path, "resource")],
    ids=lambda one: relative(one) if isinstance(one, Path) else one.name,
)
def test_a_resource_matches_its_type(path: Path, resource: Declaration) -> None:
    assert problems(resource) == []
