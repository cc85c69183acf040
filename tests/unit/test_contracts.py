"""The import contracts of pyproject.toml cover all the code, and a forbidden import breaks one of them."""

import ast
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = read_configuration(str(ROOT / "pyproject.toml"))
ROOTS = SETTINGS["session_options"]["root_packages"]
CONTRACTS = {one["name"]: one for one in SETTINGS["contracts_options"]}
KINDS: dict[str, Any] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}
BUILT = {"build", "dist"}
"""Folders that building a package leaves."""
EXAMPLES = {"docs"}
"""Folders with the code of users, which nothing of ours imports."""


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOTS, include_external_packages=True)


def is_kept(name: str, graph: grimp.ImportGraph) -> bool:
    options = {key: value for key, value in CONTRACTS[name].items() if key not in ("name", "type")}
    contract = KINDS[CONTRACTS[name]["type"]](name, SETTINGS["session_options"], options)
    return contract.check(deepcopy(graph), verbose=False).kept


def test_every_folder_with_code_is_in_the_contracts():
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and path.name.isidentifier() and next(path.rglob("*.py"), None)
    }
    assert folders - BUILT - EXAMPLES == set(ROOTS)


def test_function_app_is_the_only_module_outside_and_imports_nothing_but_register():
    assert [path.name for path in ROOT.glob("*.py")] == ["function_app.py"]
    tree = ast.parse((ROOT / "function_app.py").read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names == {"azure.functions", "mlevents"}


@pytest.mark.parametrize("name", list(CONTRACTS))
def test_the_contract_is_kept(name: str):
    assert is_kept(name, imports())


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("mlevents.rules.file", "mlevents.responses.respond"),
        ("mlevents.services.scoring", "mlevents.actions.action"),
        ("mlevents.errors", "mlevents.duration"),
        ("mlevents.expressions.grammar", "mlevents.matching.where"),
        ("mlevents.responses.decision", "mlevents.handlers.delivery"),
        ("mlevents.settings", "sandbox.tls"),
        ("mlevents.rules.needs", "infra.hooks.needs"),
        ("mlevents.actions.action", "bench.figure"),
        ("sandbox.sandbox", "tests.sandbox.arm_server"),
        ("mlevents.handlers.delivery", "sandbox.pace"),
        ("infra.hooks.app", "sandbox.pace"),
        ("mlevents.handlers.delivery", "mlevents.services.services"),
        ("mlevents.handlers.http", "mlevents.commands.command"),
        ("infra.hooks.app", "mlevents.services.services"),
        ("infra.hooks.preflight", "mlevents.eventgrid.subscription_diff"),
        ("sandbox.sandbox", "mlevents.responses.respond"),
        ("mlevents.actions.notify.action", "azure"),
        ("mlevents.responses.respond", "apprise"),
        ("mlevents.telemetry", "azure"),
        ("infra.hooks.app", "azure"),
        ("mlevents.yamlfile.positions", "mlevents.yamlfile.reader"),
        ("mlevents.gates.order", "durabletask"),
        ("mlevents.actions.notify.action", "durabletask"),
    ],
)
def test_an_import_that_is_forbidden_breaks_a_contract(importer: str, imported: str):
    graph = deepcopy(imports())
    assert {importer, imported} <= graph.modules
    graph.add_import(importer=importer, imported=imported)
    assert not all(is_kept(name, graph) for name in CONTRACTS)
