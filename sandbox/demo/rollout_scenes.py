"""The demo's rollouts: one succeeds, and one is rolled back while clients call the endpoint."""

import json

from sandbox.demo.callers import Callers
from sandbox.demo.scene import CONSOLE, FRAUD, Scene, register
from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import PATIENCE, UNDER_WAY, Stage, until


def promote_version(on: Stage) -> Scene:
    """A new version gets the traffic step by step, while clients call the endpoint."""
    with Callers(on, "fraud-net") as callers:
        register(on, "9", FRAUD)
        scene = follow_rollout(
            on,
            "Model fraud-net:9 is registered while clients call the endpoint",
            "models/fraud-net:9",
            "done",
        )
    traffic = read_traffic(on, "fraud-net")
    right = set(callers.statuses) == {200} and traffic == {"fraud-net-9": 100}
    return scene.with_check(
        f"{sum(callers.statuses.values())} requests during the rollout, all answered", right
    )


def roll_back_version(on: Stage) -> Scene:
    """A version with too many errors is rolled back, and people are notified."""
    with Callers(on, "fraud-net") as callers:
        register(on, "10", {**FRAUD, "sandbox.error_rate": "0.3"})
        event = "Model fraud-net:10 is registered; it fails 30 % of its requests"
        scene = follow_rollout(on, event, "models/fraud-net:10", "failed")
    traffic = read_traffic(on, "fraud-net")
    answered, failed = callers.statuses.get(200, 0), callers.statuses.get(424, 0)
    notified = any("fraud-net:10" in json.dumps(message) for message in on.inbox())
    right = traffic == {"fraud-net-9": 100} and notified and failed < answered / 10
    return scene.with_check(
        f"{answered} requests answered during the rollout, {failed} failed; Teams was notified", right
    )


def follow_rollout(on: Stage, event: str, subject: str, wanted: str) -> Scene:
    """The scene of a rollout, whose progress is printed while it happens."""
    printed: list[str] = []

    def find_ended() -> list[Json]:
        found = on.responses(subject)
        for step in [step for one in found for step in one["steps"][:1]]:
            if step["detail"] and step["detail"] not in printed[-1:]:
                printed.append(step["detail"])
                words = f"  {subject.removeprefix('models/')}  {step['detail']}"
                CONSOLE.print(words, style="dim", markup=False, no_wrap=True, overflow="ellipsis")
        return [] if any(one["status"] in UNDER_WAY for one in found) else found

    found = until(find_ended, PATIENCE, lambda: f"the rollout has not ended; last step: {printed[-1:]}")
    phases = " → ".join(phase["phase"] for phase in found[0]["steps"][0].get("phases", ()))
    right = len(found) == 1 and found[0]["status"] == wanted
    outcome = "\n".join(filter(None, [f"{found[0]['status']}: {phases}", found[0]["because"]]))
    return Scene(event, found[0]["rule"] or "—", outcome, right)


def read_traffic(on: Stage, endpoint: str) -> dict[str, int]:
    """The traffic map without zeros, as Azure ML's own SDK reads it."""
    traffic = on.azure_ml().online_endpoints.get(endpoint).traffic
    return {name: share for name, share in traffic.items() if share}
