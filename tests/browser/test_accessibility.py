"""The console for everybody: axe finds nothing on any page, and nothing needs a wide screen."""

from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": DESKTOP},
    "dark": {"color_scheme": "dark", "viewport": DESKTOP},
    "phone": {"color_scheme": "light", "viewport": PHONE, "has_touch": True, "is_mobile": True},
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_no_page_scrolls_sideways(world, open_context, axe, look: str):
    page = open_context(**LOOKS[look]).new_page()
    found = {}
    for place in world.list_pages():
        page.goto(f"{world.console}/{place}")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        found[place] = axe(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == LOOKS[look]["viewport"]["width"], place
    assert {place: violations for place, violations in found.items() if violations} == {}


def test_axe_finds_what_is_wrong(page, axe):
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src=data:,></main>")
    assert any(one.startswith("image-alt") for one in axe(page))


def test_no_page_has_an_error_or_breaks_the_policy(world, page):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"
    )
    for place in world.list_pages():
        answer = page.goto(f"{world.console}/{place}", wait_until="networkidle")
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        expected = [] if answer.status == 200 else [f"the server responded with a status of {answer.status}"]
        assert [text for text in said if not any(known in text for known in expected)] == [], place
        said.clear()


def test_a_breach_of_the_policy_would_be_noticed(world, page):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{world.console}/health")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.broken=1'}))"
    )
    assert any("Content Security Policy" in text for text in said)
    assert page.evaluate("window.broken") is None
