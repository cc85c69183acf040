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
"""The calls of entities, activities, timers and sub-orchestrations: each is several requests."""
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


def is_late(kind: str, calls: tuple[int, ...]) -> bool:
    """Whether a slow machine looked once less at a pipeline that ran; another difference is an error."""
    fewer = [most - one for one, most in zip(calls, CALLS[kind], strict=True)]
    if kind == "run_data_factory_pipeline" and fewer == [0, 1, 1, 0]:
        return True  # a look is an activity, and the timer before it
    assert calls == CALLS[kind], (kind, calls)
    return False


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        ("notify", (0, 0, 0, 0)),
        ("shadow response", (0, 1, 0, 0)),
        ("run_data_factory_pipeline", (0, 4, 3, 0)),
        ("run_data_factory_pipeline", (0, 6, 4, 0)),
    ],
)
def test_other_calls_than_the_documented_ones_are_an_error(kind: str, calls: tuple[int, ...]):
    assert not is_late(kind, CALLS[kind])
    assert is_late("run_data_factory_pipeline", (0, 4, 2, 0))
    with pytest.raises(AssertionError, match=kind):
        is_late(kind, calls)


def test_a_response_makes_these_calls_and_the_documented_requests(tmp_path: Path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    shutil.copytree(ROOT / "deployments", tmp_path / "deployments")
    arm: dict[str, tuple[int, int]] = {}
    recorded = asyncio.run(record_histories(rules, {kind: count_arm_calls(kind, arm) for kind in CALLS}))
    documented = {one["kind"]: one for one in ROW.finditer((ROOT / "docs" / "costs.md").read_text())}
    assert set(RESPONSES) <= set(documented)
    for kind in CALLS:
        used = measure_instances(recorded[kind])
        assert used.requests <= MOST_REQUESTS.get(kind, used.requests)
        if not is_late(kind, count_work(recorded[kind])):
            assert used.requests == int(documented[kind]["requests"])
            assert used.bytes / 1000 == pytest.approx(float(documented[kind]["kilobytes"]), rel=0.15)
        reads, writes = ARM_CALLS.get(kind, (0, 0))
        assert arm[kind][0] == pytest.approx(reads, abs=1), kind
        assert arm[kind][1] == writes, kind
