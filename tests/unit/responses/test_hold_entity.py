"""The entity Holds: repeated, late and reordered messages lead to the same state."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as some

from mlevents.orchestration.intervention import HOLD_VERB, RELEASE_VERB, Intervention
from mlevents.orchestration.serialization import to_text
from mlevents.responses.holds import (
    COMPLETE,
    EVERYTHING,
    MOST_VERBS,
    HoldChange,
    HoldState,
    keep_holds,
    read_hold_state,
)

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SCOPES = (EVERYTHING, "deploy", "retrain")


class Holds:
    """The entity with what it stores."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.operation = ""

    def get_state(self, _: type) -> str | None:
        return self.text

    def set_state(self, text: str) -> None:
        self.text = text

    def change(self, operation: str, scope: str, intervention: Intervention) -> HoldState:
        self.operation = operation
        keep_holds(cast(Any, self), to_text(HoldChange(scope, intervention).to_json()))
        return read_hold_state(self.text)


def verb(name: str, second: float, number: int = 0) -> Intervention:
    time = (BEGAN + timedelta(seconds=second)).isoformat()
    return Intervention(f"{name}-{second}-{number}", name, "ann", "why", time)


Message = tuple[str, str, Intervention]


@some.composite
def histories(draw: some.DrawFn) -> list[Message]:
    """Verbs of operators in the order of their times, none at the same moment."""
    chosen = draw(
        some.lists(some.tuples(some.sampled_from((HOLD_VERB, RELEASE_VERB)), some.sampled_from(SCOPES)))
    )
    return [(name, scope, verb(name, second)) for second, (name, scope) in enumerate(chosen)]


def send(messages: list[Message]) -> HoldState:
    holds = Holds()
    for message in messages:
        holds.change(*message)
    return read_hold_state(holds.text)


@given(history=histories(), data=some.data())
def test_every_order_of_messages_and_every_repetition_holds_the_same(
    history: list[Message], data: some.DataObject
):
    again = data.draw(some.lists(some.sampled_from(history))) if history else []
    mixed = data.draw(some.permutations(history + again))
    expected, found = send(history), send(mixed)
    assert (set(found.holds), found.held, found.released) == (
        set(expected.holds),
        expected.held,
        expected.released,
    )
    last = {scope: name for name, scope, _ in history}
    assert set(found.holds) == {scope for scope, name in last.items() if name == HOLD_VERB}
    assert found.holds.keys().isdisjoint(found.releases)


@given(history=histories(), data=some.data())
def test_what_was_held_is_released_in_order_whatever_comes_again(
    history: list[Message], data: some.DataObject
):
    """Responses that waited are never forgotten: the end of a hold begins a release."""
    holds = Holds()
    for operation, scope, intervention in history:
        was_held = scope in read_hold_state(holds.text).holds
        state = holds.change(operation, scope, intervention)
        if operation == RELEASE_VERB and was_held:
            assert state.releases[scope] == intervention
        before = holds.text
        for message in data.draw(
            some.lists(some.sampled_from(history[: history.index((operation, scope, intervention)) + 1]))
        ):
            holds.change(*message)
        assert holds.text == before


def test_the_first_of_two_holds_keeps_its_reason():
    holds = Holds()
    first, second = verb(HOLD_VERB, 1), verb(HOLD_VERB, 2)
    holds.change(HOLD_VERB, "deploy", first)
    assert holds.change(HOLD_VERB, "deploy", second).holds == {"deploy": first}


def test_a_late_release_does_not_end_a_later_hold():
    holds = Holds()
    holds.change(HOLD_VERB, "deploy", verb(HOLD_VERB, 1))
    holds.change(HOLD_VERB, "deploy", verb(HOLD_VERB, 3))
    assert set(holds.change(RELEASE_VERB, "deploy", verb(RELEASE_VERB, 2)).holds) == {"deploy"}


def test_a_release_is_complete_once_and_only_by_its_own_message():
    holds = Holds()
    first, second = verb(RELEASE_VERB, 2), verb(RELEASE_VERB, 4)
    holds.change(HOLD_VERB, "deploy", verb(HOLD_VERB, 1))
    holds.change(RELEASE_VERB, "deploy", first)
    holds.change(HOLD_VERB, "deploy", verb(HOLD_VERB, 3))
    holds.change(RELEASE_VERB, "deploy", second)
    assert holds.change(COMPLETE, "deploy", first).releases == {"deploy": second}
    assert holds.change(COMPLETE, "deploy", second).releases == {}
    assert holds.change(RELEASE_VERB, "deploy", second).releases == {}


def test_a_verb_is_later_than_those_that_its_caller_knew():
    """The clocks of two instances of the app differ: a release counts though its clock is behind."""
    holds = Holds()
    state = holds.change(HOLD_VERB, "deploy", verb(HOLD_VERB, 60))
    time = state.choose_time("deploy", BEGAN)
    assert time > BEGAN + timedelta(seconds=60)
    release = Intervention("r", RELEASE_VERB, "ann", "", time.isoformat())
    assert holds.change(RELEASE_VERB, "deploy", release).holds == {}
    assert state.choose_time("retrain", BEGAN) == BEGAN


def test_what_is_remembered_of_verbs_is_bounded():
    holds = Holds()
    for second in range(MOST_VERBS + 10):
        state = holds.change(HOLD_VERB, "deploy", verb(HOLD_VERB, second))
    assert len(state.verbs) == MOST_VERBS
