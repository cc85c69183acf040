"""The purge in the running app: what is left of responses, entities and quarantine after the retention."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import requests

from mlevents.orchestration.endpoint_lease import ACQUIRE, apply_statement, read_state
from mlevents.orchestration.lease_messages import Statement, StatementNumber
from mlevents.orchestration.serialization import to_text
from mlevents.rules.syntax import QUARANTINE
from sandbox.durable.hub import FINISHED, DurableHub
from sandbox.options import Options
from sandbox.sandbox import Sandbox
from sandbox.sandbox_process import PATIENCE, ROOT, Stage, until

RULES = """
version: 1
workspaces: {prod: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"}
connections: {team: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}}
defaults: {retention: 30d}
rules:
  - id: newest
    event: model.registered
    where: {model: {name: {prefix: note-}}}
    order: {key: "${model.name}", by: "${model.version}"}
    do: [{uses: notify, with: {to: team, subject: new, text: "${model.name}"}}]
  - id: deploy
    event: model.registered
    where: {model: {name: net}}
    do: [{uses: deploy_model, with: {endpoint: net, template: deployments/small.yaml}}]
"""  # noqa: E501


class AgingApp:
    """The running app, and its task hub, in which time can pass."""

    def __init__(self, on: Stage, hub: DurableHub) -> None:
        self.on, self.hub = on, hub

    def register(self, name: str, version: str) -> str:
        """Register a model; gives the id of its response, which is done."""
        self.on.register(name, version, {})
        [one] = self.on.settled(f"models/{name}:{version}")
        assert one["status"] == "done", one
        return str(one["id"])

    def age(self, days: float) -> None:
        """Let days pass for all that is in the task hub."""
        passed = timedelta(days=days)
        with self.hub._lock:
            for instance in self.hub._instances.values():
                instance.created_at -= passed
                instance.last_updated_at -= passed
            for entity in self.hub._entities.values():
                entity.last_modified_at -= passed

    def left(self) -> tuple[set[str], set[str]]:
        """The ids of instances, and the kinds of entities that have a state."""
        with self.hub._lock:
            entities = self.hub._entities.items()
            kinds = {key.split("@")[1] for key, one in entities if one.serialized_state is not None}
            return set(self.hub._instances), kinds - {"recentevents"}

    def ended(self) -> set[str]:
        """The ids of the instances that have ended."""
        with self.hub._lock:
            return {key for key, one in self.hub._instances.items() if one.status in FINISHED}

    def run_timer(self, name: str) -> None:
        """Run a timer function of the app out of turn."""
        url = f"{self.on.ready['functions']}/admin/functions/{name}"
        requests.post(url, json={}, timeout=10).raise_for_status()

    def purge_until(self, instances: set[str], entities: set[str]) -> None:
        """Run the purge and the cleanup until exactly this is left, and still is after another run."""
        for _ in range(2):
            self.run_timer("PurgeResponses")
            self.run_timer("SweepResponses")
            until(lambda: self.left() == (instances, entities), PATIENCE, lambda: f"left: {self.left()}")


def in_app(folder: Path, test: Callable[[AgingApp], None]) -> None:
    """Run a test on a sandbox in this process, whose task hub it can reach."""
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)

    async def running() -> None:
        options = Options(port=0, rules=folder / "rules.yaml", speed=1200)
        async with Sandbox(options) as sandbox:
            await asyncio.to_thread(test, AgingApp(Stage(sandbox.ready), sandbox.host.hub))

    asyncio.run(running())


def test_the_purge_leaves_what_is_within_its_retention_and_nothing_else(tmp_path: Path):
    def test(app: AgingApp) -> None:
        old = {app.register("note-old", "1"), app.register("net", "1")}
        app.on.post("ModelRegistered", '[{"id": 1}]').raise_for_status()
        quarantined = {one["id"] for one in app.on.settled() if one["status"] == "quarantined"}
        assert len(quarantined) == 1
        old.add(f"{QUARANTINE}.report")
        until(lambda: app.ended() > old | quarantined, PATIENCE, lambda: f"ended: {app.ended()}")
        assert app.left()[1] == {"newestversion", "endpointlease", "eventflood"}
        app.age(31)
        new = app.register("note-new", "1")
        app.purge_until({new, *quarantined}, {"newestversion"})
        app.age(60)
        app.purge_until(set(), set())

    in_app(tmp_path, test)


def test_a_lease_and_a_ticket_of_purged_responses_are_cleared_by_the_next_rollout(tmp_path: Path):
    def test(app: AgingApp) -> None:
        app.register("net", "1")
        [(key, lease)] = [one for one in app.hub._entities.items() if one[0].startswith("@endpointlease@")]
        state = read_state(None)
        for instance in ("deploy.gone.deploy", "deploy.waits.deploy"):
            apply_statement(state, ACQUIRE, Statement(instance, StatementNumber("2026-01-01", 1)))
        assert state.holder is not None
        assert set(state.waiting) == {"deploy.waits.deploy"}
        lease.serialized_state = json.dumps(to_text(state.to_json()))
        app.register("net", "2")
        after = read_state(json.loads(str(app.hub._entities[key].serialized_state)))
        assert (after.holder, after.waiting) == (None, {})

    in_app(tmp_path, test)
