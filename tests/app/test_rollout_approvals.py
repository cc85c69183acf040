"""A rollout that waits for a person between two of its steps, in the running app."""

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import PATIENCE, ROOT, Stage, stage, until

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
endpoints: "*"
rules:
  - id: plain
    event: model.registered
    where: {model: {version: "1"}}
    do: [{uses: deploy_model, with: {template: deployments/small.yaml}}]
  - id: canary
    event: model.registered
    where: {model: {version: "2"}}
    do:
      - id: deploy
        uses: deploy_model
        with:
          template: deployments/small.yaml
          rollout:
            steps: [{percent: 10, for: 3m}, {approve: {ask: people, within: "%s"}}, {percent: 100}]
            checks: [{metric: error_rate, max: 0.2, window: 3m}]
            no_traffic: proceed
"""
IMPATIENT = """
  - id: impatient
    event: model.registered
    where: {model: {version: "3"}}
    on_failure: [{uses: notify, with: {to: people, template: response-failed}}]
    do:
      - id: deploy
        uses: deploy_model
        with:
          template: deployments/small.yaml
          rollout:
            steps: [{percent: 10, for: 3m}, {approve: {ask: people, within: 20m}}, {percent: 100}]
            no_traffic: proceed
"""
LINK = re.compile(r"http://[^\s\"\\)\]]+/api/console/approvals/([\w.-]+)/([\w-]{43})")
API = "?api-version=2024-10-01"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("approvals")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES % "900h" + IMPATIENT)
    with stage(folder / "rules.yaml", 600) as running:
        yield running


def traffic(app: Stage, name: str) -> dict[str, int]:
    found = app.arm(f"{app.workspace}/onlineEndpoints/{name}{API}")["properties"]["traffic"]
    return {deployment: share for deployment, share in found.items() if share}


def roll_out(app: Stage, name: str, tags: dict[str, str] | None = None) -> tuple[str, str]:
    """The response whose rollout waits for an approval, and the token of its link."""
    app.register(name, "1", {"accuracy": "0.90"})
    app.settled(f"models/{name}:1")
    app.load(name, 5)
    app.register(name, "2", {"accuracy": "0.95", **(tags or {})})

    def found() -> list[re.Match[str]]:
        texts = [str(one) for one in app.inbox() if f"{name}:2" in str(one)]
        return [link for text in texts if (link := LINK.search(text))]

    [link] = until(found, PATIENCE, lambda: f"no link: {app.responses(f'models/{name}:2')}")
    until(lambda: wait_of(app, name), PATIENCE, lambda: f"no wait: {app.responses(f'models/{name}:2')}")
    return link[1], link[2]


def wait_of(app: Stage, name: str) -> list[dict[str, Any]]:
    [one] = app.responses(f"models/{name}:2")
    return [one] if one["status"] == "waiting" else []


def post(app: Stage, response: str, verb: str, **body: Any) -> requests.Response:
    return requests.post(
        f"{app.ready['functions']}/api/v1/responses/{response}/{verb}", json=body, timeout=30
    )


def settle(app: Stage, name: str) -> dict[str, Any]:
    [one] = app.settled(f"models/{name}:2")
    return one


def test_an_approved_rollout_goes_on_to_all_traffic(app: Stage):
    response, token = roll_out(app, "good")
    [waiting] = wait_of(app, "good")
    assert waiting["because"].startswith("approve: approval at 10 %")
    assert traffic(app, "good") == {"good-1": 90, "good-2": 10}
    found = requests.get(f"{app.ready['functions']}/api/v1/approvals/{response}", timeout=30).json()
    assert found["evidence"]["champion"] == "good:1"
    [accuracy] = [row for row in found["evidence"]["tags"] if row["tag"] == "accuracy"]
    assert (accuracy["model"], accuracy["champion"]) == ("0.95", "0.90")
    assert accuracy["difference"] == pytest.approx(0.05)
    assert any(phase["phase"] == "10 %" and phase.get("checks") for phase in found["phases"])
    assert post(app, response, "promote", reason="now").status_code == 409, "a promotion is no approval"
    assert post(app, response, "approve", token="A" * 43).status_code == 403
    comment = ("the numbers are good, " * 25)[:498] + "ok"
    answer = post(app, response, "approve", reason=comment, token=token)
    assert answer.status_code in (200, 202), answer.text
    assert settle(app, "good")["status"] == "done"
    assert traffic(app, "good") == {"good-2": 100}
    found = requests.get(f"{app.ready['functions']}/api/v1/approvals/{response}", timeout=30).json()
    assert found["detail"] == f"approved by function key: {comment}"
    assert found["decided"].startswith("20")
    assert post(app, response, "approve", token=token).status_code == 409


def test_a_rejected_rollout_goes_back(app: Stage):
    response, token = roll_out(app, "bad")
    answer = post(app, response, "reject", reason="too slow", token=token)
    assert answer.status_code in (200, 202), answer.text
    ended = settle(app, "bad")
    assert ended["status"] == "stopped"
    assert "approval at 10 %: rejected by function key: too slow" in ended["because"]
    assert traffic(app, "bad") == {"bad-1": 100}


def test_a_check_that_fails_while_it_waits_sends_the_traffic_back(app: Stage):
    response, token = roll_out(app, "sick")
    app.load("sick", 20, error_rate=0.9, deployment="sick-2")
    ended = settle(app, "sick")
    assert ended["status"] == "failed", ended
    assert "at approval at 10 %" in ended["because"]
    assert traffic(app, "sick") == {"sick-1": 100}
    assert post(app, response, "approve", token=token).status_code == 409


def test_a_waiting_rollout_may_be_cancelled(app: Stage):
    response, _ = roll_out(app, "gone")
    assert post(app, response, "cancel", reason="not today").status_code in (200, 202)
    assert settle(app, "gone")["status"] == "stopped"
    assert traffic(app, "gone") == {"gone-1": 100}


def check_that_the_link_is_over(app: Stage, response: str, token: str, words: str) -> None:
    for body in ({}, {"token": token}):
        late = post(app, response, "approve", **body)
        assert (late.status_code, f"came too late: {words}" in late.json()["error"]) == (409, True), late.text
    page = requests.get(f"{app.ready['functions']}/api/console/approvals/{response}/{token}", timeout=30)
    assert page.status_code == 410
    assert words in page.text
    assert 'value="approve"' not in page.text


def test_an_aborted_rollout_waits_for_nobody(app: Stage):
    response, token = roll_out(app, "ended")
    assert post(app, response, "abort", reason="wrong data").status_code in (200, 202)
    ended = settle(app, "ended")
    assert (ended["status"], "aborted by function key: wrong data" in ended["because"]) == ("failed", True)
    assert traffic(app, "ended") == {"ended-1": 100}
    check_that_the_link_is_over(app, response, token, "aborted by function key: wrong data")


def test_without_a_decision_in_time_the_traffic_goes_back_and_people_know(app: Stage):
    app.register("late", "1", {})
    app.settled("models/late:1")
    app.load("late", 5)
    app.register("late", "3", {})
    [ended] = app.settled("models/late:3")
    words = "nobody decided within 20 min"
    assert (ended["status"], words in ended["because"]) == ("stopped", True)
    assert traffic(app, "late") == {"late-1": 100}
    texts = [str(one) for one in app.inbox() if "late:3" in str(one)]
    [link] = [link for text in texts if (link := LINK.search(text))]
    assert any(words in text for text in texts), "people are notified"
    check_that_the_link_is_over(app, link[1], link[2], words)
