"""Who sees the console, what every answer carries, and what becomes of errors."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from markupsafe import escape

from mlevents.api import event_operations
from mlevents.api.operation import AppState
from mlevents.api.response_reader import ResponseReader
from mlevents.console.access import is_same_origin
from mlevents.console.console import BrowserRequest, answer_browser
from mlevents.console.page import PageAnswer
from mlevents.console.rendering import CONSOLE_FOLDER, format_age
from mlevents.rules.file import load_rules
from mlevents.settings import Settings

HERE = "https://app.example.com"
LOCAL = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
DEPLOYED: dict[str, str] = {}
SIGN_IN = {"WEBSITE_AUTH_ENABLED": "True"}
ANN = {"x-ms-client-principal-name": "ann@example.com"}
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
RULES = f"""\
version: 1
rules:
  - id: watch
    description: "{HOSTILE}"
    event: run.status_changed
    where: {{run: {{status: failed, root: true}}}}
    do: [{{uses: notify, with: {{to: team, template: run-failed}}}}]
    on_failure: []
connections:
  team: {{type: apprise, url: {{setting: HOOK}}}}
"""


@pytest.fixture
def app(tmp_path: Path) -> AppState:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    settings = Settings(rules=rules, environment={"HOOK": "json://localhost", "OTHER": "hidden-value"})
    return AppState(
        cast(Any, None), NOW, lambda: load_rules(rules, settings), lambda: settings, lambda: ["it is broken"]
    )


@pytest.fixture(autouse=True)
def no_responses(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests have no task hub: every list of responses is empty."""

    async def page(*_: Any) -> tuple[list[Any], None]:
        return [], None

    monkeypatch.setattr(ResponseReader, "page", page)


def ask(
    app: AppState,
    place: str,
    environment: Mapping[str, str] = LOCAL,
    *,
    guarded: bool = False,
    **request: Any,
) -> PageAnswer:
    base = "console-content" if guarded else "console"
    sent = BrowserRequest("GET", f"{HERE}/api/{base}/{place}", place, guarded=guarded)
    return asyncio.run(answer_browser(replace(sent, **request), app, environment))


def test_a_developer_sees_it_without_a_key(app: AppState):
    assert "it is broken" in str(ask(app, "health").body)


def test_a_deployed_app_shows_nothing_but_the_question_for_a_key(app: AppState):
    found = ask(app, "health", DEPLOYED)
    assert "it is broken" not in str(found.body)
    assert "needs a function key" in str(found.body)


def test_the_host_has_asked_for_the_key_where_the_content_is(app: AppState):
    found = ask(app, "health", DEPLOYED, guarded=True)
    assert "it is broken" in str(found.body)
    assert 'data-keyed="yes"' in str(found.body)


def test_where_sign_in_is_on_only_a_signed_in_person_sees_it(app: AppState):
    assert ask(app, "health", SIGN_IN).status == 401
    assert ask(app, "health", SIGN_IN, guarded=True).status == 401
    seen = ask(app, "health", SIGN_IN, headers=ANN)
    assert "it is broken" in str(seen.body)
    assert "ann@example.com" in str(seen.body)


def test_a_principal_that_no_proxy_has_checked_opens_nothing(app: AppState):
    assert "it is broken" not in str(ask(app, "health", DEPLOYED, headers=ANN).body)


@pytest.mark.parametrize("place", ["health", "rules", "nowhere", "static/console.css"])
def test_every_answer_has_the_headers_that_guard_it(app: AppState, place: str):
    headers = ask(app, place).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_no_template_has_a_script_or_a_style_that_the_policy_forbids():
    for file in (CONSOLE_FOLDER / "templates").glob("*.html"):
        text = file.read_text("utf-8")
        assert " style=" not in text, file
        assert " onclick=" not in text, file
        assert text.count("<script") == text.count("<script src="), file


