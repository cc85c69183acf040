"""What is stored with a response stays within its limits, whatever the texts in it are made of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.orchestration.messages import Call
from mlevents.orchestration.size_limits import (
    CUSTOM_STATUS_UNITS,
    cut_document,
    cut_name,
    cut_text,
    json_units,
)
from mlevents.orchestration.step_record import StepRecord
from mlevents.orchestration.step_status import PhaseRecord
from mlevents.responses.custom_status import cut_outcome, cut_outline
from mlevents.responses.response_outcome import EventOutline, ResponseOutcome
from tests.unit.actions.deploy_model.test_rollout_exhaustive import call
from tests.unit.responses.replay import Context

ANY_CHARACTER = st.characters(codec=None)
"""Lone surrogates, characters beyond the basic plane and control characters among them."""
TEXTS = st.text(ANY_CHARACTER, max_size=60) | st.builds(
    lambda character, times: character * times,
    ANY_CHARACTER | st.sampled_from(['"', "\\", "\n", "\x7f", "ü", "\ud800", "\U0001f600"]),
    st.integers(0, 20_000),
)
STATUSES = st.sampled_from(["waiting", "running", "done", "skipped", "failed", "stopped"])
RECORDS = st.builds(StepRecord, TEXTS, TEXTS, STATUSES, TEXTS)
STEPS = st.lists(RECORDS, max_size=5).flatmap(
    lambda lines: st.integers(0, 60).map(lambda times: lines * times)
)
EVENTS = st.builds(EventOutline, TEXTS, TEXTS, TEXTS, st.none() | TEXTS)


def bytes_of(status: Any) -> int:
    """What Durable Functions counts: the JSON that durabletask makes of it, in UTF-16."""
    return len(json.dumps(status).encode("utf-16-le"))


OUTCOMES = st.builds(
    ResponseOutcome, st.none() | TEXTS, EVENTS, STATUSES, st.none() | TEXTS, STEPS.map(tuple), TEXTS
)


@given(outcome=OUTCOMES)
def test_a_custom_status_fits_in_every_case(outcome):
    assert bytes_of(cut_outcome(outcome).to_json()) <= 2 * CUSTOM_STATUS_UNITS < 16 * 1024


def test_a_custom_status_that_fits_is_not_cut():
    event = EventOutline("e1", "model.registered", "models/netü:7", None)
    steps = (StepRecord("one", "notify", "done", "ü" * 100),)
    outcome = ResponseOutcome("r", event, "done", None, steps, "/t")
    assert cut_outcome(outcome) == outcome


def test_of_too_many_steps_the_one_that_failed_stays_and_the_others_are_counted():
    steps = [StepRecord(f"{'s' * 90}{n}", "notify", "skipped", "") for n in range(300)]
    steps[3] = StepRecord(steps[3].id, "notify", "failed", "")
    event = EventOutline("e", "t", "s")
    found = cut_outcome(ResponseOutcome("r", event, "failed", "step 3", tuple(steps), "/t"))
    assert found.steps[0].id == steps[3].id
    assert found.steps[-1].id == steps[-1].id
    assert len(found.steps) + found.omitted == 300


@given(text=TEXTS, units=st.integers(0, 500))
def test_a_text_is_cut_to_its_units_and_no_shorter_than_needed(text, units):
    cut = cut_text(text, units)
    assert json_units(cut) - 2 <= units
    assert cut == text or json_units(text) - 2 > units
    assert cut == text or units < 18 or json_units(cut) - 2 > units - 18


@given(text=TEXTS, units=st.integers(30, 500))
def test_a_name_is_cut_to_its_units(text, units):
    assert json_units(cut_name(text, units)) - 2 <= units


def test_two_names_that_begin_alike_stay_different_and_one_stays_the_same():
    one, other = "x" * 5000 + "1", "x" * 5000 + "2"
    assert cut_name(one, 100) != cut_name(other, 100)
    assert cut_name(cut_name(one, 100), 100) == cut_name(one, 100)
    assert cut_outline(EventOutline(one)).id != cut_outline(EventOutline(other)).id


DOCUMENTS = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.integers() | TEXTS,
        lambda inner: st.lists(inner, max_size=300) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)


@given(document=DOCUMENTS, units=st.integers(200, 20_000))
def test_a_document_is_cut_to_its_units(document, units):
    cut = cut_document(document, units)
    assert json_units(cut) <= units
    assert cut == document or json_units(document) > units


@pytest.mark.parametrize("size", [10, 100_000])
def test_of_a_long_list_the_end_stays(size):
    cut = cut_document({"log": [f"line {n}" for n in range(size)]}, 4000)
    assert cut["log"][-1] == f"line {size - 1}"


@given(text=TEXTS, lines=st.integers(0, 200))
def test_what_a_rollout_shows_fits_in_every_case(text, lines):
    context = Context(lambda _: {})
    run = RolloutRun(context, Call.from_json(json.loads(call())))
    run.phases = [PhaseRecord(text[:40], 1.0, text[:150]) for _ in range(lines)]
    run.report["log"] = [text] * lines
    run.publish(text)
    assert bytes_of(context.shown[-1]) <= 2 * CUSTOM_STATUS_UNITS
