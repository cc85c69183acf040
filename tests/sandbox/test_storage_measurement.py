"""The calls of the task hub that a response makes in the sandbox, and the storage that the docs state."""

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.arm_calls import list_methods
from bench.response_work import ARM_CALLS
from bench.storage import RESPONSES, RULES, count_work, measure_instances, record_histories
from sandbox.sandbox_process import ROOT, Stage

CALLS = {
    "shadow response": (0, 0, 0, 0),
    "notify": (0, 1, 0, 0),
    "run_data_factory_pipeline": (0, 5, 3, 0),
}
"""The most calls of entities, activities, timers and sub-orchestrations: each is several requests."""
MOST_REQUESTS = {"notify": 22}
ROW = re.compile(r"^\| `?(?P<kind>[^|`]+)`? \|.* (?P<kilobytes>[\d.]+) kB \|.* (?P<requests>\d+) \|$", re.M)


def count_arm_calls(kind: str, counted: dict[str, tuple[int, int]]) -> Callable[[Stage], str]:
    """Performs a response of this kind, and counts its reads and writes at Resource Manager."""

    def perform(on: Stage) -> str:
        before = len(list_methods(on))
        response = RESPONSES[kind](on)
        methods = list_methods(on)[before:]
        counted[kind] = methods.count("GET"), len(methods) - methods.count("GET")
        return response

    return perform


def test_a_response_makes_these_calls_and_the_documented_requests(tmp_path: Path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments")
    arm: dict[str, tuple[int, int]] = {}
    recorded = asyncio.run(record_histories(rules, {kind: count_arm_calls(kind, arm) for kind in CALLS}))
    documented = {one["kind"]: one for one in ROW.finditer((ROOT / "docs" / "costs.md").read_text())}
    assert set(RESPONSES) <= set(documented)
    for kind, most in CALLS.items():
        used, calls = measure_instances(recorded[kind]), count_work(recorded[kind])
        is_late = calls != most  # a slow machine looks less often at a pipeline that runs
        assert all(one <= bound for one, bound in zip(calls, most, strict=True)), (kind, calls)
        assert used.requests <= MOST_REQUESTS.get(kind, used.requests)
        assert is_late or used.requests == int(documented[kind]["requests"])
        assert is_late or used.bytes / 1000 == pytest.approx(float(documented[kind]["kilobytes"]), rel=0.15)
        reads, writes = ARM_CALLS.get(kind, (0, 0))
        assert arm[kind][0] == pytest.approx(reads, abs=1), kind
        assert arm[kind][1] == writes, kind
