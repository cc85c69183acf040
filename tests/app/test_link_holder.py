"""What somebody can do who has the link of an approval and nothing else, where nobody signs in."""

import re
from pathlib import Path

import requests

from sandbox.sandbox_process import PATIENCE, stage, until

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
rules:
  - id: careful
    event: model.registered
    approve: {ask: people, within: 8h}
    do: [{uses: notify, with: {to: people, subject: "Deployed ${model.name}", text: "It acted."}}]
"""
LINK = re.compile(r"(http://[^\s\"\\)\]]+)/api/console/approvals/([\w.-]+)/([\w-]{43})")


def test_a_link_alone_shows_and_decides_nothing(tmp_path: Path):
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    with stage(file, 1, "--keys") as app:
        app.register("net", "1", {})

        def find_links() -> list[re.Match[str]]:
            return [link for one in app.inbox() if (link := LINK.search(str(one)))]

        [link] = until(find_links, PATIENCE, lambda: f"no link: {app.inbox()}")
        address, response, token = link.groups()
        for method, form in (("GET", None), ("POST", {"decision": "approve"})):
            page = requests.request(method, link[0], data=form, timeout=30)
            assert "This console needs a function key" in page.text
            assert "net:1" not in page.text
            assert "It acted" not in page.text
            guarded = link[0].replace("/console/", "/console-content/")
            assert requests.request(method, guarded, data=form, timeout=30).status_code == 401
        decide = f"{address}/api/v1/responses/{response}/approve"
        assert requests.post(decide, json={"token": token}, timeout=30).status_code == 401
        assert app.responses()[0]["status"] == "waiting"
        key = {"x-functions-key": app.ready["function_key"]}
        assert requests.post(decide, json={}, headers=key, timeout=30).status_code in (200, 202)
        assert app.settled("models/net:1")[0]["status"] == "done"
