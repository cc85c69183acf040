"""The storage that docs/costs.md states for a response is what one takes in the sandbox."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from bench.storage import RESPONSES, RULES, measure_instances, record_histories
from sandbox.sandbox_process import ROOT

KINDS = ("shadow response", "notify")
ROW = re.compile(r"^\| `?(?P<kind>[^|`]+)`? \|.* (?P<kilobytes>[\d.]+) kB \|.* (?P<requests>\d+) \|$", re.M)


def test_the_documented_bytes_and_requests_are_measured(tmp_path: Path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments")
    recorded = asyncio.run(record_histories(rules, KINDS))
    documented = {one["kind"]: one for one in ROW.finditer((ROOT / "docs" / "costs.md").read_text())}
    assert set(RESPONSES) <= set(documented)
    for kind in KINDS:
        used = measure_instances(recorded[kind])
        assert used.requests == int(documented[kind]["requests"])
        assert used.bytes / 1000 == pytest.approx(float(documented[kind]["kilobytes"]), rel=0.15)
