"""Why did nothing happen: the recent events of the running app."""

from collections.abc import Callable
from typing import Any

import requests

from sandbox.sandbox_process import Stage, until

RULES = """
version: 1
rules:
  - id: never
    event: model.registered
    where: {model: {name: {prefix: fraud-}}}
    mode: shadow
    do: [{uses: deploy_model, with: {endpoint: fraud, template: deployments/small.yaml}}]
"""


def events(stage: Stage, **query: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{stage.ready['functions']}/api/v1/events", params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def test_every_event_is_listed_with_the_condition_that_failed(start: Callable[..., Stage]):
    stage = start(RULES)
    other = stage.model_registered("churn", "1", {})
    match = stage.model_registered("fraud-net", "1", {})
    stage.deliver("ModelRegistered", other)
    for _ in range(2):
        stage.deliver("ModelRegistered", match)
    stage.post("ModelRegistered", '[{"id": 1}]')
    found = until(lambda: (all_of := events(stage))[3:] and all_of, 20, lambda: f"only {events(stage)}")
    decisions = {(one["decision"], one["id"]) for one in found}
    assert decisions >= {("unmatched", other["id"]), ("matched", match["id"]), ("redelivered", match["id"])}
    assert "quarantined" in {decision for decision, _ in decisions}
    [unmatched] = events(stage, decision="unmatched")
    assert [(one["id"], one["found"]) for one in unmatched["rules"]] == [("never", "churn")]
    assert unmatched["rules"][0]["path"] == "where.model.name"
    [matched] = events(stage, decision="matched", type="model.registered", limit="1")
    assert matched["responses"][0].startswith("never.")
    assert events(stage, subject="models/none:1") == []
