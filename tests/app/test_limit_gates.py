"""Gates that count and wait, with real deliveries: who acts, who stops and why, who is notified."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from mlevents.gates.opening_hours import WEEKDAYS
from sandbox.durable.hub import DurableHub
from sandbox.options import Options
from sandbox.sandbox import Sandbox
from sandbox.sandbox_process import PATIENCE, Stage, until

NOTIFY = 'do: [{uses: notify, with: {to: people, subject: acts, text: "acts ${model.name}"}}]'
RULES = f"""
version: 1
connections:
  people: {{type: apprise, url: {{setting: TEAMS_WORKFLOW_URL}}}}
defaults:
  on_failure: [{{uses: notify, with: {{to: people, subject: alarm, text: "${{failure.message}}"}}}}]
rules:
  - id: throttled
    event: model.registered
    where: {{model: {{tags: {{rule: throttled}}}}}}
    throttle: {{key: "${{model.name}}", once_per: 12h}}
    {NOTIFY}
  - id: short
    event: model.registered
    where: {{model: {{tags: {{rule: short}}}}}}
    throttle: {{key: "${{model.name}}", once_per: 10ms}}
    {NOTIFY}
  - id: limited
    event: model.registered
    where: {{model: {{tags: {{rule: limited}}}}}}
    budget: {{key: all, at_most: 1, per: 24h}}
    {NOTIFY}
  - id: waiting
    event: model.registered
    where: {{model: {{tags: {{rule: waiting}}}}}}
    window: {{days: DAY, from: "00:00", to: "24:00", zone: UTC}}
    {NOTIFY}
"""


class LimitedApp:
    """The running app and its task hub."""

    def __init__(self, on: Stage, hub: DurableHub) -> None:
        self.on, self.hub = on, hub

    def register(self, name: str, rule: str, version: str = "1") -> dict[str, Any]:
        """The response to a new model, when it has ended."""
        self.on.register(name, version, {"rule": rule})
        [one] = self.on.settled(f"models/{name}:{version}")
        return dict(one)

    def states(self) -> int:
        """How many gates have a state."""
        with self.hub._lock:
            known = self.hub._entities.items()
            return sum(
                key.startswith("@gatestate@") and one.serialized_state is not None for key, one in known
            )

    def purge(self) -> None:
        """Run the timer that purges out of turn."""
        url = f"{self.on.ready['functions']}/admin/functions/PurgeResponses"
        requests.post(url, json={}, timeout=10).raise_for_status()


def in_app(folder: Path, test: Callable[[LimitedApp], None]) -> None:
    another_day = WEEKDAYS[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    (folder / "rules.yaml").write_text(RULES.replace("DAY", another_day))

    async def running() -> None:
        async with Sandbox(Options(port=0, rules=folder / "rules.yaml", speed=100_000)) as sandbox:
            await asyncio.to_thread(test, LimitedApp(Stage(sandbox.ready), sandbox.host.hub))

    asyncio.run(running())


def test_gates_that_count_and_wait_in_the_running_app(tmp_path: Path):
    def test(app: LimitedApp) -> None:
        first, second = app.register("net", "throttled"), app.register("net", "throttled", "2")
        assert (first["status"], second["status"]) == ("done", "stopped")
        assert str(second["because"]).startswith(f"throttle: {first['id']} acted for 'net' at ")
        limited = [app.register(name, "limited")["status"] for name in ("one", "two", "three")]
        assert limited == ["done", "stopped", "stopped"]
        alarms = [one for one in app.on.inbox() if "budget: 'all' has no place left" in str(one)]
        assert len(alarms) == 1, "people are notified once"
        waited = app.register("late", "waiting")
        assert waited["status"] == "done"
        assert app.register("brief", "short")["status"] == "done", "its state is over at once"
        app.purge()
        until(lambda: app.states() == 2, PATIENCE, lambda: f"states: {app.states()}")
        assert app.register("net", "throttled", "3")["status"] == "stopped", "its state is still needed"

    in_app(tmp_path, test)
