"""Approvals against the running app: a person decides, by the API, the command, or the page of the link."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import PATIENCE, Stage, stage, until

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
rules:
  - id: careful
    event: model.registered
    approve: {ask: people, within: 8h}
    do: [{uses: notify, with: {to: people, subject: "Deployed ${model.name}", text: "It acted."}}]
  - id: brief
    event: model.registered
    where: {model: {name: late}}
    approve: {ask: people, within: 1s}
    do: [{uses: notify, with: {to: people, subject: "Too late", text: "It acted."}}]
    on_failure: [{uses: notify, with: {to: people, template: response-failed}}]
  - id: strict
    event: drift.detected
    approve: {ask: people, within: 8h, by: [ada@example.com]}
    do: [{uses: notify, with: {to: people, subject: "Retrained", text: "It acted."}}]
"""
LINK = re.compile(r"http://[^\s\"\\)\]]+/api/console/approvals/([\w.-]+)/([\w-]{43})")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    file = tmp_path_factory.mktemp("approvals") / "rules.yaml"
    file.write_text(RULES)
    with stage(file, 1) as running:
        yield running


def decide(app: Stage, response: str, verb: str, **body: Any) -> requests.Response:
    return requests.post(
        f"{app.ready['functions']}/api/v1/responses/{response}/{verb}", json=body, timeout=30
    )


def ask(app: Stage, model: str) -> tuple[str, str]:
    """The response that waits for an approval of this new model, and the token of its link."""
    app.register(model, "1", {})
    response, token = find_link(app, f"{model}:1")
    until(lambda: details(app, response).get("gates"), PATIENCE, lambda: str(details(app, response)))
    return response, token


def find_link(app: Stage, words: str) -> tuple[str, str]:
    def found() -> list[re.Match[str]]:
        texts = (str(one) for one in app.inbox())
        return [
            link
            for text in texts
            if words in text and "Approval wanted" in text
            for link in [LINK.search(text)]
            if link
        ]

    [link] = until(found, PATIENCE, lambda: f"no link: {app.inbox()}")
    return link[1], link[2]


def settle(app: Stage, model: str) -> dict[str, Any]:
    [one] = app.settled(f"models/{model}:1")
    return one


def details(app: Stage, response: str) -> dict[str, Any]:
    return requests.get(f"{app.ready['functions']}/api/v1/responses/{response}", timeout=30).json()


def test_an_approved_response_acts_once_whatever_comes_later(app: Stage):
    response, token = ask(app, "good")
    [gate] = details(app, response)["gates"]
    assert (gate["gate"], gate["status"]) == ("approve", "waiting")
    assert gate["until"].startswith("20")
    assert set(gate) == {"gate", "status", "detail", "until"}
    asked = str([one for one in app.inbox() if token in str(one)])
    assert "https://ml.azure.com/model/good:1/details?wsid=" in asked
    assert f"/api/console/responses/{response}" in asked
    answer = decide(app, response, "approve", reason="looks good", token=token)
    assert answer.status_code in (200, 202), answer.text
    ended = settle(app, "good")
    assert ended["status"] == "done"
    [gate] = details(app, response)["gates"]
    assert (gate["status"], gate["detail"]) == ("passed", "approved by function key: looks good")
    assert [entry["verb"] for entry in details(app, response)["log"]] == ["approve"]
    again = decide(app, response, "approve", reason="looks good")
    assert (again.status_code, again.json()["changed"]) == (200, False)
    for verb, body in (("reject", {"reason": "no"}), ("approve", {"token": token})):
        late = decide(app, response, verb, **body)
        assert late.status_code == 409, late.text
        assert "came too late: approved by function key: looks good" in late.json()["error"]


