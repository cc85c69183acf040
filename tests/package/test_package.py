"""The built packages, each in an environment with nothing but what it requires.

`make package` does the same with an environment that pip fills from the package index: it sets
MLEVENTS_PACKAGE_PYTHON to the Python of that environment.
"""

import ast
import json
import os
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.sandbox_process import Stage, wait_until_ready
from tests.package.environments import ROOT, build_wheels, find_wheel, make_environment, members

pytestmark = pytest.mark.slow
EVENT_FUNCTIONS = {
    "ModelRegistered",
    "ModelDeployed",
    "RunCompleted",
    "RunStatusChanged",
    "DatasetDriftDetected",
}
INDEX = (
    "import json, sys; sys.path.insert(0, '.');"
    "from azure_functions_runtime.loader import index_function_app;"
    "print(json.dumps([one.get_function_name() for one in index_function_app('function_app.py')]))"
)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build_wheels(folder)
    return folder


@pytest.fixture(scope="session")
def python(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with mlevents alone."""
    if given := os.environ.get("MLEVENTS_PACKAGE_PYTHON"):
        return Path(given)
    return make_environment(tmp_path_factory.mktemp("product"), [find_wheel(wheels, "mlevents")])


def clean_environment() -> dict[str, str]:
    """No setting of ours, and no way to the checkout."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def run(python: Path, *words: str, cwd: Path, expected: int = 0) -> subprocess.CompletedProcess[str]:
    command = [str(python.parent / words[0]), *words[1:]]
    done = subprocess.run(
        command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `mlevents init` writes with the installed package."""
    folder = tmp_path_factory.mktemp("projects")
    run(python, "mlevents", "init", "churn", cwd=folder)
    return folder / "churn"


def test_a_wheel_has_one_top_level_package(wheels: Path):
    assert set(members(find_wheel(wheels, "mlevents"))) == {"mlevents"}
    assert set(members(find_wheel(wheels, "mlevents_sandbox"))) == {"sandbox"}


def test_the_wheels_have_every_file_of_their_packages(wheels: Path):
    names = {
        str(path.relative_to(ROOT))
        for folder in ("mlevents", "sandbox")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "pyproject.toml"
    }
    built: set[str] = set()
    for wheel in wheels.glob("*.whl"):
        built |= set(zipfile.ZipFile(wheel).namelist())
    assert names - built == set()


def test_both_packages_have_one_version_and_the_pins_of_the_tests():
    product = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sandbox = tomllib.loads((ROOT / "sandbox" / "pyproject.toml").read_text())
    version = product["project"]["version"]
    assert sandbox["project"]["version"] == version
    assert product["project"]["optional-dependencies"]["sandbox"] == [f"mlevents-sandbox=={version}"]
    known = {
        f"mlevents=={version}",
        *product["project"]["dependencies"],
        *product["dependency-groups"]["dev"],
    }
    assert set(sandbox["project"]["dependencies"]) - known == set()
    assert product["build-system"] == sandbox["build-system"]
    assert set(product["build-system"]["requires"]) <= known


def test_the_command_is_there(python: Path, tmp_path: Path):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run(python, "mlevents", "--version", cwd=tmp_path).stdout == f"mlevents {version}\n"
    assert (
        run(python, "python", "-m", "mlevents", "--version", cwd=tmp_path).stdout == f"mlevents {version}\n"
    )


def imported_modules(wheel: Path) -> set[str]:
    """Every module of others that the package imports, wherever in a file: SDKs are imported late."""
    found: set[str] = set()
    with zipfile.ZipFile(wheel) as archive:
        own = [name for name in archive.namelist() if name.endswith(".py")]
        nodes = [node for name in own for node in ast.walk(ast.parse(archive.read(name)))]
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.partition(".")[0] not in ("mlevents", "infra")}


def test_all_that_the_package_imports_is_required_by_it(python: Path, wheels: Path, tmp_path: Path):
    names = sorted(imported_modules(find_wheel(wheels, "mlevents")) - {"msvcrt"})  # of Windows' own Python
    assert {"re2", "azure.ai.ml", "apprise"} <= set(names)
    program = (
        "import importlib.util, json, sys\n"
        "def is_missing(name):\n"
        "    try: return importlib.util.find_spec(name) is None\n"
        "    except ModuleNotFoundError: return True\n"
        f"print(json.dumps([name for name in {names!r} if is_missing(name)]))"
    )
    assert json.loads(run(python, "python", "-W", "ignore", "-c", program, cwd=tmp_path).stdout) == []


def test_a_new_project_passes_check_with_nothing_set(python: Path, project: Path):
    found = json.loads(run(python, "mlevents", "check", "--json", cwd=project).stdout)
    assert (found["ok"], found["rules"], found["tests"]) == (True, 1, 2)
    assert {problem["severity"] for problem in found["problems"]} <= {"warning"}
    assert "ModelRegistered" in run(python, "mlevents", "filters", cwd=project).stdout
    run(python, "mlevents", "check", "rules.yaml", cwd=project)


def test_a_new_project_is_the_same_from_the_wheel_and_from_the_checkout(project: Path):
    from mlevents.commands.init import make_files

    written = {
        str(path.relative_to(project)): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert written == make_files("churn")


def test_the_worker_finds_every_function_of_a_new_project(python: Path, project: Path):
    names = json.loads(run(python, "python", "-c", INDEX, cwd=project).stdout)
    assert set(names) >= EVENT_FUNCTIONS


def test_the_hooks_of_a_new_project_use_the_installed_package(python: Path, project: Path):
    done = run(python, "python", "-m", "infra.hooks", cwd=project, expected=2)
    assert "usage: python -m infra.hooks" in done.stderr


@pytest.fixture(scope="session")
def sandbox_python(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with mlevents and its extra `sandbox`."""
    both = [find_wheel(wheels, "mlevents"), find_wheel(wheels, "mlevents_sandbox")]
    return make_environment(tmp_path_factory.mktemp("sandbox"), both)


def test_the_demo_says_what_it_needs_in_one_line(sandbox_python: Path, tmp_path: Path):
    done = run(sandbox_python, "python", "-m", "sandbox", "demo", cwd=tmp_path, expected=2)
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: the demo plays the rules of mlevents' repository: run it in a checkout")


@pytest.fixture
def running(sandbox_python: Path, project: Path, tmp_path: Path) -> Iterator[Stage]:
    """The sandbox of the installed extra, with the project's app."""
    ready = tmp_path / "ready.json"
    command = [str(sandbox_python), "-m", "sandbox", "up", "--port", "0", "--speed", "600"]
    command += ["--ready-file", str(ready)]
    options: dict[str, Any] = {"cwd": project, "env": clean_environment(), "stdout": subprocess.DEVNULL}
    with subprocess.Popen(command, **options) as process:
        try:
            yield Stage(wait_until_ready(ready, process), process.pid)
        finally:
            process.terminate()


def test_the_sandbox_runs_a_new_project(running: Stage):
    running.register("churn-eu", "2", {"release": "yes"})
    assert [(one["rule"], one["status"]) for one in running.settled()] == [("deploy-released-models", "done")]
    assert [message["via"] for message in running.inbox()] == ["webhook"]
