"""The sandbox's own page in a real browser: it renews itself, and stays usable without scripts or app."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sandbox.sandbox_process import Stage, stage
from tests.browser.test_accessibility import LOOKS

GOOD, FAILED = "a good model is deployed", "a failed run alerts"


@pytest.fixture(scope="module")
def running() -> Iterator[Stage]:
    """A sandbox with the repository's rules, on which one model is deployed and one alert was sent."""
    with stage(speed=1200) as found:
        found.publish(found.run_status_changed("train-0", "Failed"))
        found.publish(found.model_registered("fraud-net", "7", {"stage": "production", "accuracy": "0.95"}))
        found.settled("models/fraud-net:7")
        yield found


@pytest.fixture
def home(running: Stage, page: Page) -> Page:
    page.goto(running.ready["console"])
    return page


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_the_page_does_not_scroll_sideways(
    running: Stage, open_context: Any, axe: Any, look: str
):
    running.fault(match="GET /none", drop=True)
    page = open_context(**LOOKS[look]).new_page()
    page.goto(running.ready["console"])
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert page.locator(".bubble").count()
    assert page.locator("#strikes tbody tr").count()
    assert page.locator(".sliders").count() == 2
    assert axe(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == LOOKS[look]["viewport"]["width"]


def test_nothing_breaks_the_policy_and_every_file_is_there(running: Stage, page: Page):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("response", lambda answer: said.append(answer.url) if answer.status >= 400 else None)
    page.goto(running.ready["console"])
    with page.expect_response("**/sandbox/live"):
        page.get_by_role("switch", name="The quota is exhausted").focus()
    assert said == []


def test_a_published_test_shows_up_with_its_response_and_its_message(home: Page):
    bubbles = home.locator(".bubble").count()
    home.get_by_role("button", name=FAILED).click()
    latest = home.locator(".published > li").first
    expect(latest).to_contain_text("train-1")
    expect(latest).to_contain_text("delivered to RunStatusChanged")
    expect(latest.locator(".badge.done")).to_be_visible()
    expect(home.locator(".bubble")).not_to_have_count(bubbles)
    expect(home.locator(".bubble").last).to_contain_text("train-1")
    latest.get_by_role("link", name="alert-failed-runs").click()
    expect(home).to_have_url(re.compile("/api/console/responses/alert-failed-runs"))
    home.get_by_role("link", name="Sandbox").click()
    expect(home.get_by_role("heading", name="Sandbox")).to_be_visible()


def test_a_link_in_a_message_opens_another_tab_without_a_referrer(home: Page):
    link = home.locator('.bubble a[href^="https://ml.azure.com"]').last
    expect(link).to_have_attribute("target", "_blank")
    home.context.route("https://ml.azure.com/**", lambda route: route.fulfill(body="studio"))
    with home.context.expect_event(
        "request", lambda one: one.url.startswith("https://ml.azure.com")
    ) as asked:
        link.click()
    assert "referer" not in asked.value.all_headers()


def test_a_switch_is_turned_by_the_keyboard_and_keeps_the_focus(running: Stage, home: Page):
    switch = home.get_by_role("switch", name="Azure drops connections")
    for state, count in (("true", 1), ("false", 0)):
        switch.focus()
        home.keyboard.press("Space")
        expect(switch).to_have_attribute("aria-checked", state)
        expect(switch).to_be_focused()
        assert len([one for one in running.faults() if one.get("drop") and one.get("times", 1) > 1]) == count


def test_a_slider_says_its_value_and_sets_the_load_when_it_is_released(running: Stage, home: Page):
    slider = home.get_by_role("slider", name="Requests a second").first
    slider.focus()
    with home.expect_response("**/sandbox/load"):
        for _ in range(3):
            home.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "3/s")
    with home.expect_response("**/sandbox/live"):
        pass
    expect(slider).to_be_focused()
    expect(slider).to_have_value("3")
    home.reload()
    expect(home.get_by_role("slider", name="Requests a second").first).to_have_value("3")


def test_what_happens_elsewhere_shows_up_by_itself(running: Stage, home: Page):
    running.fault(match="GET /elsewhere", status=500)
    expect(home.locator("#strikes")).to_contain_text("GET /elsewhere")
    running.publish(running.run_status_changed("train-elsewhere", "Completed"))
    expect(home.locator("#events")).to_contain_text("train-elsewhere")


def test_the_page_works_without_scripts(running: Stage, open_context: Any):
    page = open_context(java_script_enabled=False).new_page()
    page.goto(running.ready["console"])
    page.get_by_role("switch", name="Mail is throttled").click()
    expect(page.get_by_role("switch", name="Mail is throttled")).to_have_attribute("aria-checked", "true")
    page.get_by_role("switch", name="Mail is throttled").click()
    page.get_by_role("slider", name="Latency").first.fill("50")
    page.get_by_role("button", name="Apply").first.click()
    expect(page.locator("output", has_text="50 ms")).to_be_visible()
    page.get_by_text("An event of your own").click()
    page.get_by_label("Name", exact=True).fill("fraud-typed")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".published > li").first).to_contain_text("fraud-typed")


def test_the_page_works_in_plain_html_while_the_app_is_down(running: Stage, open_context: Any):
    page = open_context().new_page()
    page.goto(running.ready["console"])
    page.get_by_role("button", name="Kill the app").click()
    expect(page.locator("#app")).to_contain_text("stopped")
    try:
        fresh = open_context().new_page()
        fresh.goto(running.ready["console"])
        assert fresh.evaluate("typeof htmx") == "undefined"
        fresh.get_by_role("button", name=GOOD).click()
        expect(fresh.locator(".published > li").first).to_contain_text("on its way to ModelRegistered")
        fresh.get_by_role("button", name="Start the app").click()
        expect(fresh.locator("#app")).to_contain_text("running")
    finally:
        if running.host()["state"] != "running":
            running.start()
    expect(page.locator("#app .badge")).to_have_text("running")
