"""An approval in a real browser: the link of a mail, its page, the decision; and a mail scanner before it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from sandbox.sandbox_process import PATIENCE, Stage, stage, until
from tests.browser.conftest import PHONE

RULES = """
version: 1
connections:
  mail:
    {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, sender: mlevents@example.com,
     to: [leads@example.com], tls: none}
rules:
  - id: careful
    event: model.registered
    where: {model: {tags: {accuracy: {gte: 0.9}}}}
    approve: {ask: mail, within: 8h}
    do: [{uses: notify, with: {to: mail, subject: "Announced ${model.name}", text: "It acted."}}]
"""
LINK = re.compile(r"http://\S+/api/console/approvals/[\w.-]+/[\w-]{43}")
WRONG = "A" * 43


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    file = tmp_path_factory.mktemp("approval") / "rules.yaml"
    file.write_text(RULES)
    with stage(file, 1) as running:
        yield running


def find_link(app: Stage, model: str) -> str:
    """The link that a person gets by mail for this model."""
    app.register(model, "1", {"accuracy": "0.95", "<b>owner</b>": "<script>alert(1)</script>"})

    def found() -> list[str]:
        mails = [str(one) for one in app.inbox()]
        return [link[0] for mail in mails if f"{model}:1" in mail and (link := LINK.search(mail))]

    [link] = until(found, PATIENCE, lambda: f"no link: {app.inbox()}")
    return link


def read_status(app: Stage, model: str) -> dict[str, Any]:
    [one] = app.responses(f"models/{model}:1")
    return one


def test_a_mail_scanner_that_fetches_every_link_decides_nothing(app: Stage):
    link = find_link(app, "scanned")
    for headers in ({}, {"Purpose": "prefetch", "Sec-Purpose": "prefetch"}, {"User-Agent": "MailScanner"}):
        for fetch in (requests.get, requests.head):
            answer = fetch(link, headers=headers, timeout=30)
            assert answer.status_code < 500
    for suffix in ("?decision=approve", "?decision=reject&reason=x", "/", "/approve"):
        requests.get(link + suffix, timeout=30)
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        requests.request(method, link, timeout=30)
    status = read_status(app, "scanned")
    assert status["status"] == "waiting"
    shown = requests.get(link, timeout=30)
    assert shown.status_code == 200
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in shown.headers["Content-Security-Policy"]
    assert "<script>alert" not in shown.text


def test_a_person_approves_by_the_link_of_the_mail(app: Stage, page, axe):
    link = find_link(app, "good")
    page.goto(link)
    expect(page.get_by_role("heading", name="Approve good:1?")).to_be_visible()
    expect(page.get_by_text("Announced good")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="accuracy")).to_contain_text("0.95")
    assert axe(page) == []
    page.get_by_label("Comment").fill("the numbers are good")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("approved by function key: the numbers are good").first).to_be_visible()
    assert link.rsplit("/", 1)[1] not in page.url, "the token leaves the address bar"
    assert app.settled("models/good:1")[0]["status"] == "done"
    assert page.goto(link).status == 410
    expect(page.get_by_text("This link was used, or its time is over")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_rejection_needs_a_comment_and_works_without_scripts(app: Stage, open_context):
    page = open_context(java_script_enabled=False, viewport=PHONE).new_page()
    page.goto(find_link(app, "bad"))
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Say in the comment why you reject it.")).to_be_visible()
    assert read_status(app, "bad")["status"] == "waiting"
    page.get_by_label("Comment").fill("too slow")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("rejected by function key: too slow").first).to_be_visible()
    assert app.settled("models/bad:1")[0]["because"] == "approve: rejected by function key: too slow"


def test_a_link_that_is_not_one_says_so_and_decides_nothing(app: Stage, page):
    link, other = find_link(app, "mine"), find_link(app, "other")
    start, token = link.rsplit("/", 1)
    for wrong in (WRONG, other.rsplit("/", 1)[1], token.swapcase()):
        assert page.goto(f"{start}/{wrong}").status == 403
        expect(page.get_by_text("this link belongs to no approval of this response")).to_be_visible()
        refused = requests.post(f"{start}/{wrong}", data={"decision": "approve"}, timeout=30)
        assert refused.status_code == 403
        forged = {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"}
        assert (
            requests.post(link, data={"decision": "approve"}, headers=forged, timeout=30).status_code == 403
        )
    assert read_status(app, "mine")["status"] == "waiting"
    assert read_status(app, "other")["status"] == "waiting"
