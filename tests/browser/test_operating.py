"""What an operator does in the console: find, open, cancel, run again; by keyboard, and without scripts."""

import json
from typing import Any

import requests
from playwright.sync_api import Page, expect

from sandbox.sandbox_process import Stage, until
from tests.browser.prepared_world import GOOD, World, settle, wait_for_share


def read_response(stage: Stage, response_id: str) -> dict[str, Any]:
    answer = requests.get(f"{stage.ready['functions']}/api/v1/responses/{response_id}", timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def press_until(page: Page, name: str, limit: int = 60) -> None:
    """Press Tab until the element with this text has the focus; each one on the way shows that it has it."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
            const label = one.labels?.length ? one.labels[0] : one;
            return [label.textContent.trim() || one.getAttribute("aria-label") || "", one.tagName,
                    style.outlineStyle !== "none" || style.boxShadow !== "none"]; }"""
        )
        assert focused[2], f"nobody sees that {focused[:2]} has the focus"
        if focused[0].startswith(name):
            return
    raise AssertionError(f"the keyboard does not reach '{name}'")


def test_the_keyboard_reaches_filters_a_response_and_a_verb(world: World, page):
    page.goto(f"{world.console}/responses")
    press_until(page, "Skip to the content", 1)
    page.keyboard.press("Enter")
    press_until(page, "Status")
    page.keyboard.press("r")
    press_until(page, "Filter")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{world.console}/responses?status=running&last=&rule=&subject=")
    press_until(page, "deploy-good-models")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("deploy-good-models")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    press_until(page, "Cancel…")
    page.keyboard.press("Enter")
    press_until(page, "Reason", 1)
    page.keyboard.type("by keyboard")
    expect(page.get_by_label("Reason").and_(page.locator(":focus"))).to_have_value("by keyboard")


def wait_for_renewal(page: Page) -> None:
    page.evaluate("document.querySelector('#live').dataset.former = 'yes'")
    expect(page.locator("#live[data-former]")).to_have_count(0, timeout=20_000)


def test_a_page_that_renews_itself_keeps_what_is_opened_and_written(world: World, page):
    page.goto(f"{world.console}/responses/{world.canary}")
    event = page.locator("details", has_text="Try it with other rules")
    reasons = page.locator("details", has_text="Why the rule matched").first
    page.get_by_text("The event", exact=True).click()
    page.get_by_text("Why the rule matched").click()
    wait_for_renewal(page)
    expect(event).to_have_attribute("open", "")
    expect(reasons).not_to_have_attribute("open", "")
    expect(page.locator("summary:focus")).to_have_text("Why the rule matched")
    page.get_by_text("Cancel…").click()
    reason = page.locator("details[open]").get_by_label("Reason")
    reason.fill("half a rea")
    page.get_by_role("heading", level=1).click()
    page.evaluate("document.querySelector('#live').dataset.former = 'yes'")
    page.wait_for_timeout(4_000)
    expect(page.locator("#live[data-former]")).to_have_count(1)
    expect(reason).to_have_value("half a rea")
    reason.fill("")
    page.get_by_role("heading", level=1).click()
    wait_for_renewal(page)


def test_cancelling_a_rollout_puts_the_traffic_back(world: World, page):
    stage, name = world.stage, "loan-net"
    stage.register(name, "1", GOOD)
    settle(stage, f"models/{name}:1")
    stage.load(name, 20)
    before = stage.traffic_seen(name)[-1]["traffic"]
    stage.register(name, "2", GOOD)
    one = wait_for_share(stage, f"models/{name}:2", "50 %")
    page.goto(f"{world.console}/responses?subject=models/{name}:2")
    page.get_by_role("link", name="deploy-good-models").click()
    expect(page.get_by_text("50 %").first).to_be_visible()
    page.get_by_text("Cancel…").click()
    form = page.locator("details[open]")
    form.get_by_label("Reason").fill("the test says so")
    form.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Done: cancel.")).to_be_visible()
    settle(stage, f"models/{name}:2")
    assert stage.traffic_seen(name)[-1]["traffic"] == before
    assert read_response(stage, one)["status"] == "stopped"
    page.goto(f"{world.console}/responses/{one}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("stopped")
    expect(page.get_by_role("listitem").filter(has_text="the test says so").first).to_be_visible()


def test_without_scripts_everything_works_too(world: World, open_context):
    world.stage.publish(world.stage.run_status_changed("plain-1", "Failed"))
    one = settle(world.stage, "plain-1", "alert-failed-runs")
    page = open_context(java_script_enabled=False).new_page()
    page.goto(world.console)
    page.get_by_label("Rule").fill("alert-failed-runs")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody").get_by_text("deploy-good-models")).to_have_count(0)
    page.locator(f"a[href$='{one}']").click()
    page.get_by_text("Rerun…").click()
    page.get_by_label("Reason").fill("without scripts")
    page.get_by_role("button", name="Rerun", exact=True).click()
    expect(page.get_by_text("Done: rerun.")).to_be_visible()
    expect(page.get_by_text("without scripts")).to_be_visible()
    page.get_by_role("link", name="Try it", exact=True).click()
    page.get_by_label("Event, as Azure sends it").fill(json.dumps(world.stage.drift_detected("m", 0.95)))
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("heading", name="retrain-on-drift")).to_contain_text("fires")


