"""The recent events outlive the app: what is listed before SIGKILL is listed after it and a new start."""

from collections.abc import Callable

import requests

from sandbox.sandbox_process import PATIENCE, Stage, until

RULES = """
version: 1
rules:
  - id: never
    event: model.registered
    where: {model: {name: {prefix: fraud-}}}
    mode: shadow
    do: [{uses: deploy_model, with: {endpoint: fraud, template: deployments/small.yaml}}]
"""


def listed(stage: Stage) -> list[str]:
    """The ids of the recent events, the oldest first; none while the app is down."""
    answer = requests.get(f"{stage.ready['functions']}/api/v1/events", params={"limit": "100"}, timeout=30)
    return [one["id"] for one in reversed(answer.json()["events"])] if answer.ok else []


def deliver(stage: Stage, name: str) -> str:
    """Deliver an event that no rule matches; gives its id."""
    event = stage.model_registered(name, "1", {})
    stage.deliver("ModelRegistered", event).raise_for_status()
    return str(event["id"])


def test_recent_events_survive_a_kill_and_go_on_after_it(start: Callable[..., Stage]):
    stage = start(RULES)
    before = [deliver(stage, f"churn-{number}") for number in range(4)]
    until(lambda: listed(stage) == before, PATIENCE, lambda: f"before the kill: {listed(stage)}")
    stage.kill()
    assert requests.get(f"{stage.ready['functions']}/api/v1/events", timeout=30).status_code == 503
    stage.start()
    assert listed(stage) == before
    wanted = [*before, deliver(stage, "churn-after")]
    until(lambda: listed(stage) == wanted, PATIENCE, lambda: f"after another event: {listed(stage)}")
