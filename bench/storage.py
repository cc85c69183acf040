"""What a response stores and asks of the storage account, from the task hub's histories in the sandbox.

    python -m bench.storage

prints the tables of docs/costs.md. The sandbox records histories as the Functions extension would; rows and
requests are counted from them as DurableTask.AzureStorage makes them, see `task_hub_rows`.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from durabletask.testing.in_memory_backend import OrchestrationInstance

from bench.figure import Figure
from bench.storage_requests import entity_requests, idle_requests, instance_requests, purge_requests
from bench.storage_use import StorageUse
from bench.task_hub_rows import history_use
from sandbox.event_grid.event_factory import Json
from sandbox.options import Options
from sandbox.sandbox import Sandbox
from sandbox.sandbox_process import ROOT, Stage

SPEED = 120.0
RATES = (100, 1_000, 10_000)
RETENTION_DAYS, DAYS, HOUR = 30, 30, 3600
RING = '[{"padding": "' + "x" * 200_000 + '"}]'
"""A ring of recent events that is in a blob, as a full one is."""
RULES = """
version: 1
connections:
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
  team: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
rules:
  - id: notify
    event: run.status_changed
    where: {run: {status: failed}}
    do: [{uses: notify, with: {to: team, template: run-failed}}]
  - id: shadow
    mode: shadow
    event: run.status_changed
    where: {run: {status: canceled}}
    do: [{uses: notify, with: {to: team, template: run-failed}}]
  - id: pipeline
    event: drift.detected
    do:
      - uses: run_data_factory_pipeline
        with: {connection: retraining, pipeline: retrain, parameters: {monitor: "${drift.monitor}"}, wait: true}
  - id: rollout
    event: model.registered
    where: {model: {name: net}}
    order: {key: "${model.name}", by: "${model.version}"}
    do:
      - uses: deploy_model
        with:
          endpoint: net
          template: deployments/small.yaml
          rollout:
            steps: [{percent: 10, for: 10m}, {percent: 50, for: 10m}, {percent: 100}]
            checks: [{metric: error_rate, max: 0.5}]
            min_requests: 1
  - id: canary
    event: model.registered
    where: {model: {name: canary}}
    do:
      - uses: deploy_model
        with:
          endpoint: canary
          template: deployments/small.yaml
          rollout:
            steps: [{percent: 10, for: 10m}, {percent: 100}]
            checks: [{metric: error_rate, max: 0.5}]
            min_requests: 1
"""  # noqa: E501

type Recorded = Mapping[str, OrchestrationInstance]


def figures() -> Iterator[Figure]:
    """Bytes and requests of each kind of response, and the requests of an idle hour."""
    for name, used in measure_uses().items():
        yield Figure(f"storage: {name}, stored", "kB", (used.bytes / 1000,))
        yield Figure(f"storage: {name}, requests", "requests", (used.requests,))
    yield Figure("storage: one running instance, idle", "requests/h", (idle_requests(HOUR).requests,))


@cache
def measure_responses() -> Mapping[str, Recorded]:
    """The histories of one response of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.yaml"
        rules.write_text(RULES)
        shutil.copytree(ROOT / "deployments", rules.parent / "deployments")
        return asyncio.run(record_histories(rules, RESPONSES))


def measure_uses() -> dict[str, StorageUse]:
    """The use of storage by each kind of response, and by an event that no rule matches."""
    found = {name: measure_instances(instances) for name, instances in measure_responses().items()}
    signal = StorageUse(queue_requests=1)
    found["an unmatched event"] = signal + entity_requests()
    found["an unmatched event, the ring in a blob"] = signal + entity_requests(RING)
    return found


def measure_instances(instances: Recorded) -> StorageUse:
    """The use of storage by a response: its orchestration, and those of its steps."""
    used = StorageUse()
    for one in instances.values():
        used += history_use(one) + instance_requests(one)
    return used


