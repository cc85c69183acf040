"""Programs of npm packages for tests: those of a lock file, installed once beside Python's environment."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def find_program(name: str) -> str:
    """The path of a program; fails, and does not skip, where it is absent."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"this test needs {name}, and it is not installed: install Node.js 20 or later")
    return found


def install_packages(source: Path) -> Path:
    """The folder with the packages of the lock file in `source`, which are installed when it is not there."""
    lock = (source / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / source.name / hashlib.sha256(lock).hexdigest()[:12]
    if folder.exists():
        return folder
    place = folder.with_name(f"{folder.name}.{os.getpid()}")
    place.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, place)
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    subprocess.run([find_program("npm"), "ci", *options], cwd=place, check=True, timeout=100)
    try:
        place.rename(folder)
    except OSError:  # another worker of the test run was faster
        shutil.rmtree(place)
    return folder
