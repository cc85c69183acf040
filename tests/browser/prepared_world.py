"""What the console shows in its tests and pictures: rollouts in each state, an alert, refused events."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.sandbox_process import Stage, until

SPEED = 600
HOSTILE = '<script>document.title="broken"</script>"><img src=x onerror=alert(1)>\u202egnp.exe 🚀'
RULES = """
version: 1
endpoints: [fraud-*, churn-*, loan-*]
connections:
  team: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
rules:
  - id: deploy-good-models
    description: A model that was registered for production replaces the one before, in steps.
    event: model.registered
    where:
      model:
        name: {prefix: [fraud-, churn-, loan-]}
        tags: {stage: production, accuracy: {gte: 0.92}, hold: {absent: true}}
    order: {key: "${model.name}", by: "${model.version}"}
    do:
      - id: deploy
        uses: deploy_model
        with:
          endpoint: "${model.name}"
          template: deployments/small.yaml
          rollout:
            smoke_test: {request: deployments/sample-request.json, latency: 5s}
            steps: [{percent: 20, for: 15m}, {percent: 50, for: 400h}, {percent: 100}]
            checks:
              - {metric: error_rate, max: 0.02, window: 5m}
              - {metric: latency_p95, max: 1.5, of: stable, plus: 50ms, window: 5m}
            min_requests: 30
      - uses: notify
        with: {to: team, template: model-deployed}
    on_failure:
      - {uses: notify, with: {to: team, template: rollout-failed}}
  - id: alert-failed-runs
    description: A run failed that is not part of another.
    event: run.status_changed
    where: {run: {status: failed, root: true}}
    do: [{uses: notify, with: {to: team, template: run-failed}}]
  - id: watch-every-model
    description: Only recorded, to see how often it would act.
    event: model.registered
    mode: shadow
    do: [{uses: notify, with: {to: team, template: model-deployed}}]
  - id: retrain-on-drift
    event: drift.detected
    where: {drift: {value: {gte: 0.9}}}
    do: [{uses: notify, with: {to: team, template: drift-detected}}]
"""
GOOD = {"stage": "production", "accuracy": "0.97"}


@dataclass(frozen=True, slots=True)
class World:
    """A running sandbox and the ids of its responses by what became of them."""

    stage: Stage
    canary: str
    failed: str
    alert: str
    hostile: str
    shadow: str
    quarantined: str

    @property
    def console(self) -> str:
        """The address of the console."""
        return f"{self.stage.ready['functions']}/api/console"

    def list_pages(self) -> list[str]:
        """The addresses of all pages, below that of the console."""
        ids = (self.canary, self.failed, self.alert, self.hostile, self.shadow, self.quarantined)
        lists = ("responses", "responses?status=failed", "events", "rules", "try", "health")
        return [*lists, f"try?response={self.canary}", *(f"responses/{one}" for one in ids), "nowhere"]


def prepare_world(stage: Stage, text: str = HOSTILE + "w" * 10_000) -> World:
    """Bring the sandbox to where every page has something to show; `text` is in all parts of some events."""
    for name in ("fraud-net", "churn-net"):
        stage.register(name, "1", GOOD)
    for name in ("fraud-net", "churn-net"):
        settle(stage, f"models/{name}:1")
        stage.load(name, 20)
    stage.register("fraud-net", "2", GOOD)
    stage.register("churn-net", "2", {**GOOD, "sandbox.error_rate": "0.3"})
    stage.publish(stage.run_status_changed("train-42", "Failed"))
    hostile = stage.run_status_changed("train-43", "Failed", {"owner": text})
    hostile["data"]["experimentName"] = text
    stage.publish(hostile)
    stage.deliver("ModelRegistered", stage.model_registered("other-net", "1", {"stage": text}))
    stage.post("ModelRegistered", json.dumps([{"id": 1, "subject": text}]))
    return World(
        stage,
        canary=wait_for_share(stage, "models/fraud-net:2", "50 %"),
        failed=settle(stage, "models/churn-net:2"),
        alert=settle(stage, "train-42", "alert-failed-runs"),
        hostile=settle(stage, "train-43", "alert-failed-runs"),
        shadow=settle(stage, "models/other-net:1", "watch-every-model"),
        quarantined=until(lambda: find_quarantined(stage), 20, lambda: "nothing is quarantined"),
    )


def find_quarantined(stage: Stage) -> str:
    return next((str(one["id"]) for one in stage.responses() if one["status"] == "quarantined"), "")


def find_responses(stage: Stage, subject: str, rule: str) -> list[dict[str, Any]]:
    return [one for one in stage.responses(rule=rule) if subject in one["event"]["subject"]]


def settle(stage: Stage, subject: str, rule: str = "deploy-good-models") -> str:
    """The id of the response to the subject's event, once it has ended."""

    def look() -> str:
        found = [one for one in find_responses(stage, subject, rule) if one["status"] != "running"]
        return str(found[0]["id"]) if found else ""

    return until(look, 60, lambda: f"still: {find_responses(stage, subject, rule)}")


def wait_for_share(stage: Stage, subject: str, phase: str, rule: str = "deploy-good-models") -> str:
    """The id of a rollout, once it is in this phase."""

    def look() -> str:
        for one in find_responses(stage, subject, rule):
            phases = [at["phase"] for step in one["steps"] for at in step.get("phases", ())]
            if phase in phases:
                return str(one["id"])
        return ""

    return until(look, 60, lambda: f"still: {find_responses(stage, subject, rule)}")