def test_a_verb_without_a_reason_is_not_sent(world: World, page):
    page.goto(f"{world.console}/responses/{world.alert}")
    page.get_by_text("Rerun…").click()
    page.get_by_role("button", name="Rerun", exact=True).click()
    expect(page.locator("input[name=reason]:invalid")).to_be_focused()
    assert read_response(world.stage, world.alert)["attempt"] == 1


def test_selected_responses_run_again_and_others_do_not(world: World, page):
    stage, runs = world.stage, ("batch-1", "batch-2", "batch-3")
    stage.publish(*(stage.run_status_changed(run, "Failed") for run in runs))
    ids = {run: settle(stage, run, "alert-failed-runs") for run in runs}
    page.goto(f"{world.console}/responses?rule=alert-failed-runs")
    for run in runs[:2]:
        page.get_by_label(f"Select {ids[run]}").check()
    page.get_by_label("Reason").fill("last night")
    page.get_by_role("button", name="Rerun selected").click()
    expect(page.get_by_text("Done: rerun.")).to_be_visible()
    assert [read_response(stage, ids[run])["attempt"] for run in runs] == [2, 2, 1]


def ask_for(page: Page, verb: str, scope: str, reason: str) -> None:
    """Press a verb of a rule or of everything on the page Rules."""
    summary = page.locator("summary", has_text=f"{verb} {scope}")
    summary.click()
    form = page.locator("details[open]")
    form.get_by_label("Reason").fill(reason)
    form.get_by_role("button", name=verb, exact=True).click()
    expect(page.get_by_text(f"Done: {verb.lower()}.")).to_be_visible()


def wait_until_held(stage: Stage, event_id: str) -> str:
    """The id of the response to this event, once it waits."""

    def look() -> list[str]:
        return [one["id"] for one in stage.responses(event_id=event_id) if one["status"] == "waiting"]

    return until(look, 30, lambda: f"still: {stage.responses(event_id=event_id)}")[0]


def test_events_wait_while_their_rule_or_everything_is_held(world: World, page, axe):
    stage, rule = world.stage, "retrain-on-drift"
    page.goto(f"{world.console}/rules")
    ask_for(page, "Hold", rule, "the <b>lake</b> moves")
    ask_for(page, "Hold", "everything", "all stop")
    article = page.locator(f"article#{rule}")
    expect(article).to_contain_text("held by function key, just now: the <b>lake</b> moves.")
    expect(page.locator("article.rule .badge.held")).to_have_count(4)
    event = stage.drift_detected("held-monitor", 0.95)
    stage.publish(event)
    held = wait_until_held(stage, event["id"])
    page.reload()
    assert axe(page) == []
    article.get_by_role("link", name="1 response waits").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{world.console}/rules")
    ask_for(page, "Release", "everything", "go on")
    expect(page.locator("article.rule .badge.held")).to_have_count(1)
    assert read_response(stage, held)["status"] == "waiting"
    ask_for(page, "Release", rule, "the lake is there")
    expect(page.locator("article.rule .badge.held")).to_have_count(0)
    stage.settled(event_id=event["id"])
    assert read_response(stage, held)["status"] == "done"


def test_what_an_event_says_is_text_everywhere(world: World, page):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for place in world.list_pages():
        page.goto(f"{world.console}/{place}")
        assert "broken" not in page.title(), place
        assert page.locator("img, main script, iframe, main style").count() == 0, place
        assert "\u202e" not in page.content(), place
    assert dialogs == []
    for one in (world.hostile, world.quarantined):
        page.goto(f"{world.console}/responses/{one}")
        assert "<script>document.title" in page.locator("main").text_content(), one
        assert "\\u202egnp.exe" in page.locator("main").text_content(), one
