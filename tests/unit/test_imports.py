"""Who may import whom, where the import contracts cannot say it: parts of the `azure` namespace."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = ("azure.functions", "azure.durable_functions")


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def domain() -> list[Path]:
    """The files of the product but for its entry points."""
    files = (ROOT / "mlevents").rglob("*.py")
    return [file for file in files if ROOT / "mlevents" / "handlers" not in file.parents]


def users_of(prefixes: tuple[str, ...], files: Iterable[Path]) -> set[str]:
    return {file.name for file in files if any(name.startswith(prefixes) for name in imported(file))}


def test_the_domain_knows_nothing_of_the_functions_host():
    assert users_of(HOST, domain()) == set()


def test_handlers_call_no_sdk():
    azure = {name for file in (ROOT / "mlevents" / "handlers").rglob("*.py") for name in imported(file)}
    assert {name for name in azure if name.startswith("azure.") and not name.startswith(HOST)} == set()


def test_no_service_imports_an_sdk_before_it_is_used():
    for file in (ROOT / "mlevents" / "services").rglob("*.py"):
        top = ast.parse(file.read_text()).body
        modules = [node.module or "" for node in top if isinstance(node, ast.ImportFrom)]
        modules += [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
        assert not any(name.startswith(("azure", "apprise")) for name in modules), file


def test_every_late_import_of_an_sdk_waits_its_turn():
    for file in domain():
        tree = ast.parse(file.read_text())
        inside = [node for block in ast.walk(tree) if one_at_a_time(block) for node in ast.walk(block)]
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom) and node not in inside:
                    names = (
                        [node.module or ""]
                        if isinstance(node, ast.ImportFrom)
                        else [a.name for a in node.names]
                    )
                    assert not any(name.startswith(("azure", "apprise")) for name in names), (
                        file,
                        node.lineno,
                    )


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
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=clean, check=True)
