"""Who may import whom, where the import contracts cannot say it: parts of the `azure` namespace."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = ROOT / "mlevents" / "handlers"
SDKS = ("azure", "apprise")
HOST = ("azure.functions", "azure.durable_functions")


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        yield from names_imported(node)


def names_imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def domain() -> list[Path]:
    """The files of the product but for its entry points."""
    files = (ROOT / "mlevents").rglob("*.py")
    return [file for file in files if HANDLERS not in file.parents]


def users_of(prefixes: tuple[str, ...], files: Iterable[Path]) -> set[str]:
    return {file.name for file in files if any(name.startswith(prefixes) for name in imported(file))}


def test_the_domain_knows_nothing_of_the_functions_host():
    assert users_of(HOST, domain()) == set()
    assert users_of(HOST, HANDLERS.rglob("*.py")), "the handlers import it, so an import is recognized"


def test_handlers_call_no_sdk():
    azure = {name for file in HANDLERS.rglob("*.py") for name in imported(file)}
    assert any(name.startswith(HOST) for name in azure)
    assert {name for name in azure if name.startswith("azure.") and not name.startswith(HOST)} == set()


def test_no_service_imports_an_sdk_before_it_is_used():
    services = list((ROOT / "mlevents" / "services").rglob("*.py"))
    assert users_of(SDKS, services), "some do import one, later"
    early = [
        (file.name, node.lineno)
        for file in services
        for node in ast.parse(file.read_text()).body
        if imports_an_sdk(node)
    ]
    assert early == []


def test_every_late_import_of_an_sdk_waits_its_turn():
    waiting: list[str] = []
    hasty: list[str] = []
    for file in domain():
        tree = ast.parse(file.read_text())
        inside = {node for block in ast.walk(tree) if one_at_a_time(block) for node in ast.walk(block)}
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in filter(imports_an_sdk, ast.walk(function)):
                (waiting if node in inside else hasty).append(f"{file.name}: {ast.unparse(node)}")
    assert waiting
    assert hasty == []


def imports_an_sdk(node: ast.AST) -> bool:
    return any(name.startswith(SDKS) for name in names_imported(node))


def one_at_a_time(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and ast.unparse(node.items[0].context_expr) == "import_lock()"


def test_two_threads_may_begin_at_different_ends():
    program = (
        "import threading\n"
        "from mlevents.services.lazy_import import import_lock\n"
        "def load(name):\n"
        "    with import_lock():\n"
        "        __import__(name)\n"
        "names = ['azure.ai.ml', 'azure.communication.email', 'azure.core.exceptions', 'azure.identity']\n"
        "faults = []\n"
        "threading.excepthook = lambda args: faults.append(args.exc_value)\n"
        "threads = [threading.Thread(target=load, args=[name]) for name in names * 3]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "assert not faults, faults\n"
    )
    # MLClient leaves its cloud's name in the environment, where a fresh interpreter would find it.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AZUREML_")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=clean, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
