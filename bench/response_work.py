"""What one response asks of Azure: the counts that docs/costs.md states, and what follows from them.

The sandbox measures them (`python -m bench.storage`, a test compares). Queue requests and actions follow from
the counts; that those of the queues are what `storage_requests` counts is tested, too.
"""

import re
from dataclasses import dataclass
from functools import cache

from sandbox.sandbox_process import ROOT

COSTS = ROOT / "docs" / "costs.md"
ARM_CALLS = {
    "notify": (1, 0),
    "run_data_factory_pipeline": (4, 3),
    "first deployment": (35, 3),
    "canary with two steps": (39, 3),
    "rollout with three steps": (73, 4),
}
"""Reads and writes to Azure Resource Manager, as `python -m bench.arm_calls` counts them.

Those of the canary are without the deployment before it. Tests compare them with what is sent.
"""
ROW = re.compile(
    r"^\| `?(?P<kind>[^|`]+)`? \| (?P<E>\d+) \| (?P<A>\d+) \| (?P<T>\d+) \| (?P<R>\d+) \| \d+ \| [\d.]+ kB "
    r"\| \d+ \| (?P<queues>\d+) \| (?P<requests>\d+) \|$",
    re.M,
)


@dataclass(frozen=True, slots=True)
class ResponseWork:
    """Calls of entities, activities, timers and sub-orchestrations; requests to storage and to ARM."""

    kind: str
    entities: int
    activities: int
    timers: int
    orchestrations: int
    queues: int
    requests: int
    reads: int = 0
    writes: int = 0

    @property
    def turns(self) -> int:
        """Times that an orchestrator runs: its start, and each answer that it waits for."""
        answers = self.entities + self.activities + self.timers + self.orchestrations
        return 1 + answers + self.orchestrations

    @property
    def executions(self) -> int:
        """Turns, operations of entities, and activities; the delivery is not one of them."""
        return self.turns + self.entities + self.activities

    @property
    def work_items(self) -> int:
        """Messages of the one queue for activities: each is put, taken and deleted."""
        return 3 * self.activities

    @property
    def control(self) -> int:
        """Messages of the control queues, which drive orchestrators and entities."""
        return self.queues - self.work_items

    @property
    def actions(self) -> int:
        """Actions of a Durable Task Scheduler: the start, a timer, two for each call with an answer."""
        return 1 + 2 * (self.entities + self.activities + self.orchestrations) + self.timers


@cache
def read_work() -> tuple[ResponseWork, ...]:
    """Each kind of response of docs/costs.md; raises ValueError when the page has none."""
    found = tuple(map(_read_row, ROW.finditer(COSTS.read_text(encoding="utf-8"))))
    if not found:
        raise ValueError(f"{COSTS} has no table of responses: run `python -m bench.storage`")
    return found


def _read_row(row: re.Match[str]) -> ResponseWork:
    entities, activities, timers, orchestrations, queues, requests = (
        int(row[name]) for name in ("E", "A", "T", "R", "queues", "requests")
    )
    reads, writes = ARM_CALLS.get(row["kind"], (0, 0))
    return ResponseWork(
        row["kind"], entities, activities, timers, orchestrations, queues, requests, reads, writes
    )
