"""The demo's rollouts: one that ends well, and one that is taken back while people use the endpoint."""

import json

from sandbox.demo.callers import Callers
from sandbox.demo.scene import CONSOLE, FRAUD, Scene, register
from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import PATIENCE, UNDER_WAY, Stage, until


def promoted(on: Stage) -> Scene:
    """A new version gets the traffic step by step, while people use the endpoint."""
    with Callers(on, "fraud-net") as callers:
        register(on, "9", FRAUD)
        scene = followed(
            on, "Model fraud-net:9 is registered while people use the endpoint", "models/fraud-net:9", "done"
        )
    traffic = traffic_of(on, "fraud-net")
    right = set(callers.statuses) == {200} and traffic == {"fraud-net-9": 100}
    return scene.also(f"{sum(callers.statuses.values())} requests meanwhile, all answered", right)


def taken_back(on: Stage) -> Scene:
    """A version that fails its users loses the little traffic that it had, and people are notified."""
    with Callers(on, "fraud-net") as callers:
        register(on, "10", {**FRAUD, "sandbox.error_rate": "0.3"})
        event = "Model fraud-net:10 is registered; it fails 30 % of its requests"
        scene = followed(on, event, "models/fraud-net:10", "failed")
    traffic = traffic_of(on, "fraud-net")
    answered, failed = callers.statuses.get(200, 0), callers.statuses.get(424, 0)
    told = any("fraud-net:10" in json.dumps(message) for message in on.inbox())
    right = traffic == {"fraud-net-9": 100} and told and failed < answered / 10
    return scene.also(f"{answered} requests answered meanwhile, {failed} failed; Teams was notified", right)


def followed(on: Stage, event: str, subject: str, wanted: str) -> Scene:
    """The scene of a rollout, whose progress is printed while it happens."""
    told: list[str] = []

    def ended() -> list[Json]:
        found = on.responses(subject)
        for step in [step for one in found for step in one["steps"][:1]]:
            if step["detail"] and step["detail"] not in told[-1:]:
                told.append(step["detail"])
                words = f"  {subject.removeprefix('models/')}  {step['detail']}"
                CONSOLE.print(words, style="dim", markup=False, no_wrap=True, overflow="ellipsis")
        return [] if any(one["status"] in UNDER_WAY for one in found) else found

    found = until(ended, PATIENCE, lambda: f"still: {told[-1:]}")
    phases = " → ".join(phase["phase"] for phase in found[0]["steps"][0].get("phases", ()))
    right = len(found) == 1 and found[0]["status"] == wanted
    outcome = "\n".join(filter(None, [f"{found[0]['status']}: {phases}", found[0]["because"]]))
    return Scene(event, found[0]["rule"] or "—", outcome, right)


def traffic_of(on: Stage, endpoint: str) -> dict[str, int]:
    """Who serves, as Azure ML's own SDK says."""
    told = on.azure_ml().online_endpoints.get(endpoint).traffic
    return {name: share for name, share in told.items() if share}