async def record_histories(rules: Path, kinds: Mapping[str, Callable[[Stage], str]]) -> dict[str, Recorded]:
    """Run one response of each of these kinds in a sandbox; gives the histories that each left in the hub."""
    async with Sandbox(Options(port=0, rules=rules, speed=SPEED)) as sandbox:
        on = Stage(sandbox.ready)
        found: dict[str, Recorded] = {}
        for name, perform in kinds.items():
            response = await asyncio.to_thread(perform, on)
            instances = sandbox.host.hub.instances_of(response)
            found[name] = {one.instance_id: one for one in instances}
        return found


def respond(on: Stage, function: str, event: Json) -> str:
    """The id of the response to an event, once it is done."""
    on.deliver(function, event).raise_for_status()
    return check_response(on.settled(event_id=str(event["id"])))


def roll_out(on: Stage, version: str, model: str = "net") -> str:
    """The id of the response that deploys a version: the workspace publishes that it is registered."""
    on.register(model, version, {})
    return check_response(on.settled(f"models/{model}:{version}"))


def check_response(responses: Sequence[Json]) -> str:
    """The id of the one response; raises RuntimeError if it is not done."""
    [one] = responses
    if one["status"] not in ("done", "shadow"):
        raise RuntimeError(f"the response {one['id']} is {one['status']}: {one['because']}")
    return str(one["id"])


def replace_version(on: Stage) -> str:
    """The id of the response that replaces a version in three steps, under load."""
    on.load("net", 20)
    return roll_out(on, "2")


def run_canary(on: Stage, model: str = "canary") -> str:
    """The id of the response that replaces a version in two steps, under load."""
    roll_out(on, "1", model)
    on.load(model, 20)
    return roll_out(on, "2", model)


RESPONSES: Mapping[str, Callable[[Stage], str]] = {
    "shadow response": lambda on: respond(on, "RunStatusChanged", on.run_status_changed("run-1", "Canceled")),
    "notify": lambda on: respond(on, "RunStatusChanged", on.run_status_changed("run-2", "Failed")),
    "run_data_factory_pipeline": lambda on: respond(on, "DatasetDriftDetected", on.drift_detected("m", 0.5)),
    "first deployment": lambda on: roll_out(on, "1"),
    "canary with two steps": run_canary,
    "rollout with three steps": replace_version,
}


def main() -> None:
    """Print the tables of docs/costs.md, then what they are made of."""
    responses, uses = measure_responses(), measure_uses()
    print("| response | E | A | T | R | executions | stored | of tables | of queues | requests |")
    for name, instances in responses.items():
        e, a, t, r = counts = count_work(instances)
        use = uses[name]
        numbers = (*counts, 2 + 2 * e + 2 * a + t + 2 * r, f"{use.bytes / 1000:.1f} kB")
        more = (use.table_requests, use.queue_requests, use.requests)
        print(f"| {name} | " + " | ".join(map(str, (*numbers, *more))) + " |")
    print("\n| response |" + "".join(f" {rate:,} a day |" for rate in RATES))
    for name, use in uses.items():
        print(f"| {name} |" + "".join(f" {describe_month(use, rate)} |" for rate in RATES))
    print(f"\n{uses}\npurge of 100 rows: {purge_requests(100)}\nidle: {idle_requests(HOUR)} an hour")


def count_work(instances: Recorded) -> tuple[int, ...]:
    """Calls of entities, activities, timers and sub-orchestrations."""
    kinds = [event.WhichOneof("eventType") for one in instances.values() for event in one.history]
    counted = ("entityOperationCalled", "taskScheduled", "timerCreated", "subOrchestrationInstanceCreated")
    return tuple(kinds.count(kind) for kind in counted)


def describe_month(use: StorageUse, rate: int) -> str:
    """What is stored in the end, and what 30 days cost, at so many a day."""
    purged = use + purge_requests(100) if use.bytes else use
    dollars = purged.monthly_dollars(rate * DAYS, RETENTION_DAYS)
    return f"{use.bytes * rate * RETENTION_DAYS / 1e6:,.0f} MB, ${dollars:,.2f}"


if __name__ == "__main__":
    main()
