"""Fixtures that start the whole app on the sandbox, in a process of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from sandbox.sandbox_process import ROOT, Stage, stage

# How long an example takes says more of the machine than of the code.
settings.register_profile("mlevents", deadline=None)
settings.load_profile("mlevents")


@pytest.fixture(scope="session")
def shipped() -> Iterator[Stage]:
    """The sandbox with the repository's own rules, shared by the tests that leave others alone."""
    with stage(speed=600) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Starts a sandbox with rules of the test's own, beside the shipped deployment templates."""
    with ExitStack() as stack:

        def starting(rules: str, *options: str, speed: float = 1200) -> Stage:
            shutil.copytree(ROOT / "deployments", tmp_path / "deployments", dirs_exist_ok=True)
            file = tmp_path / "rules.yaml"
            file.write_text(rules)
            return stack.enter_context(stage(file, speed, *options))

        yield starting
