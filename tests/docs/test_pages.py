"""What the pages of the path promise beyond their commands."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlevents.commands.init import make_files
from mlevents.services.chat.apprise import Apprise
from mlevents.services.connection import Message
from sandbox.sandbox_process import ROOT
from tests.unit.markdown_page import read_page
from tests.unit.stand_ins import services

DOCS = ROOT / "docs"
PATH = [DOCS / name for name in ("first-rule.md", "deploying.md", "upgrading.md", "troubleshooting.md")]
PAGES = [*PATH, *sorted((DOCS / "how-to").glob("*.md"))]
RELEASE_TARGETS = {"package", "audit", "lock", "clean"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_of_the_path_begins_with_what_the_reader_gets(page: Path) -> None:
    title, first = page.read_text(encoding="utf-8").split("\n\n", 2)[:2]
    assert title.startswith("# ")
    assert first.startswith("At the end of this page "), first


def test_the_map_names_every_page() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)\)", text)}
    assert {page for page in DOCS.rglob("*.md") if page.name != "README.md"} - linked == set()


def test_the_map_has_the_five_parts_in_their_order() -> None:
    headings = re.findall(r"(?m)^## (.+)$", (DOCS / "README.md").read_text(encoding="utf-8"))
    assert headings == ["Start", "How-tos", "Reference", "Design"]


def test_the_rule_of_the_first_page_is_the_one_that_init_writes() -> None:
    (rule,) = [fence.text for fence in read_page(DOCS / "first-rule.md").fences if fence.info == ["yml"]]
    written = make_files("churn-rules")["rules.yaml"].decode()
    lines = [line.partition("#")[0].strip() for line in written.splitlines()]
    assert [line for line in rule.splitlines() if line.strip() not in lines] == []


def test_windows_has_each_target_of_make_with_its_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"(?m)^\.PHONY: (.+)$", makefile)
    (table,) = read_page(DOCS / "how-to/windows.md").tables["The targets of make"]
    shown = {row[0].strip("`"): re.findall(r"`([^`]+)`", row[1]) for row in table[1:]}
    assert set(shown) == set(targets.split()) - RELEASE_TARGETS
    for target, commands in shown.items():
        recipe = re.search(rf"(?m)^{target}:.*\n((?:\t.*\n)+)", makefile)
        assert recipe
        ours = [line.strip("\t@") for line in recipe[1].splitlines() if "$(BIN)/" in line]
        assert commands == [line.removeprefix("$(BIN)/") for line in ours]


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    """An HTTP address, and the requests that it got."""
    requests: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", requests
        server.shutdown()


def test_a_webhook_gets_what_the_page_about_jira_says(receiver: tuple[str, list[Any]]) -> None:
    address, requests = receiver
    url = f"json://{address}/path?+X-Automation-Webhook-Token=TOKEN"
    message = Message("a response failed", "the step deploy failed", "response-1.notify")
    Apprise(url=url).send(message, services({}))
    ((path, headers, body),) = requests
    assert path == "/path"
    assert headers["X-Automation-Webhook-Token"] == "TOKEN"
    assert headers["Idempotency-Key"]
    (shown,) = re.findall(r'`(\{"version".+?\})`', (DOCS / "how-to/jira.md").read_text(encoding="utf-8"))
    assert list(body) == list(json.loads(shown.replace("…", '""')))
    assert (body["title"], body["message"]) == ("a response failed", "the step deploy failed")


def test_the_symptoms_quote_what_the_product_says() -> None:
    """The longest run of words in each quotation, without its values, is in the code."""
    folders = ("mlevents", "sandbox", "infra")
    code = "".join(
        file.read_text(encoding="utf-8") for name in folders for file in (ROOT / name).rglob("*.py")
    )
    cells = [
        row[0]
        for tables in read_page(DOCS / "troubleshooting.md").tables.values()
        for table in tables
        for row in table[1:]
    ]
    quoted = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell) if " " in text]
    words = [max(re.findall(r"[a-z][a-z ]+[a-z]", text), key=len) for text in quoted]
    assert len(words) > 8
    assert [one for one in words if one not in code] == []
