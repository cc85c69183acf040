"""The worker dies inside an entity operation, and durabletask cannot read what the extension answers then.

In Microsoft's own executor: the orchestration that called ends as Failed with JSONDecodeError.
"""

import json
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from mlevents.orchestration.messages import Response
from mlevents.orchestration.versions import CURRENT
from mlevents.responses.sweep_decision import Ended, rerun_response
from tests.histories.recorder import Recorder, ending
from tests.histories.scenes import ORDER, RESPONSE, deploying, in_world, response, step
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import NEW, OLD, call
from tests.unit.actions.deploy_model.test_rollout_lease import ALONE, STARTS, must_be_free

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:azure.functions")
SHORT = {"steps": [{"percent": 10, "for": "3m"}], "checks": [{"metric": "error_rate", "max": 0.02}]}
DEPLOYING_CALL = call(SHORT)
DEPLOYING = response(deploying(SHORT), step("tell"))
ANSWERED_RELEASE = "2"
"""The last version of the orchestrators that waits for an answer when it releases a lease."""


def responded(
    lost: set[int],
    text: str = DEPLOYING,
    version: str = CURRENT,
    old: dict[str, int] = OLD,
    effective: bool = False,
) -> tuple[Recorder, World, list[str], str]:
    """What came of a response, these entity calls (counted from 1) getting no readable answer."""
    world, performed = serving(old), []
    recorder = in_world(world, loses=lambda number: number in lost, effective=effective)
    perform = recorder.perform

    def counted(asked: dict[str, Any]) -> dict[str, Any]:
        performed.append(asked["step"]["id"])
        return perform(asked)

    recorder.perform = counted
    end = ending(recorder.run(RESPOND_TO_EVENT, RESPONSE, text, version))
    world.advance(600.0)
    return recorder, world, performed, end


def maps(world: World) -> dict[str, int]:
    assert world.endpoint_state
    return {name: share for name, share in world.endpoint_state.traffic.items() if share}


def number_of_calls(old: dict[str, int] = OLD) -> int:
    return responded(set(), old=old)[0].entity_calls


@STARTS
def test_one_lost_answer_at_any_call_loses_nothing_and_does_nothing_twice(old: dict[str, int]) -> None:
    for number in range(1, number_of_calls(old) + 1):
        recorder, world, performed, end = responded({number}, old=old)
        assert end == "done", number
        assert maps(world) == NEW
        assert performed.count("tell") == 1
        assert world.writes.count("put deployment net-9") <= 2, "again only after it was taken back"
        must_be_free(recorder.entities)


@STARTS
def test_an_answer_that_is_lost_after_its_call_had_its_effect_loses_nothing(old: dict[str, int]) -> None:
    for number in range(1, number_of_calls(old) + 1):
        recorder, world, performed, end = responded({number}, old=old, effective=True)
        assert (end, maps(world), performed.count("tell")) == ("done", NEW, 1), number
        must_be_free(recorder.entities)


@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate])
@example(lost={2, 4})
@example(lost={6, 9, 14, 19})
@example(lost={2, 9, 12, 14})
@example(lost={6, 8, 13, 19, 20})
@example(lost={2, 8, 14, 15, 16, 17})
@given(lost=st.sets(st.integers(1, 20), min_size=2, max_size=6))
def test_any_number_of_lost_answers_leaves_the_old_or_the_new_map_and_a_free_lease(lost: set[int]) -> None:
    recorder, world, performed, end = responded(lost)
    assert end in ("done", "failed")
    swept = lost_all_restorations(recorder)
    if swept:
        recorder.loses = lambda _: False
        asked = recovery(recorder)
        recorder.run("RestoreTraffic", f"{RESPONSE}.swept", asked)  # as the sweeper does
        world.advance(600.0)
    assert maps(world) in ([NEW] if end == "done" else [OLD, NEW] if swept else [OLD])
    assert end == "done" or len(lost) > 2
    assert performed.count("tell") == (end == "done")
    assert performed.count("on_failure.alarm") == (end == "failed")
    must_be_free(recorder.entities)


def recovery(recorder: Recorder) -> str:
    """The request to recover what all the rollouts so far left, as JSON text."""
    return json.dumps({"call": json.loads(DEPLOYING_CALL), "holders": list(recorder.recorded)})


def lost_all_restorations(recorder: Recorder) -> bool:
    kinds = [(name, end) for name, _, end in recorder.recorded.values()]
    return kinds.count(("RestoreTraffic", "json.decoder.JSONDecodeError")) == 3


@pytest.mark.parametrize("lost", [{6}, {6, 9}, {6, 8, 9}, {6, 9, 12}, {6, 7, 8}, {2, 9, 12, 14}])
def test_a_rollout_that_had_completed_is_done_though_all_its_answers_were_lost(lost: set[int]) -> None:
    """Call 6 releases the lease; since version 3 that is a signal, which nobody answers."""
    recorder, world, performed, end = responded(lost, version=ANSWERED_RELEASE)
    assert (end, maps(world), performed.count("tell")) == ("done", NEW, 1)
    assert world.writes.count("put deployment net-9") == 1
    must_be_free(recorder.entities)


def test_the_next_version_takes_over_from_a_rollout_that_had_completed() -> None:
    """The new traffic stays: nothing is put back for a rollout of which only the answer was lost."""
    recorder, world, _, _ = responded({6, 8, 10, 12, 14, 16}, version=ANSWERED_RELEASE)
    assert maps(world) == NEW
    recorder.loses = lambda _: False
    asked = recovery(recorder)
    recorder.run("RestoreTraffic", f"{RESPONSE}.swept", asked)
    assert maps(world) == NEW
    must_be_free(recorder.entities)


@STARTS
def test_a_release_that_is_still_on_its_way_puts_nothing_back(old: dict[str, int]) -> None:
    """A host that dies keeps messages for a minute; meanwhile others find that the holder has ended."""
    world = serving(old)
    recorder = in_world(world)
    recorder.delivers_signals = False
    assert ending(recorder.run(RESPOND_TO_EVENT, RESPONSE, DEPLOYING)) == "done"
    [state] = [json.loads(text) for text in recorder.entities.values()]
    assert bool(state["holder"]) is (old != ALONE), "with nothing to delete, no signal is needed"
    assert maps(world) == NEW
    recorder.delivers_signals = True
    recorder.run("RestoreTraffic", f"{RESPONSE}.next", recovery(recorder))
    assert maps(world) == NEW
    must_be_free(recorder.entities)


def test_a_response_whose_own_entity_gave_no_answer_is_run_again_by_the_sweeper() -> None:
    text = response(step("one"), gates=ORDER)
    recorder, _, performed, end = responded({1}, text)
    assert (end, performed) == ("json.decoder.JSONDecodeError", [])
    lost = Response.from_json(json.loads(text))
    again = json.dumps(rerun_response(lost, Ended(lost, False, end)).to_json())
    assert ending(recorder.run(RESPOND_TO_EVENT, RESPONSE, again)) == "done"
    assert performed == ["one"]


def test_a_rollout_that_was_lost_too_often_is_restored() -> None:
    for first in range(1, number_of_calls() + 1, 2):
        recorder, world, performed, end = responded({first, first + 2, first + 4})
        assert maps(world) == (OLD if end == "failed" else NEW)
        assert performed.count("on_failure.alarm") == (end == "failed")
        must_be_free(recorder.entities)
