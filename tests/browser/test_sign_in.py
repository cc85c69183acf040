"""A deployed app with App Service authentication, whose proxy adds the principal; forms of other sites."""

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests
from playwright.sync_api import expect

from sandbox.sandbox_process import ROOT, Stage, stage
from tests.browser.prepared_world import RULES, SPEED, settle

ANN = {"x-ms-client-principal-name": "ann@example.com", "x-ms-client-principal-id": "1"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An app with sign-in, and one response."""
    folder = tmp_path_factory.mktemp("guarded")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBSITE_AUTH_ENABLED", "True")
        with stage(folder / "rules.yaml", SPEED, "--keys") as running:
            running.publish(running.run_status_changed("train-8", "Failed"))
            settle(running, "train-8", "alert-failed-runs")
            yield running


@pytest.fixture
def address(guarded: Stage) -> str:
    """The address of the one response in the console."""
    [one] = guarded.responses(rule="alert-failed-runs")
    return f"{guarded.ready['functions']}/api/console/responses/{one['id']}"


def test_who_is_not_signed_in_sees_nothing(page, address):
    answer = page.goto(address)
    assert answer.status == 401
    assert "alert-failed-runs" not in page.locator("main").text_content()


def test_who_is_signed_in_sees_it_and_is_recorded(open_context, address):
    page = open_context(extra_http_headers=ANN).new_page()
    page.goto(address)
    expect(page.get_by_text("ann@example.com")).to_be_visible()
    page.get_by_text("Rerun…").click()
    page.get_by_label("Reason").fill("signed in")
    page.get_by_role("button", name="Rerun", exact=True).click()
    expect(page.get_by_text("Done: rerun.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="signed in")).to_contain_text("ann@example.com")


@pytest.fixture
def other_site(address: str) -> Iterator[str]:
    """A page of another origin, with a form that asks for a rerun."""

    class OtherSite(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            form = f'<form method="post" action="{address}/rerun"><input name="reason" value="forged">'
            self.wfile.write(f"<!doctype html>{form}<button>Win a prize</button></form>".encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), OtherSite)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_form_of_another_site_changes_nothing(open_context, guarded, address, other_site):
    page = open_context(extra_http_headers=ANN).new_page()
    page.goto(other_site)
    page.get_by_role("button", name="Win a prize").click()
    expect(page.get_by_text("This form came from another site.")).to_be_visible()
    key = {"x-functions-key": guarded.ready["function_key"]}
    found = requests.get(address.replace("/console/", "/v1/"), headers=key, timeout=30).json()
    assert all(entry["reason"] != "forged" for entry in found["log"] or ())
