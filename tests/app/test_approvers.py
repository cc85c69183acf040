"""Who may approve, in an app with Entra sign-in: by the rule's names, and by four eyes."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.azure.identity import OWNER_NAME
from sandbox.azure.workspace import WORKSPACE_ID
from sandbox.sandbox_process import PATIENCE, Stage, stage, until

RULES = f"""
version: 1
workspaces: {{prod: "{WORKSPACE_ID}"}}
connections:
  people: {{type: apprise, url: {{setting: TEAMS_WORKFLOW_URL}}}}
rules:
  - id: careful
    event: model.registered
    approve: {{ask: people, within: 8h, by: [leads], not_by: author}}
    do: [{{uses: notify, with: {{to: people, subject: "Deployed ${{model.name}}", text: "It acted."}}}}]
"""
LINK = re.compile(r"http://[^\s\"\\)\]]+/api/console/approvals/([\w.-]+)/([\w-]{43})")


def sign_in(name: str, display: str, *roles: str) -> dict[str, str]:
    """The headers that App Service adds for this person."""
    claims = [("preferred_username", name), ("name", display), *(("roles", role) for role in roles)]
    document = {"claims": [{"typ": kind, "val": value} for kind, value in claims]}
    return {
        "x-ms-client-principal": base64.b64encode(json.dumps(document).encode()).decode(),
        "x-ms-client-principal-name": name,
        "x-ms-client-principal-id": f"id-of-{display.split(maxsplit=1)[0].lower()}",
    }


AUTHOR = sign_in("owner@example.com", OWNER_NAME, "leads")
GRACE = sign_in("grace@example.com", "Grace Hopper", "leads")
GUEST = sign_in("guest@example.com", "Guest")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    file = tmp_path_factory.mktemp("approvers") / "rules.yaml"
    file.write_text(RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBSITE_AUTH_ENABLED", "True")
        with stage(file, 1) as running:
            yield running


@pytest.fixture(scope="module")
def asked(app: Stage) -> tuple[str, str, str]:
    """A response that waits for an approval of a person's model, the token of its link, and the link."""
    app.register("net", "1", {})

    def found() -> list[re.Match[str]]:
        return [link for one in app.inbox() if (link := LINK.search(str(one)))]

    [link] = until(found, PATIENCE, lambda: f"no link: {app.inbox()}")
    return link[1], link[2], link[0]


def approve(app: Stage, response: str, headers: dict[str, str], **body: Any) -> requests.Response:
    url = f"{app.ready['functions']}/api/v1/responses/{response}/approve"
    return requests.post(url, json=body, headers=headers, timeout=30)


def test_the_person_who_registered_the_model_may_not_approve_it(app: Stage, asked: tuple[str, str, str]):
    response, token, link = asked
    refused = approve(app, response, AUTHOR, token=token)
    assert refused.status_code == 403
    said = f"you registered the model ('{OWNER_NAME}'): another person must approve it"
    assert refused.json()["error"] == said
    page = requests.get(link, headers=AUTHOR, timeout=30).text
    assert "Your approval does not count: you registered the model" in page
    assert "disabled" in page


def test_who_is_not_named_or_not_signed_in_may_not_approve(app: Stage, asked: tuple[str, str, str]):
    response, token, link = asked
    refused = approve(app, response, GUEST, token=token)
    assert (refused.status_code, "you are not among those" in refused.text) == (403, True)
    assert approve(app, response, {}, token=token).status_code == 403
    for method in ("GET", "POST"):
        shown = requests.request(method, link, data={"decision": "approve"}, timeout=30)
        assert shown.status_code == 401
        assert "Sign in first" in shown.text
        assert "net:1" not in shown.text
    assert app.responses()[0]["status"] == "waiting"


def test_somebody_else_who_is_named_may_approve(app: Stage, asked: tuple[str, str, str]):
    response, _, link = asked
    assert "disabled" not in requests.get(link, headers=GRACE, timeout=30).text
    form = {"decision": "approve", "reason": "the numbers are good"}
    decided = requests.post(link, data=form, headers=GRACE, timeout=30)
    assert decided.status_code == 200, decided.text
    assert app.settled("models/net:1")[0]["status"] == "done"
    [gate] = requests.get(
        f"{app.ready['functions']}/api/v1/responses/{response}", headers=GRACE, timeout=30
    ).json()["gates"]
    assert gate["detail"] == "approved by grace@example.com (id-of-grace): the numbers are good"
