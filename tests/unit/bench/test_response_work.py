"""What docs/costs.md and docs/scale.md say that a deployment asks, compared with what its orchestrators ask.

They run in Microsoft's executor and in a made-up Azure on a virtual clock, so the counts are always the same.
In the sandbox, which the pages are measured with, a slow machine may look once more or less.
"""

from collections import Counter
from typing import Any

import pytest

from bench.response_work import ARM_CALLS, read_work
from tests.histories.recorder import Recorder
from tests.histories.scenes import ORDER, deploying, respond, response
from tests.unit.actions.deploy_model.rollout_world import World, serving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:azure.functions")
CHECKED = {"checks": [{"metric": "error_rate", "max": 0.5}], "min_requests": 1}
TEN, HALF, ALL = {"percent": 10, "for": "10m"}, {"percent": 50, "for": "10m"}, {"percent": 100}
CANARY, ROLLOUT = {**CHECKED, "steps": [TEN, ALL]}, {**CHECKED, "steps": [TEN, HALF, ALL]}
KINDS: dict[str, tuple[Any, ...]] = {
    "first deployment": (World(), ROLLOUT, ORDER, (3, 17, 10, 1)),
    "canary with two steps": (serving({"net-1": 100}), CANARY, {}, (2, 14, 10, 1)),
    "rollout with three steps": (serving({"net-1": 100}), ROLLOUT, ORDER, (2, 24, 16, 1)),
}
"""Azure, rollout and gates; then calls of entities, activities, timers and sub-orchestrations."""


def count_calls(recorder: Recorder) -> tuple[int, ...]:
    turns = [one for _, turns, _ in recorder.recorded.values() for turn in turns for one in turn]
    kinds = Counter(event.WhichOneof("eventType") for event in turns)
    counted = ("eventSent", "taskScheduled", "timerCreated", "subOrchestrationInstanceCreated")
    return tuple(kinds[kind] for kind in counted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deployment_asks_what_the_pages_say(kind: str) -> None:
    world, rollout, gates, calls = KINDS[kind]
    recorder = respond(world, response(deploying(rollout), gates=gates))
    assert {end for _, _, end in recorder.recorded.values()} == {"done"}
    assert count_calls(recorder) == calls, "each call is several requests of storage: see docs/costs.md"
    [stated] = [one for one in read_work() if one.kind == kind]
    assert (stated.entities, stated.orchestrations) == (calls[0], calls[3])
    assert stated.activities == pytest.approx(calls[1], abs=1)
    assert stated.timers == pytest.approx(calls[2], abs=1)
    verbs = Counter(call.split()[0] for call in world.calls)
    reads, writes = ARM_CALLS[kind]
    assert writes == verbs["put"]
    assert reads == pytest.approx(verbs["read"] + verbs["list"], rel=0.15)
