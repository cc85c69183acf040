"""The activity that performs steps looks first, where it is asked to, whether an operator holds the rule."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.intervention import HOLD_VERB, RELEASE_VERB, Intervention
from mlevents.orchestration.messages import Response
from mlevents.orchestration.serialization import to_text
from mlevents.responses.holds import EVERYTHING, HoldState
from mlevents.responses.step_activity import perform
from mlevents.responses.step_input import begin_call
from mlevents.settings import Settings
from tests.unit.responses.test_respond import document, step

AT = "2026-01-01T00:00:00+00:00"
HELD = HoldState({"rule": Intervention("1", HOLD_VERB, "ann", "", AT)}, {})
RELEASED = HoldState({}, {EVERYTHING: Intervention("1", RELEASE_VERB, "ann", "", AT)})
OTHERS = HoldState({"other": Intervention("1", HOLD_VERB, "ann", "", AT)}, {})


class Hub(Any):
    """A task hub in which the entity has this state, or cannot be read."""

    def __init__(self, state: HoldState | None) -> None:
        self.state = state

    def get_entity(self, _: Any) -> Any:
        if self.state is None:
            raise ConnectionError
        text = to_text(self.state.to_json())
        return SimpleNamespace(get_typed_state=lambda _: text)


def attempt(state: HoldState | None, *, unless_held: bool) -> AnswerKind:
    response = Response.from_json(document(steps=[step("one", uses="nothing")]))
    call = replace(begin_call(response, response.steps[0]), unless_held=unless_held)
    text = perform(to_text(call.to_json()), Settings(environment={}), Hub(state))
    return Answer.from_json(json.loads(text)).kind


@pytest.mark.parametrize("state", [HELD, RELEASED, None], ids=["held", "released", "unknown"])
def test_a_first_attempt_performs_nothing_before_its_turn(state: HoldState | None) -> None:
    assert attempt(state, unless_held=True) is AnswerKind.HELD
    assert attempt(state, unless_held=False) is AnswerKind.FAILED, "performed: there is no such action"


def test_a_first_attempt_is_performed_where_nobody_holds_the_rule() -> None:
    assert attempt(OTHERS, unless_held=True) is AnswerKind.FAILED
