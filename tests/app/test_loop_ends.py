"""A loop through a job that registers a model ends: retrain, register, retrain."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.sandbox_process import Stage

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
defaults:
  on_failure: [{uses: notify, with: {to: people, template: response-failed}}]
rules:
  - id: retrain
    event: model.registered
    do: [{uses: run_ml_pipeline, with: {component: "retrain:1", inputs: {}}}]
"""


@pytest.fixture
def app(start: Callable[..., Stage]) -> Stage:
    return start(RULES, speed=600)


def register(app: Stage, version: str, job: str) -> dict[str, Any]:
    """The response to a model that this job registers, as a training script does: without our tags."""
    model = {
        "modelType": "mlflow_model",
        "jobName": job,
        "modelUri": f"azureml://jobs/{job}/outputs/m/paths/m",
    }
    path = f"{app.workspace}/models/net/versions/{version}?api-version=2024-10-01"
    app.arm(path, "PUT", {"properties": model})
    [one] = app.settled(f"models/net:{version}")
    return one


def jobs(app: Stage) -> set[str]:
    found = app.arm(f"{app.workspace}/jobs?api-version=2024-10-01")["value"]
    return {one["name"] for one in found if "mlevents.depth" in (one["properties"].get("tags") or {})}


def test_retrain_register_retrain_ends(app: Stage):
    job, known = "by-hand", jobs(app)
    for version in ("1", "2", "3"):
        assert register(app, version, job)["status"] == "done"
        [job] = jobs(app) - known
        known |= {job}
    stopped = register(app, "4", job)
    assert stopped["status"] == "stopped"
    assert "from a chain of 3 responses" in stopped["because"]
    assert jobs(app) == known
    assert any("chain" in str(one) for one in app.inbox()), "people are notified"
