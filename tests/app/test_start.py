"""What the app is before its first event: its Python, its functions, its health."""

import ast
import asyncio
import json
import runpy
from pathlib import Path

import azure.functions as func
import pytest

from mlevents import register
from mlevents.handlers.http import answer_request
from mlevents.python_version import check_python

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = "@Microsoft.KeyVault(VaultName=my-vault;SecretName=teams-workflow-url)"


def functions() -> list[str]:
    return [str(one.get_function_name()) for one in register(func.FunctionApp()).get_functions()]


def test_the_librarys_own_http_functions_are_not_there():
    names = functions()
    assert "ModelRegistered" in names
    assert [name for name in names if "builtin" in name.casefold() or "http" in name.casefold()] == []


def test_the_app_that_the_host_loads_has_none_either():
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]  # an app can be indexed only once
    names = [one.get_function_name() for one in app.get_functions()]
    assert sorted(names) == sorted(functions())


@pytest.mark.parametrize("found", [(3, 9), (3, 11), (3, 12)])
def test_an_old_python_is_refused_with_both_versions(found: tuple[int, int]):
    with pytest.raises(RuntimeError, match=rf"Python 3\.{found[1]}, but needs 3\.13 or later: set"):
        check_python(found)


@pytest.mark.parametrize("found", [(3, 13), (3, 14), (4, 0)])
def test_the_apps_python_and_newer_ones_are_not(found: tuple[int, int]):
    check_python(found)


def test_an_old_python_gets_as_far_as_the_check():
    """Whatever is read before it must be plain enough for the oldest Python of Azure Functions."""
    for name in ("function_app.py", "mlevents/__init__.py", "mlevents/python_version.py"):
        ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 9))
    package = ast.parse((ROOT / "mlevents/__init__.py").read_text(encoding="utf-8"))
    imported = [node.module for node in package.body if isinstance(node, ast.ImportFrom)]
    assert imported == ["typing", "mlevents.python_version"]
    (function,) = [node for node in package.body if isinstance(node, ast.FunctionDef)]
    assert ast.unparse(function.body[1]) == "check_python()"


def test_health_names_a_setting_that_azure_could_not_fill_in(monkeypatch: pytest.MonkeyPatch):
    request = func.HttpRequest("GET", "/api/health", body=b"")
    monkeypatch.setenv("SOME_SECRET", REFERENCE)
    anonymous, detailed = (
        asyncio.run(answer_request(name, request, None)) for name in ("Health", "HealthDetails")
    )
    assert (anonymous.status_code, json.loads(anonymous.get_body())) == (503, {"status": "failing"})
    problems = json.loads(detailed.get_body())["problems"]
    assert [line for line in problems if "'SOME_SECRET' still reads @Microsoft.KeyVault(…)" in line]
    assert "my-vault" not in "".join(problems)
