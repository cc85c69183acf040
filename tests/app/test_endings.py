"""Responses and rollouts that somebody or something ends in the middle: nothing stays behind.

The whole app on the sandbox, whose task hub outlives the app.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from durabletask.client import TaskHubGrpcClient

from sandbox.options import Options
from sandbox.sandbox import Sandbox
from sandbox.sandbox_process import ROOT, Stage, until
from tests.sandbox.small_sandbox import on_loop

pytestmark = pytest.mark.slow
PATIENCE = 90.0
RULES = """
version: 1
endpoints: "*"
defaults:
  on_failure: [{uses: notify, with: {to: team, template: response-failed}}]
connections:
  team: {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none, sender: a@b.example, to: [t@b.example]}
rules:
  - id: slowly
    event: model.registered
    where: {model: {tags: {slow: {present: true}}}}
    order: {key: "${model.name}", by: "${model.version}"}
    do: [{id: deploy, uses: deploy_model, with: {template: deployments/small.yaml, rollout: {steps: [{percent: 10, for: 6h}]}}}]
  - id: plain
    event: model.registered
    where: {model: {tags: {slow: {absent: true}}}}
    order: {key: "${model.name}", by: "${model.version}"}
    do: [{id: deploy, uses: deploy_model, with: {template: deployments/small.yaml}}]
  - id: tell
    event: drift.detected
    order: {key: "${drift.monitor}", by: "1"}
    do: [{uses: notify, with: {to: team, subject: "${drift.monitor}", text: drifted}}]
"""  # noqa: E501


class Ending(Stage):
    """A sandbox in this process, whose orchestrations can be terminated as in the portal."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox.ready)
        self.hub = TaskHubGrpcClient(host_address=f"127.0.0.1:{sandbox.host.hub._port}")

    def traffic(self, name: str) -> dict[str, int]:
        found = self.arm(f"{self.workspace}/onlineEndpoints/{name}?api-version=2024-10-01")
        return {one: share for one, share in found["properties"]["traffic"].items() if share}

    def deployed(self, name: str, version: str, **tags: str) -> dict[str, Any]:
        self.register(name, version, tags)
        return self.outcome(name, version)

    def outcome(self, name: str, version: str, *statuses: str) -> dict[str, Any]:
        wanted = statuses or ("done", "failed", "stopped")
        subject = f"models/{name}:{version}"

        def found() -> dict[str, Any] | None:
            return next((one for one in self.responses(subject) if one["status"] in wanted), None)

        ended = until(found, PATIENCE, lambda: f"still: {self.responses(subject)}")
        assert ended is not None
        return ended

    def rolling_out(self, name: str, version: str) -> str:
        """The id of a response whose rollout has 10 % of the traffic for hours."""
        self.register(name, version, {"slow": "yes"})
        new = f"{name}-{version}"
        until(lambda: self.traffic(name).get(new) == 10, PATIENCE, lambda: f"no canary: {self.traffic(name)}")
        [one] = self.responses(f"models/{name}:{version}")
        return str(one["id"])

    def back_at(self, name: str, version: str) -> None:
        wanted = {f"{name}-{version}": 100}
        until(lambda: self.traffic(name) == wanted, PATIENCE, lambda: f"not back: {self.traffic(name)}")

    def must_be_told(self, name: str, version: str) -> None:
        def mails() -> list[Any]:
            return [one for one in self.inbox() if one["via"] == "smtp" and f"{name}:{version}" in str(one)]

        until(mails, PATIENCE, lambda: "nobody was notified")


@contextmanager
def ending(folder: Path) -> Iterator[Ending]:
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    sandbox = Sandbox(Options(port=0, speed=600, rules=folder / "rules.yaml"))
    with on_loop() as loop:
        asyncio.run_coroutine_threadsafe(sandbox.__aenter__(), loop).result(60)
        try:
            yield Ending(sandbox)
        finally:
            asyncio.run_coroutine_threadsafe(sandbox.__aexit__(None, None, None), loop).result(30)


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ending]:
    with ending(tmp_path_factory.mktemp("endings")) as running:
        yield running


