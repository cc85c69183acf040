"""Rules to compare: a file, a folder, or `git:REF[:PATH]`, the rules of a commit."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mlevents.commands.command import RULES, load_local_rules
from mlevents.errors import ConfigError, RulesError
from mlevents.rules.model import Rules
from mlevents.settings import find_default_rules

GIT = "git:"


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """One side of a comparison: where its rules are; `commit` names it where they are those of a commit."""

    path: Path
    commit: str = ""
    folder: Path = Path()

    def load(self, env: str) -> Rules:
        """The rules in an environment; raises RulesError, whose problems name the commit and its file."""
        try:
            return load_local_rules(self.path, env=env)
        except RulesError as error:
            raise RulesError(
                [replace(one, file=self._name_file(one.file)) for one in error.problems]
            ) from error

    def _name_file(self, file: str) -> str:
        return f"{self.commit}:{Path(file).relative_to(self.folder)}" if self.commit else file


@contextmanager
def open_version(name: str, other: str) -> Iterator[RulesVersion]:
    """The rules that OLD or NEW names; raises ConfigError if there are none.

    Of a commit they have the path after its name, else that of the `other` rules, else the default.
    """
    if not name.startswith(GIT):
        path = find_default_rules(Path()) if Path(name) == RULES else Path(name)
        if not path.exists():
            raise ConfigError(f"{path}: this rule file does not exist: name another")
        yield RulesVersion(path)
        return
    ref, _, named = name.removeprefix(GIT).partition(":")
    with tempfile.TemporaryDirectory(prefix="mlevents-") as folder:
        place = _extract_commit(ref, Path(folder).resolve())
        own = Path(named) if named else _find_path_in_repository(other)
        rules = place / own
        if not named and not rules.exists():
            rules = find_default_rules(rules.parent)
        if not rules.exists():
            raise ConfigError(f"{GIT}{ref}: this commit has no '{own}': write {GIT}{ref}:PATH")
        yield RulesVersion(rules, f"{GIT}{ref}", place)


def _find_path_in_repository(path: str) -> Path:
    """The path of rules below the top of the repository; the default where the other side is a commit too."""
    if path.startswith(GIT):
        return RULES
    top, place = Path(_run_git("rev-parse", "--show-toplevel").strip()), Path(path).resolve()
    if not place.is_relative_to(top):
        raise ConfigError(f"'{path}' is outside the repository {top}: write {GIT}REF:PATH")
    return place.relative_to(top)


def _extract_commit(ref: str, folder: Path) -> Path:
    """Write the files of a commit into a folder; nothing of the working tree changes."""
    if not ref or ref.startswith("-"):
        raise ConfigError(f"'{ref}' is not a commit: write one such as {GIT}origin/main")
    top = _run_git("rev-parse", "--show-toplevel").strip()
    done = subprocess.run(["git", "-C", top, "archive", ref], capture_output=True, check=False)
    if done.returncode != 0:
        raise ConfigError(f"{GIT}{ref}: {done.stderr.decode(errors='replace').strip()}")
    with suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")  # tarfile cannot read the archive of a commit without files
    return folder


def _run_git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ConfigError("git: is not on the PATH: install it, or name files to compare") from None
    if done.returncode != 0:
        raise ConfigError(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
