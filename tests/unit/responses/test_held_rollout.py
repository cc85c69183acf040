"""A rollout whose rule is held: its first look finds that, and the response waits before it starts again."""

import json
from typing import Any

import pytest

from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.orchestration.function_names import READ_HOLDS, RESPOND_TO_EVENT
from mlevents.responses.operated_response import PASSED_WORDS, UNKNOWN_WORDS
from tests.histories.recorder import Recorder
from tests.histories.scenes import (
    HELD,
    ORDER,
    RESPONSE,
    ROLLOUT,
    deploying,
    in_world,
    intervene,
    respond,
    response,
)
from tests.unit.actions.deploy_model.rollout_world import serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import OLD

AGAIN = f"{ROLLOUT}.1-2"


def ends(recorder: Recorder) -> dict[str, str]:
    return {instance: end for instance, (_, _, end) in recorder.recorded.items()}


def scheduled(recorder: Recorder, instance: str) -> list[str]:
    _, turns, _ = recorder.recorded[instance]
    return [one.taskScheduled.name for events in turns for one in events if one.HasField("taskScheduled")]


def deploy(*holds: dict[str, Any], **more: Any) -> Recorder:
    gates = more.pop("gates", {})
    return respond(serving(OLD), response(deploying(), gates=gates), holds=[*holds, {}], **more)


def test_a_rollout_that_is_not_held_looks_itself() -> None:
    recorder = deploy()
    assert ends(recorder) == {RESPONSE: "done", ROLLOUT: "done"}
    assert READ_HOLDS not in scheduled(recorder, RESPONSE)


def test_a_held_rollout_does_nothing_and_starts_again_when_it_is_released() -> None:
    recorder = deploy(HELD, HELD)
    assert ends(recorder) == {ROLLOUT: "held", AGAIN: "done", RESPONSE: "done"}
    assert scheduled(recorder, ROLLOUT) == ["PerformStep"]
    assert scheduled(recorder, RESPONSE) == [READ_HOLDS] * 3


def test_a_rollout_that_has_begun_is_not_held_when_it_starts_again() -> None:
    recorder, asked = in_world(serving(OLD), loses=lambda number: number == 1), []
    perform = recorder.perform

    def note(call: dict[str, Any]) -> dict[str, Any]:
        if call["verb"] == RolloutVerb.LOCATE:
            asked.append(call.get("unless_held", False))
        return perform(call)

    recorder.perform = note
    recorder.run(RESPOND_TO_EVENT, RESPONSE, response(deploying()))
    assert ends(recorder)[AGAIN] == "done"
    assert asked == [True, False]


def test_with_a_gate_the_hold_is_read_before_it() -> None:
    recorder = deploy(HELD, gates=ORDER)
    assert ends(recorder) == {RESPONSE: "done", ROLLOUT: "done"}
    assert scheduled(recorder, RESPONSE)[:3] == [READ_HOLDS, READ_HOLDS, "PerformStep"]


@pytest.mark.parametrize(
    ("verb", "turn", "look", "end"),
    [("cancel", 1, "stopped", "stopped"), ("abort", 1, "failed", "failed"), ("cancel", 3, "held", "stopped")],
)
def test_what_an_operator_ends_does_not_start_again(verb: str, turn: int, look: str, end: str) -> None:
    """The verb comes during the first look, which is the first turn of both, or while the response waits."""
    recorder = deploy(HELD, HELD, raises=intervene(verb, turn))
    assert ends(recorder) == {ROLLOUT: look, RESPONSE: end}


@pytest.mark.parametrize("found", [[[1, 0], [2, 1]], [[1, 0], [2, 0]]])
def test_a_verb_reaches_a_rollout_that_is_about_to_start_again(found: list[list[int]]) -> None:
    """The verb comes in the turn that starts it: the one that was held exists, and has ended."""
    raises = intervene("promote", 5)
    recorder = in_world(serving(OLD), holds=[HELD, {}], found=list(found))
    recorder.raises = lambda instance, turn: raises(instance, turn) if instance == RESPONSE else []
    done = recorder.run(RESPOND_TO_EVENT, RESPONSE, response(deploying()))
    assert ends(recorder) == {ROLLOUT: "held", AGAIN: "done", RESPONSE: "done"}
    assert [message[0] for message in recorder.sent] == [ROLLOUT, ROLLOUT]
    [entry] = json.loads(done.result.value)["log"]
    assert entry["effect"] == (PASSED_WORDS.format("deploy") if found[1] == [2, 1] else UNKNOWN_WORDS)
