"""From the webhook on: the whole app on the sandbox, in a process of its own."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from bench.figure import Figure
from mlevents.services.machine_learning.online_endpoints import ENDPOINTS_API
from sandbox.azure.errors import LOCATION
from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import Stage, stage, until

FRAUD = {"stage": "production", "accuracy": "0.95"}
PRELOADED = 3.0
"""Seconds after which a worker has loaded what it needs, in the background."""
EVENTS, COPIES, AT_ONCE, RUNS = 1000, 200, 50, 5
RECENT_EVENTS = "MLEVENTS_RECENT_EVENTS"


def figures() -> Iterator[Figure]:
    """Latency to the first write; memory after many events; copies of one event."""
    yield from first_writes()
    with stage(speed=240) as on:
        yield non_matching(on)
        yield copies(on)
    yield from recent_events()


def first_writes() -> Iterator[Figure]:
    """From the webhook to the first write: by a worker that has just started, has waited, or has acted."""
    for what, create in (("a new endpoint", False), ("an endpoint that exists", True)):
        started, waited, acted = list[float](), list[float](), list[float]()
        for _ in range(RUNS):
            for found, pause in ((started, 0.0), (waited, PRELOADED)):
                with stage(speed=240) as on:
                    time.sleep(pause)
                    found.append(first_write(on, "fraud-cold", create))
                    acted.append(first_write(on, "fraud-warm", create))
        yield Figure(f"webhook → first ARM write, worker just started, {what}", "s", tuple(started), 2)
        yield Figure(f"webhook → first ARM write, worker has waited, {what}", "s", tuple(waited), 1)
        yield Figure(f"webhook → first ARM write, worker has acted, {what}", "s", tuple(acted), 1)


def first_write(on: Stage, model: str, create: bool) -> float:
    """Seconds from the delivery's POST to the first PUT that it leads to.

    With `create` the endpoint exists before, so this is the PUT of the deployment.
    """
    if create:
        create_endpoint(on, model)
    on.register(model, "1", {"stage": "dev"})
    event = on.model_registered(model, "1", FRAUD)
    started = time.time()
    on.deliver("ModelRegistered", event).raise_for_status()

    def write() -> list[Json]:
        seen = on.requests_seen("PUT")
        return [one for one in seen if one["who"] == "app" and f"/onlineEndpoints/{model}" in one["path"]]

    [seen, *_] = until(write, 30, lambda: f"no PUT of endpoint {model}")
    on.settled(event_id=event["id"])
    return datetime.fromisoformat(seen["time"]).timestamp() - started


def create_endpoint(on: Stage, name: str) -> None:
    """Create an endpoint as its owner does, and wait until it is ready."""
    path = f"{on.workspace}/onlineEndpoints/{name}?api-version={ENDPOINTS_API}"
    body = {"location": LOCATION, "identity": {"type": "SystemAssigned"}, "properties": {"authMode": "Key"}}
    on.arm(path, "PUT", body)
    until(
        lambda: on.arm(path)["properties"]["provisioningState"] == "Succeeded",
        30,
        lambda: f"endpoint {name} is not ready",
    )


def non_matching(on: Stage) -> Figure:
    """Three thousand events that match no rule: the memory that the second and the third thousand add."""
    memory = [resident(on)]
    for _ in range(3):
        delivery_seconds(on, EVENTS)
        memory.append(resident(on))
    if on.responses():
        raise RuntimeError("an event that matches nothing was stored")
    what = "memory gained by the second and third thousand events that match nothing"
    return Figure(what, "MB", (memory[2] - memory[1], memory[3] - memory[2]))


def recent_events() -> Iterator[Figure]:
    """What recent events cost deliveries: two apps at once, with and without, round by round."""
    with stage(speed=240) as kept, without_recent_events() as off:
        sides = {"on": kept, "off": off}
        alone: dict[str, list[float]] = {name: [] for name in sides}
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(RUNS):
            for name, on in sides.items():
                time.sleep(1)
                alone[name].append(delivery_seconds(on, 1) * 1000)
                rates[name].append(EVENTS / delivery_seconds(on, EVENTS))
    for name in sides:
        yield Figure(f"one delivery alone, recent events {name}", "ms", tuple(alone[name]))
        what = f"{EVENTS} events that match nothing, {AT_ONCE} at once, recent events {name}"
        yield Figure(what, "events/s", tuple(rates[name]))


@contextmanager
def without_recent_events() -> Iterator[Stage]:
    """A sandbox whose app stores none."""
    os.environ[RECENT_EVENTS] = "0"
    try:
        with stage(speed=240) as on:
            yield on
    finally:
        del os.environ[RECENT_EVENTS]


def delivery_seconds(on: Stage, events: int) -> float:
    """Seconds to deliver so many events that match nothing."""
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda number: deliver_other(on, number), range(events)))
    if answers != [202] * events:
        raise RuntimeError("an event that matches nothing was not accepted")
    return time.perf_counter() - started


def deliver_other(on: Stage, number: int) -> int:
    """The status of one delivery that matches nothing."""
    return on.deliver("ModelRegistered", on.model_registered("other", str(number), {})).status_code


def copies(on: Stage) -> Figure:
    """Two hundred copies of one matching event at once: exactly one response and one deployment."""
    on.register("fraud-copies", "1", {"stage": "dev"})
    event = on.model_registered("fraud-copies", "1", FRAUD)
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: on.deliver("ModelRegistered", event).raise_for_status(), range(COPIES)))
    seconds = time.perf_counter() - started
    responses = on.settled(event_id=event["id"])
    puts = [one for one in on.requests_seen("PUT") if "/fraud-copies/deployments/" in one["path"]]
    if len(responses) != 1 or len(puts) != 1:
        raise RuntimeError(f"{len(responses)} responses and {len(puts)} deployments instead of one")
    return Figure(f"{COPIES} copies of one event, {AT_ONCE} at once: one response", "s", (seconds,))


def resident(on: Stage) -> float:
    """The resident memory of the app's process in MB."""
    status = Path(f"/proc/{on.host()['pid']}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