def test_what_a_rule_says_is_text_and_never_markup(app: AppState):
    with_hub = replace(app, client=cast(Any, None))
    page = ask(with_hub, "try", method="POST", body=f"event={HOSTILE}&rules=".encode())
    assert HOSTILE not in str(page.body)
    assert "&lt;script&gt;" in str(page.body)


def test_an_unknown_page_is_404_and_says_so(app: AppState):
    found = ask(app, f"no{HOSTILE}")
    assert found.status == 404
    assert HOSTILE not in str(found.body)


def test_the_root_leads_to_the_responses(app: AppState):
    assert ask(app, "").headers["Location"] == "/api/console/responses"


def test_a_route_prefix_of_another_app_is_respected(app: AppState):
    page = ask(app, "health", url=f"{HERE}/ml/console/health")
    assert 'href="/ml/console/rules"' in str(page.body)


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": HERE}, False),
        ({"origin": HERE}, True),
        ({"origin": "https://evil.example.com"}, False),
        ({"origin": "null"}, False),
        ({}, True),
    ],
)
def test_a_form_of_another_site_is_told_from_ours(headers: dict[str, str], same: bool):
    assert is_same_origin(headers, "app.example.com") is same


def test_a_form_of_another_site_does_nothing(app: AppState):
    evil = {"sec-fetch-site": "cross-site"}
    assert ask(app, "try", method="POST", body=b"event={}", headers=evil).status == 403


def test_static_files_are_kept_by_browsers_until_they_change(app: AppState):
    found = ask(app, "static/htmx.min.js", DEPLOYED)
    assert found.status == 200
    assert "immutable" in found.headers["Cache-Control"]
    again = ask(app, "static/htmx.min.js", DEPLOYED, headers={"if-none-match": found.headers["ETag"]})
    assert (again.status, again.body) == (304, "")


@pytest.mark.parametrize("name", ["../page.py", "%2e%2e/page.py", "", "nothing.js", "../templates/base.html"])
def test_only_files_of_the_folder_are_served(app: AppState, name: str):
    assert ask(app, f"static/{name}").status == 404


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-01-01T11:59:55Z", "just now"),
        ("2026-01-01T11:59:20Z", "40 s ago"),
        ("2026-01-01T11:56:01Z", "3 min ago"),
        ("2026-01-01T07:30:00Z", "4 h ago"),
        ("2025-12-29T11:00:00Z", "3 days ago"),
        ("2026-01-01T12:05:00Z", "in 5 min"),
        ("no time", "no time"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(text: str, words: str):
    assert format_age(text, NOW) == words


def test_an_event_is_explained_by_rules_that_somebody_tries_without_showing_other_settings(app: AppState):
    tried = RULES + "  factory: {type: data_factory, id: '${env.OTHER}'}\n"
    sent = {"event": "{}", "rules": tried}
    body = "&".join(f"{name}={value}" for name, value in sent.items()).replace("\n", "%0A")
    page = ask(app, "try", method="POST", body=body.encode())
    assert "hidden-value" not in str(page.body)


def test_health_shows_what_check_warns_of(app: AppState):
    page = str(ask(app, "health").body)
    warnings = [str(one) for one in app.rules().warnings]
    assert warnings
    assert all(escape(one) in page for one in warnings)


@pytest.mark.parametrize("name", ["responses", "events"])
def test_an_empty_list_says_what_to_do(app: AppState, name: str, monkeypatch: pytest.MonkeyPatch):
    async def nothing(_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(event_operations, "read_recent_events", nothing)
    assert 'class="empty"' in str(ask(app, name).body)


def test_only_in_a_sandbox_the_console_leads_to_the_page_of_the_sandbox(app: AppState):
    link = '<a href="/" hx-boost="false">Sandbox</a>'
    assert link not in str(ask(app, "rules").body)
    assert link in str(ask(app, "rules", {**LOCAL, "MLEVENTS_SANDBOX_PAGE": "/"}).body)
