"""Fixtures that start the whole app on the sandbox, in a process of its own; and no test is skipped."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from sandbox import sandbox_process
from sandbox.sandbox_process import ROOT, Stage, stage
from tests.processes.process_client import launch_sandbox

# How long an example takes says more of the machine than of the code.
settings.register_profile("mlevents", deadline=None)
settings.load_profile("mlevents")
if hasattr(os, "fork"):
    sandbox_process.launch = launch_sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--allow-skips", action="store_true", help="a skipped test does not fail the run")


def fail_skip[Report: (pytest.TestReport, pytest.CollectReport)](
    report: Report, config: pytest.Config
) -> Report:
    """A test that does not run proves nothing, so a skip is a failure; an expected failure is none."""
    if report.skipped and not hasattr(report, "wasxfail") and not config.getoption("--allow-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{report.nodeid} does not run: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return fail_skip((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return fail_skip((yield), collector.config)


@pytest.fixture(scope="module", autouse=True)
def forget_cloud() -> Iterator[None]:
    """azure-ai-ml leaves the cloud of its last client in the environment, for good."""
    yield
    os.environ.pop("AZUREML_CURRENT_CLOUD", None)


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
