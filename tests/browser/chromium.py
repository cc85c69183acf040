"""The browser of these tests: one that is installed, else Playwright's own.

`python -m tests.browser.chromium` installs the latter where there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
REMEDY = (
    "the console's tests need Chromium, and it is not installed: "
    "run 'python -m playwright install chromium', or 'apt-get install chromium' on Debian"
)


def find_chromium(playwright: Playwright) -> str | None:
    """The path of a browser, or None when there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).exists() else None)


def choose_arguments() -> list[str]:
    """Chromium refuses to run as root in its sandbox."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def main() -> None:
    """Install a browser if there is none; where that fails, the tests say what to do."""
    with sync_playwright() as playwright:
        if find_chromium(playwright):
            return
    print("Installing Chromium for the console's tests (once) …", flush=True)
    if subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode:
        print(REMEDY, file=sys.stderr)


if __name__ == "__main__":
    main()
