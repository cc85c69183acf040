"""A browser, a sandbox with something on every page, and axe, which knows what is not accessible."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from sandbox.sandbox_process import ROOT, stage
from tests.browser.chromium import REMEDY, choose_arguments, find_chromium
from tests.browser.prepared_world import RULES, SPEED, World, prepare_world

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sandbox with rollouts in all states; tests leave them as they are.

    It ends with the module: a rollout that runs 600 times as fast takes a quarter of a core.
    """
    folder = tmp_path_factory.mktemp("console")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    with stage(folder / "rules.yaml", SPEED) as running:
        yield prepare_world(running)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser. Playwright occupies the thread's event loop, so it ends with the module."""
    with sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            pytest.fail(REMEDY)
        chromium = playwright.chromium.launch(executable_path=program, args=choose_arguments())
        yield chromium
        chromium.close()


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a new browser profile, with options such as `color_scheme` or `java_script_enabled`."""
    contexts: list[BrowserContext] = []

    def opening(**options: object) -> BrowserContext:
        context = browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context

    yield opening
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    """A tab of a new profile, in the light theme, as wide as a laptop."""
    return open_context(color_scheme="light").new_page()


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """Names what axe finds on a page: the rule, and where."""

    def find_violations(page: Page) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [
            f"{one['id']}: {node['target']} {node['html'][:200]}" for one in found for node in one["nodes"]
        ]

    return find_violations
