"""Twenty thousand events through the webhook: exact counts, the time of a delivery, and the app's memory."""

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

from bench.delivery import resident
from bench.figure import Figure
from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import ROOT, Stage, stage

EVENTS, MATCHING, AT_ONCE, SEED = 20_000, 1_000, 20, 14
PATIENCE, PAUSE = 600.0, 3.0
"""Seconds that the responses may take after the last delivery, and between two looks."""
RULES = """
version: 1
connections:
  mail: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@b.example, to: [t@b.example]}
rules:
  - id: alert
    event: run.status_changed
    where: {run: {status: failed, id: {prefix: bad-}}}
    do: [{uses: notify, with: {to: mail, subject: "${run.id}", text: failed}}]
"""


def figures() -> Iterator[Figure]:
    """The figures of one load; raises RuntimeError when an event is lost, or acts twice."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "deployments", Path(folder) / "deployments")
        rules = Path(folder) / "rules.yaml"
        rules.write_text(RULES)
        with stage(rules, 600) as on:
            yield from load(on)


def load(on: Stage) -> Iterator[Figure]:
    """Deliver all events, and wait until each that matches has acted."""
    names = [f"{'bad' if number < MATCHING else 'other'}-{number}" for number in range(EVENTS)]
    random.Random(SEED).shuffle(names)
    before, began = resident(on), time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        taken = list(pool.map(lambda name: deliver(on, on.run_status_changed(name, "Failed")), names))
    seconds = time.perf_counter() - began
    wait_for_messages(on)
    percentiles = quantiles(taken, n=100)
    what = f"{EVENTS} events, {MATCHING} of which match, {AT_ONCE} at once"
    yield Figure(what, "events/s", (EVENTS / seconds,))
    yield Figure(f"{what}: a delivery, median", "ms", (percentiles[49],))
    yield Figure(f"{what}: a delivery, 99th percentile", "ms", (percentiles[98],))
    yield Figure(f"{what}: memory before and after", "MB", (before, resident(on)))


def deliver(on: Stage, event: Json) -> float:
    """The milliseconds that one delivery takes; raises RuntimeError unless it is accepted."""
    began = time.perf_counter()
    status = on.deliver("RunStatusChanged", event).status_code
    if status != 202:
        raise RuntimeError(f"a delivery was answered with {status}")
    return (time.perf_counter() - began) * 1000


def wait_for_messages(on: Stage) -> None:
    """Wait until there is exactly one message for each event that matches."""
    wanted = Counter(f"bad-{number}" for number in range(MATCHING))
    deadline = time.monotonic() + PATIENCE
    while (found := Counter(one["subject"] for one in on.inbox())) != wanted:
        if found - wanted or time.monotonic() > deadline:
            raise RuntimeError(f"{found.total()} messages instead of {MATCHING}, {len(found)} different ones")
        time.sleep(PAUSE)
    statuses = Counter(one["status"] for one in on.responses())
    if statuses != {"done": MATCHING}:
        raise RuntimeError(f"{statuses} instead of {MATCHING} responses that are done")