def test_who_decided_when_and_why_is_shown_whole(app: Stage):
    response, token = ask(app, "discussed")
    comment = ("the numbers are good, " * 25)[:498] + "ok"
    assert decide(app, response, "approve", reason=comment, token=token).status_code in (200, 202)
    settle(app, "discussed")
    for verb in ("approve", "reject"):
        decide(app, response, verb, reason="a later one")
    shown = requests.get(f"{app.ready['functions']}/api/v1/approvals/{response}", timeout=30).json()
    assert shown["detail"] == f"approved by function key: {comment}"
    [entry] = details(app, response)["log"]
    assert shown["decided"] == entry["time"]
    page = requests.get(f"{app.ready['functions']}/api/console/approvals/{response}", timeout=30).text
    assert f"approved by function key: {comment}, <time" in page
    assert entry["time"][:16] in page


def test_a_rejected_response_stops(app: Stage):
    response, token = ask(app, "bad")
    assert decide(app, response, "reject", token=token).status_code == 400, "a rejection says why"
    answer = decide(app, response, "reject", reason="too slow", token=token)
    assert answer.status_code in (200, 202), answer.text
    assert settle(app, "bad")["because"] == "approve: rejected by function key: too slow"


def test_a_token_decides_its_own_response_alone(app: Stage):
    first, token = ask(app, "first-model")
    second, other = ask(app, "second-model")
    for guess in (
        other,
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "",
        token.lower(),
        token + "A",
        "x" * 200,
    ):
        refused = decide(app, first, "approve", token=guess)
        assert refused.status_code == 403, refused.text
        assert token not in refused.text
    waiting = requests.get(f"{app.ready['functions']}/api/v1/approvals", timeout=30).json()
    assert {one["id"] for one in waiting["approvals"]} >= {first, second}
    assert token not in str(waiting)
    assert other not in str(waiting)
    assert decide(app, second, "approve", token=other).status_code in (200, 202)


def test_nothing_that_is_stored_or_shown_has_the_token(app: Stage):
    response, token = ask(app, "secret")
    for path in (f"responses/{response}", f"approvals/{response}", "responses", "events"):
        found = requests.get(f"{app.ready['functions']}/api/v1/{path}", timeout=30)
        assert found.status_code == 200, found.text
        assert token not in found.text
        assert "hash" not in str(found.json().get("gates"))


def test_terms_about_people_need_sign_in(app: Stage):
    event = app.drift_detected("churn", 0.7)
    app.deliver("DatasetDriftDetected", event)
    response, token = find_link(app, "strict")
    for body in ({"token": token}, {}):
        refused = decide(app, response, "approve", **body)
        assert refused.status_code == 403
        assert refused.json()["error"] == (
            "the rule says `by`, and nobody is signed in: turn on Entra sign-in for this app, then sign in"
        )
    forged = requests.post(
        f"{app.ready['functions']}/api/v1/responses/{response}/approve",
        json={"token": token},
        headers={"x-ms-client-principal-name": "ada@example.com", "x-ms-client-principal-id": "1"},
        timeout=30,
    )
    assert forged.status_code == 403
    assert decide(app, response, "reject", reason="nobody can approve it").status_code in (200, 202)


def test_after_its_deadline_a_link_decides_nothing_and_people_know(app: Stage):
    app.register("late", "1", {})
    response, token = find_link(app, "Rule brief")
    [ended] = app.settled("models/late:1", rule="brief")
    assert (ended["status"], ended["because"]) == ("stopped", "approve: nobody decided within 1 s")
    words = "nobody decided within 1 s"
    assert any(words in str(one) for one in app.inbox()), "people are notified"
    for verb, body in (("approve", {}), ("approve", {"token": token}), ("reject", {"reason": "no"})):
        late = decide(app, response, verb, **body)
        assert (late.status_code, f"came too late: {words}" in late.json()["error"]) == (409, True)
    page = f"{app.ready['functions']}/api/console/approvals/{response}/{token}"
    for shown in (
        requests.get(page, timeout=30),
        requests.post(page, data={"decision": "approve"}, timeout=30),
    ):
        assert shown.status_code in (409, 410)
        assert f"This link was used, or its time is over: {words}." in shown.text
        assert "<form" not in shown.text.partition("<main")[2]
