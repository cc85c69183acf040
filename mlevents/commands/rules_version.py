"""Rules to compare: a file, a folder, or `git:REF[:PATH]`, the rules of a commit."""

import io
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

from mlevents.commands.command import exit_with_error, load_rules_or_exit
from mlevents.rules.model import Rules
from mlevents.settings import find_default_rules

GIT = "git:"


def load_version(name: str, other: str, env: str) -> Rules:
    """The rules that OLD or NEW names; exits if there are none.

    Of a commit they have the path after its name, else that of the `other` rules, else the default.
    """
    if not name.startswith(GIT):
        return load_rules_or_exit(Path(name), env)
    ref, _, path = name.removeprefix(GIT).partition(":")
    with tempfile.TemporaryDirectory(prefix="mlevents-") as folder:
        place = _extract_commit(ref, Path(folder))
        own = path or ("" if other.startswith(GIT) else _find_path_in_repository(other))
        rules = place / own if own else find_default_rules(place)
        if not rules.exists():
            exit_with_error(f"{name}: this commit has no '{own or 'rules.yaml'}': write git:{ref}:PATH")
        return load_rules_or_exit(rules, env)


def _find_path_in_repository(path: str) -> str:
    top = Path(_run_git("rev-parse", "--show-toplevel").strip())
    place = Path(path).resolve()
    if not place.is_relative_to(top):
        exit_with_error(f"'{path}' is outside the repository {top}: write git:REF:PATH")
    return str(place.relative_to(top))


def _extract_commit(ref: str, folder: Path) -> Path:
    """Write the files of a commit into a folder; nothing of the working tree changes."""
    if not ref or ref.startswith("-"):
        exit_with_error(f"'{ref}' is not a commit: write one such as git:origin/main")
    top = _run_git("rev-parse", "--show-toplevel").strip()
    done = subprocess.run(["git", "-C", top, "archive", ref], capture_output=True, check=False)
    if done.returncode != 0:
        exit_with_error(f"git:{ref}: {done.stderr.decode(errors='replace').strip()}")
    with suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")  # tarfile cannot read the archive of a commit without files
    return folder


def _run_git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        exit_with_error("git: is not on the PATH: install it, or name files to compare")
    if done.returncode != 0:
        exit_with_error(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
