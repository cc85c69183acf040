"""The pipelines of this repository and of a new project, and a Git repository to run them in."""

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlevents.commands.init import make_files
from tests.processes import command_client
from tests.processes.process_client import find_server

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ".github/workflows/mlevents.yml"
GITHUB_DEPLOY = ".github/workflows/deploy.yml"
AZURE = ".azuredevops/pipeline.yml"
AZURE_DEPLOY = ".azuredevops/deploy.yml"
NAMES = (GITHUB, GITHUB_DEPLOY, AZURE, AZURE_DEPLOY)


@dataclass(frozen=True)
class Pipelines:
    """Four files, by the names above."""

    texts: Mapping[str, str]

    def read(self, name: str) -> dict[str, Any]:
        return yaml.safe_load(self.texts[name])

    def github_script(self, job: str, containing: str) -> dict[str, Any]:
        """The step of a GitHub job whose script has this text."""
        steps = self.read(GITHUB)["jobs"][job]["steps"]
        (found,) = [one for one in steps if containing in one.get("run", "")]
        return found

    def azure_job(self, name: str) -> dict[str, Any]:
        (stage,) = [one for one in self.read(AZURE)["stages"] if one.get("stage") == "check"]
        (found,) = [one for one in stage["jobs"] if one["job"] == name]
        return found

    def azure_script(self, job: str, containing: str) -> dict[str, Any]:
        (found,) = [one for one in self.azure_job(job)["steps"] if containing in one.get("script", "")]
        return found


def of_this_repository() -> Pipelines:
    return Pipelines({name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES})


def of_a_new_project() -> Pipelines:
    files = make_files("churn")
    return Pipelines({name: files[name].decode() for name in NAMES})


PROJECTS = {"repository": of_this_repository, "project": of_a_new_project}


def write_project(folder: Path) -> None:
    """A new project in the branch `main`, and the branch `change` that is checked out; `origin` has both."""
    for path, content in make_files("churn").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    git(folder, "init", "-q", "--initial-branch", "main")
    commit(folder)
    git(folder, "remote", "add", "origin", str(folder))
    git(folder, "fetch", "-q", "origin")
    git(folder, "checkout", "-q", "-b", "change")


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--message", "a change")


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def run_script(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub and Azure Pipelines do, with `mlevents` and `python` on the PATH.

    Both ask the process server for the commands of mlevents.
    """
    programs = folder.parent / "programs"
    programs.mkdir(exist_ok=True)
    served = f'exec "{sys.executable}" -ES "{command_client.__file__}" mlevents "$@"\n'
    is_ours = 'if [ "$1 $2" = "-m mlevents" ]; then shift 2;'
    python = f'{is_ours} {served}fi\nexec "{sys.executable}" "$@"\n'
    for name, text in (("python", python), ("mlevents", served)):
        program = programs / name
        program.write_text(f"#!/bin/sh\n{text}")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    values = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder.parent),
        "PROCESS_SERVER": find_server(),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env={**values, **environment}, capture_output=True, text=True, check=False
    )
