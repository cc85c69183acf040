"""The card of Teams and the HTML of a mail, in a real browser: nothing is cut off, and no value is active."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from mlevents.services.connection import Message
from tests.browser.message_page import FAILED_RUN, LONG_PATH, show_card, show_mail
from tests.unit.services.hostile_message import LINK, VALUES, hostile_message

Show = Callable[[Page, Message], None]
NARROW = {"width": 360, "height": 800}
FIND_CLIPPED = """() => [document.documentElement, ...document.body.querySelectorAll("*")]
  .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
  .map(one => one.outerHTML.slice(0, 200))"""
LIST_ELEMENTS = """() => [...document.body.querySelectorAll("*")].map(one => one.tagName)"""
LIST_HANDLERS = """() => [...document.body.querySelectorAll("*")].flatMap(one => one.getAttributeNames())"""


@pytest.mark.parametrize("show", [show_card, show_mail])
def test_all_of_a_message_is_visible_on_a_phone(show: Show, open_context: Callable[..., BrowserContext]):
    page = open_context(viewport=NARROW).new_page()
    show(page, FAILED_RUN)
    assert page.evaluate(FIND_CLIPPED) == []
    shown = page.inner_text("body").replace("\u200b", "").replace("\u00a0", " ")
    for text in (
        FAILED_RUN.subject,
        "72 min",
        LONG_PATH,
        f'  File "{LONG_PATH}.py", line 88',
        "5f2b9c1e",
    ):
        assert text in shown


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_mail_can_be_read_in_both_themes(
    theme: str, open_context: Callable[..., BrowserContext], axe: Callable[[Page], list[str]]
):
    page = open_context(color_scheme=theme).new_page()
    show_mail(page, FAILED_RUN)
    assert axe(page) == []
    assert page.locator("a").all_inner_texts() == ["Open run", "Open response"]


@pytest.mark.parametrize("show", [show_card, show_mail])
def test_no_value_is_an_element(show: Show, page: Page):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    show(page, hostile_message("x"))
    plain, names = set(page.evaluate(LIST_ELEMENTS)), set(page.evaluate(LIST_HANDLERS))
    for value in (*VALUES[:-3], " ".join(VALUES[:-3])):
        show(page, hostile_message(value))
        assert set(page.evaluate(LIST_ELEMENTS)) <= plain, value
        assert set(page.evaluate(LIST_HANDLERS)) <= names, value
        links = page.locator("a").all()
        assert [one.get_attribute("href") for one in links] == ([LINK] if show is show_mail else []), value
    assert not [url for url in requests if url.startswith("http")]
