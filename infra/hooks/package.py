"""Build `.python_packages`, bytecode and the outline of the rules: nothing is left for Azure to build.

A remote build on Flex Consumption was reported to use Python 3.11 although the app says 3.13
(github.com/Azure/azure-dev/issues/8538). Here pip takes wheels for the app's Python and for Linux,
whatever this machine is. Where requirements.txt has hashes it is a complete lock file, and pip takes only
those; else pip also takes what the named packages require.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from infra.hooks.needs import find_rules, read_rules
from infra.hooks.programs import ROOT, HookError, say
from mlevents.errors import RulesError
from mlevents.rules.rules_outline import make_digest, write_outline
from mlevents.settings import Settings

REQUIREMENTS = "requirements.txt"
PYTHON = (3, 13)
"""The app's Python, as in infra/modules/function-app.bicep."""
PLATFORMS = tuple(
    f"manylinux{each}_x86_64" for each in ("_2_28", "_2_27", "_2_26", "_2_24", "_2_17", "2014", "2010", "1")
)
"""Flex Consumption runs on Linux with a glibc of 2.28 or later."""
PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where the Python worker looks for the app's dependencies."""


def build(environment: Mapping[str, str]) -> None:
    """Prepare this folder for a start without delay on Azure, where the app cannot write into it."""
    install(ROOT)
    subprocess.run(compile_command("checked-hash", own_code(ROOT)), cwd=ROOT, check=False)
    settings = replace(Settings.read(environment), rules=find_rules(environment).resolve())
    digest = make_digest(settings)
    with suppress(RulesError):  # `predeploy` says what is wrong with them
        write_outline(read_rules(environment), settings, digest)


def install(root: Path) -> None:
    """Install the locked dependencies beside the app, compiled; what was there before goes."""
    if sys.version_info[:2] != PYTHON:
        raise HookError(
            f"Python {sys.version.split()[0]} builds the app for Python {_dotted()}: "
            f"run the hooks with {_dotted()} (PYTHON=python{_dotted()} makes .venv)"
        )
    target = root / PACKAGES
    shutil.rmtree(root / PACKAGES.parts[0], ignore_errors=True)
    say(f"mlevents: installs the dependencies of the app into {PACKAGES}")
    hashed = "--hash=" in (root / REQUIREMENTS).read_text(encoding="utf-8")
    if subprocess.run(install_command(target, hashed), cwd=root, check=False).returncode != 0:
        raise HookError("the dependencies of the app were not installed (see above): nothing was deployed")
    subprocess.run(compile_command("unchecked-hash", [target]), cwd=root, check=False)


def install_command(target: Path, hashed: bool) -> list[str]:
    """The pip command; `--no-deps` because a lock file with hashes is complete, on every platform."""
    return [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *(("--require-hashes", "--no-deps") if hashed else ()),
        *("--no-compile", "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", _dotted()),
        *(word for platform in PLATFORMS for word in ("--platform", platform)),
        *("--target", str(target), "--requirement", REQUIREMENTS),
    ]


def compile_command(mode: str, code: Sequence[Path]) -> list[str]:
    """The command that compiles code, to be recognised by a hash: a zip does not keep the times of files.

    Forced, because a file that was imported here has bytecode already, which is recognised by that time.
    Unchecked is for what nobody edits: Python would go on with the bytecode of a file that has changed.
    """
    command = [sys.executable, "-W", "ignore", "-m", "compileall", "-qqf", "--invalidation-mode", mode]
    return [*command, *map(str, code)]


def own_code(root: Path) -> list[Path]:
    """The code in this folder, as far as it is here: mlevents may also be installed."""
    return [root / name for name in ("function_app.py", "mlevents") if not (root / name).is_symlink()]


def _dotted() -> str:
    return ".".join(str(number) for number in PYTHON)