def must_have_gone_back(on: Ending, name: str, response: str) -> None:
    on.back_at(name, "1")
    until(
        lambda: [one for one in on.responses() if one["id"] == response and one["status"] == "failed"],
        PATIENCE,
        lambda: f"no outcome: {on.responses()}",
    )
    on.must_be_told(name, "2")
    assert on.deployed(name, "3")["status"] == "done", "the endpoint is free"
    assert on.traffic(name) == {f"{name}-3": 100}


def test_a_response_that_is_terminated_gives_its_traffic_back_and_notifies(on: Ending) -> None:
    on.deployed("ended-response", "1")
    response = on.rolling_out("ended-response", "2")
    on.hub.terminate_orchestration(response)
    must_have_gone_back(on, "ended-response", response)


def test_a_rollout_that_is_terminated_gives_its_traffic_back_and_notifies(on: Ending) -> None:
    on.deployed("ended-rollout", "1")
    response = on.rolling_out("ended-rollout", "2")
    on.hub.terminate_orchestration(f"{response}.deploy")
    must_have_gone_back(on, "ended-rollout", response)


def test_one_that_waits_and_is_terminated_blocks_no_older_version(on: Ending) -> None:
    on.deployed("ghost", "1")
    first = on.rolling_out("ghost", "2")
    on.register("ghost", "4", {})
    on.register("ghost", "3", {})
    ids = {}
    for version in ("4", "3"):
        [one] = until(partial(on.responses, f"models/ghost:{version}"), PATIENCE, lambda: "no response")
        ids[version] = one["id"]
        child = f"{one['id']}.deploy"
        until(partial(on.hub.get_orchestration_state, child), PATIENCE, lambda: "no rollout")
    on.hub.terminate_orchestration(f"{ids['4']}.deploy")
    assert on.outcome("ghost", "4")["status"] == "failed"
    on.hub.terminate_orchestration(f"{first}.deploy")
    assert on.outcome("ghost", "3")["status"] == "done"
    assert on.traffic("ghost") == {"ghost-3": 100}


def test_code_that_changed_under_a_rollout_gives_its_traffic_back_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    with ending(tmp_path / "rules") as on:
        on.deployed("changed", "1")
        response = on.rolling_out("changed", "2")
        on.kill()
        on.start(checkout(tmp_path / "next"))
        must_have_gone_back(on, "changed", response)


def checkout(folder: Path) -> Path:
    """The app with one more activity in its rollouts, as another release has it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mlevents", folder / "mlevents", ignore=ignored)
    for part in ("function_app.py", "host.json", "rules.yaml"):
        shutil.copy(ROOT / part, folder / part)
    code = folder / "mlevents" / "actions" / "deploy_model" / "roll_out_model_orchestrator.py"
    before = "    located = yield from run.perform(RolloutVerb.LOCATE)\n"
    assert before in code.read_text()
    more = '    yield context.call_activity("FindInstances", input="[]")\n'
    code.write_text(code.read_text().replace(before, more + before))
    return folder


def test_a_worker_that_dies_in_an_endpoints_lease_loses_nothing_and_does_nothing_twice(on: Ending) -> None:
    on.deployed("lost", "1")
    on.fault(match="ENTITY endpointlease", times=2)
    assert on.deployed("lost", "2")["status"] == "done"
    assert [fault["left"] for fault in on.faults()] == [0]
    assert on.traffic("lost") == {"lost-2": 100}
    assert [one for one in on.inbox() if "lost:2" in str(one)] == []


def test_a_worker_that_dies_in_the_order_gate_costs_minutes_and_no_event(on: Ending) -> None:
    on.fault(match="ENTITY newestversion", times=1)
    event = on.drift_detected("gated", 0.5)
    on.publish(event)
    one = until(
        lambda: [one for one in on.responses(event_id=event["id"]) if one["status"] == "done"],
        PATIENCE,
        lambda: f"still: {on.responses(event_id=event['id'])}",
    )
    assert [step["status"] for step in one[0]["steps"]] == ["done"]
    assert len([mail for mail in on.inbox() if mail.get("subject") == "gated"]) == 1
