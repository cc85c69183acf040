"""A deployed app without sign-in: its host asks for a function key, and the console keeps it safe."""

import shutil
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from sandbox.sandbox_process import ROOT, Stage, stage
from tests.browser.prepared_world import RULES, SPEED, settle

REFUSAL = "The app did not accept this key."


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An app that behaves as on Azure, with one response."""
    folder = tmp_path_factory.mktemp("deployed")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    with stage(folder / "rules.yaml", SPEED, "--keys") as running:
        running.publish(running.run_status_changed("train-7", "Failed"))
        settle(running, "train-7", "alert-failed-runs")
        yield running


@pytest.fixture
def console(deployed: Stage) -> str:
    return f"{deployed.ready['functions']}/api/console"


@pytest.fixture
def traveller(page: Page, deployed: Stage) -> Iterator[Page]:
    """A tab; at the end, the key was in no address, page, cookie or history."""
    key, addresses = deployed.ready["function_key"], []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    yield page
    assert len(addresses) > 3
    assert [address for address in addresses if key in address] == []
    assert key not in page.content()
    assert key not in page.evaluate("JSON.stringify([history.state, {...localStorage}, document.cookie])")
    assert not page.context.cookies()


def enter(page: Page, key: str) -> None:
    page.get_by_label("Function key").fill(key)
    page.get_by_role("button", name="Open").click()


def test_the_host_asks_for_a_key_as_on_azure(deployed: Stage):
    url, key = f"{deployed.ready['functions']}/api", deployed.ready["function_key"]
    for headers, query in (({}, {}), ({"x-functions-key": "wrong"}, {}), ({}, {"code": "wrong"})):
        for path in ("v1/responses", "console-content/responses"):
            refused = requests.get(f"{url}/{path}", headers=headers, params=query, timeout=30)
            assert (refused.status_code, refused.content) == (401, b""), path
    for headers, query in (({"x-functions-key": key}, {}), ({}, {"code": key})):
        answer = requests.get(f"{url}/v1/responses", headers=headers, params=query, timeout=30)
        assert answer.status_code == 200 or "unknown parameter 'code'" in answer.text
    assert requests.get(f"{url}/v1/health", timeout=30).status_code == 200
    assert requests.get(f"{url}/nowhere", timeout=30).status_code == 404


def test_without_a_key_nothing_is_shown(page, console):
    for place in ("responses", "rules", "health", "try", "nowhere"):
        page.goto(f"{console}/{place}")
        expect(page.get_by_role("heading")).to_have_text("This console needs a function key")
        assert "alert-failed-runs" not in page.content()


def test_a_forged_principal_opens_nothing(open_context, console):
    forged = {"x-ms-client-principal-name": "root@example.com", "x-ms-client-principal-id": "1"}
    page = open_context(extra_http_headers=forged).new_page()
    page.goto(f"{console}/responses")
    expect(page.get_by_role("heading")).to_have_text("This console needs a function key")


def test_a_wrong_key_is_refused_and_forgotten(traveller, console):
    traveller.goto(f"{console}/responses?status=done")
    expect(traveller.get_by_text(REFUSAL)).to_be_hidden()
    enter(traveller, "wrong")
    expect(traveller.get_by_text(REFUSAL)).to_be_visible()
    assert traveller.evaluate("sessionStorage.getItem('mlevents.key')") is None
    traveller.reload()
    expect(traveller.get_by_text(REFUSAL)).to_be_hidden()
    expect(traveller.get_by_label("Function key")).to_be_visible()


def test_the_right_key_opens_the_page_that_was_asked_for_and_all_others(traveller, console, deployed):
    traveller.goto(f"{console}/responses?rule=alert-failed-runs")
    enter(traveller, deployed.ready["function_key"])
    link = traveller.get_by_role("link", name="alert-failed-runs")
    expect(link).to_be_visible()
    expect(traveller).to_have_url(f"{console}/responses?rule=alert-failed-runs")
    link.click()
    expect(traveller.get_by_role("heading", level=1)).to_contain_text("alert-failed-runs")
    one = traveller.url
    assert one.startswith(f"{console}/responses/alert-failed-runs.")
    traveller.go_back()
    expect(traveller).to_have_url(f"{console}/responses?rule=alert-failed-runs")
    expect(traveller.get_by_role("link", name="alert-failed-runs")).to_be_visible()
    traveller.go_forward()
    expect(traveller.get_by_role("heading", level=1)).to_contain_text("alert-failed-runs")
    traveller.reload()
    expect(traveller.get_by_role("heading", level=1)).to_contain_text("alert-failed-runs")
    expect(traveller).to_have_url(one)
    traveller.get_by_role("link", name="Rules").click()
    expect(traveller.get_by_role("heading", level=1)).to_have_text("Rules")
    traveller.get_by_label("Function key").wait_for(state="hidden")


def test_a_verb_needs_the_key_and_records_who_had_it(traveller, console, deployed):
    [one] = deployed.responses(rule="alert-failed-runs")
    traveller.goto(f"{console}/responses/{one['id']}")
    enter(traveller, deployed.ready["function_key"])
    traveller.get_by_text("Rerun…").click()
    traveller.get_by_label("Reason").fill("once more")
    traveller.get_by_role("button", name="Rerun", exact=True).click()
    expect(traveller.get_by_text("Done: rerun.")).to_be_visible()
    expect(traveller.get_by_text("once more")).to_contain_text("function key")
    assert "/api/console/responses/" in traveller.url


def test_a_verb_without_the_key_changes_nothing(console, deployed):
    [one] = deployed.settled(rule="alert-failed-runs")
    for base in (console, f"{console}-content"):
        sent = requests.post(f"{base}/responses/{one['id']}/rerun", data={"reason": "because"}, timeout=30)
        assert sent.status_code == 401 or "needs a function key" in sent.text
    assert deployed.responses(rule="alert-failed-runs") == [one]


def test_without_scripts_the_page_says_what_it_needs(open_context, console):
    page = open_context(java_script_enabled=False).new_page()
    page.goto(f"{console}/responses")
    expect(page.get_by_text("Without scripts, this console opens only with Entra sign-in.")).to_be_visible()
    expect(page.get_by_label("Function key")).to_be_hidden()
