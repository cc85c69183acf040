"""Changed rules take effect: the app's process is started again with them, and the world lives on.

What is watched: the rule file or folder, `local.settings.json`, the files that steps name, and the folders
environments/, templates/, extensions/ and deployments/ beside the rules.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from mlevents.errors import ConfigError
from mlevents.rules.file import load_rules
from mlevents.rules.local_settings import FILE
from mlevents.rules.rule_folder import find_project
from mlevents.settings import Settings
from sandbox.options import CHECKOUT
from sandbox.worker.name_resolution import VARIABLE

FOLDERS = ("environments", "templates", "extensions", "deployments")
LEFT_OUT = ("__pycache__",)
INTERVAL, QUIET = 0.4, 0.6
"""Seconds between two looks, and how long no file may change: editors save in steps."""
Signature = dict[str, tuple[int, int]]


class RuleWatch:
    """Watches the files of one rule file or folder, and applies what passes `mlevents check`.

    `environment` gives the app's environment with the files as they are now.
    """

    def __init__(
        self, rules: Path, environment: Callable[[], Mapping[str, str]], apply: Callable[[], Awaitable[str]]
    ) -> None:
        self._rules = rules
        self._environment = environment
        self._apply = apply
        self._named: list[Path] = []

    async def run(self) -> None:
        """Watch until cancelled."""
        self._remember_named_files()
        known = self._sign_files()
        while True:
            await asyncio.sleep(INTERVAL)
            if (found := self._sign_files()) == known:
                continue
            await asyncio.sleep(QUIET)
            if self._sign_files() == found:
                changed = {Path(name).name for name, _ in set(found.items()) ^ set(known.items())}
                known = found
                await self._reload(", ".join(sorted(changed)))

    async def _reload(self, changed: str) -> None:
        problems = await self._check()
        if problems is None:
            outcome = await self._apply()
            self._remember_named_files()
            print(f"{changed} has changed: {outcome}", flush=True)
        else:
            print(problems.rstrip("\n"), flush=True)
            print(f"{changed} has changed, and has problems: the app continues without it", flush=True)

    async def _check(self) -> str | None:
        """What `mlevents check` prints about these files; None if they are right.

        A process of its own reads extensions as they are now.
        """
        environment = {**os.environ, **self._environment()}
        environment.pop(VARIABLE, None)
        if (CHECKOUT / "pyproject.toml").is_file():
            environment["PYTHONPATH"] = str(CHECKOUT)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "mlevents", "check", os.path.relpath(self._rules)),
            stdout=PIPE,
            stderr=STDOUT,
            env=environment,
        )
        printed, _ = await process.communicate()
        return printed.decode(errors="replace") if process.returncode else None

    def _remember_named_files(self) -> None:
        """Remember which files the steps name, if the rules can be loaded."""
        with suppress(ConfigError):
            settings = Settings.read(self._environment())
            rules = load_rules(self._rules, settings, require_settings=False)
            project = find_project(self._rules)
            self._named = [project / name for name in rules.files]

    def _sign_files(self) -> Signature:
        """The time and size of each file that is there."""
        signature = {}
        for file in self._list_files():
            with suppress(OSError):  # an editor replaces it just now
                status = file.stat()
                signature[str(file)] = status.st_mtime_ns, status.st_size
        return signature

    def _list_files(self) -> Iterator[Path]:
        project = find_project(self._rules)
        yield from [project / FILE, *self._named]
        for place in (self._rules, *(project / name for name in FOLDERS)):
            yield from _walk(place) if place.is_dir() else [place]


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in LEFT_OUT]
        yield from (Path(place, name) for name in names if not name.startswith("."))
