"""`make pictures`: pages of the console and messages as the documentation shows them."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from sandbox.sandbox_process import ROOT, stage
from tests.browser.approval_world import open_approval
from tests.browser.chromium import REMEDY, choose_arguments, find_chromium
from tests.browser.message_page import FAILED_RUN, show_card, show_mail
from tests.browser.prepared_world import RULES, SPEED, World, prepare_world

FOLDER = ROOT / "docs/pictures"
LARGEST = 150 * 1024
WIDE: ViewportSize = {"width": 1100, "height": 760}
TALL: ViewportSize = {"width": 1100, "height": 960}
NARROW: ViewportSize = {"width": 390, "height": 760}
MESSAGE: ViewportSize = {"width": 700, "height": 600}


@contextmanager
def open_world() -> Iterator[World]:
    """A sandbox with something on every page, without what only tests need."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "deployments", Path(folder, "deployments"))
        rules = Path(folder, "rules.yaml")
        rules.write_text(RULES)
        with stage(rules, SPEED) as running:
            yield prepare_world(running, text="credit-risk")


FORGET_THE_MACHINE = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = texts.currentNode.data
      .replace(/\\/tmp\\/[^/\\s]+\\//g, "")
      .replace(/\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC/g, "2026-01-05 09:00:00 UTC");
  }
}"""
"""Removes the folder of the rules and the time from what a picture shows."""


def list_places(world: World) -> dict[str, str]:
    """The address that each picture shows, below that of the console."""
    return {
        "responses": "responses",
        "rollout": f"responses/{world.canary}",
        "failed-rollout": f"responses/{world.failed}",
        "events": "events",
        "rules": "rules",
        "try": f"try?response={world.canary}",
        "health": "health",
    }


def take_picture(page: Page, name: str, folder: Path) -> None:
    """Save what the window shows; raises SystemExit for a picture that is too large for the repository."""
    file = folder / f"console-{name}.png"
    page.wait_for_load_state("networkidle")
    page.evaluate(FORGET_THE_MACHINE)
    page.screenshot(path=file, animations="disabled")
    if (size := file.stat().st_size) > LARGEST:
        raise SystemExit(f"{file} has {size} bytes, more than {LARGEST}: show less of the page")


def take_message_pictures(page: Page, folder: Path) -> None:
    """A failed run, as a card in Teams and as a mail."""
    for name, show in (("teams", show_card), ("mail", show_mail)):
        show(page, FAILED_RUN)
        page.screenshot(path=folder / f"message-{name}.png", full_page=True)


def main(folder: Path) -> None:
    """Take all pictures: light, and of a rollout also dark and on a phone."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_world() as world, sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            raise SystemExit(REMEDY)
        browser = playwright.chromium.launch(executable_path=program, args=choose_arguments())
        page = browser.new_page(viewport=WIDE, color_scheme="light")
        for name, place in list_places(world).items():
            page.goto(f"{world.console}/{place}")
            if name == "try":
                page.get_by_role("button", name="Explain").click()
                page.get_by_label("Result").scroll_into_view_if_needed()
            take_picture(page, name, folder)
        dark = browser.new_page(viewport=WIDE, color_scheme="dark")
        phone = browser.new_page(viewport=NARROW, color_scheme="light")
        for look, other in (("dark", dark), ("phone", phone)):
            other.goto(f"{world.console}/responses/{world.canary}")
            take_picture(other, f"rollout-{look}", folder)
        with open_approval() as link:
            page.set_viewport_size(TALL)
            page.goto(link)
            page.get_by_role("heading", name="Checks so far").wait_for()
            take_picture(page, "approval", folder)
        take_message_pictures(browser.new_page(viewport=MESSAGE, color_scheme="light"), folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
