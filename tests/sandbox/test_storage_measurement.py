"""The calls of the task hub that a response makes in the sandbox, and the storage that the docs state."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from bench.storage import RESPONSES, RULES, count_work, measure_instances, record_histories
from sandbox.sandbox_process import ROOT

CALLS = {"shadow response": (0, 0, 0, 0), "notify": (0, 1, 0, 0)}
"""Calls of entities, activities, timers and sub-orchestrations: each is several requests of storage."""
MOST_REQUESTS = {"notify": 22}
ROW = re.compile(r"^\| `?(?P<kind>[^|`]+)`? \|.* (?P<kilobytes>[\d.]+) kB \|.* (?P<requests>\d+) \|$", re.M)


def test_a_response_makes_these_calls_and_the_documented_requests(tmp_path: Path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments")
    recorded = asyncio.run(record_histories(rules, CALLS))
    documented = {one["kind"]: one for one in ROW.finditer((ROOT / "docs" / "costs.md").read_text())}
    assert set(RESPONSES) <= set(documented)
    for kind, calls in CALLS.items():
        used = measure_instances(recorded[kind])
        assert count_work(recorded[kind]) == calls, kind
        assert used.requests <= MOST_REQUESTS.get(kind, used.requests)
        assert used.requests == int(documented[kind]["requests"])
        assert used.bytes / 1000 == pytest.approx(float(documented[kind]["kilobytes"]), rel=0.15)
