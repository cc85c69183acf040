"""What is stored with a response stays within its limits, whatever the texts in it are made of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.deploy_model.phases import RolloutRun
from mlevents.gates.approve.terms import ApprovalTerms
from mlevents.gates.gate import gate
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.messages import Call, Response
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
from mlevents.responses.gate_record import GateRecord
from mlevents.responses.response_outcome import EventOutline, ResponseOutcome
from mlevents.responses.response_record import outcome_of
from tests.histories.recorder import BEGAN
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


def waiting_at_every_gate(approvers: list[str], steps: int) -> ResponseOutcome:
    """A response with the longest texts everywhere, which has passed all gates and waits for an approval."""
    long = "ü" * 2000
    about: dict[str, Any] = {
        "key": "k" * 16,
        "place": "approve",
        "hash": "h" * 64,
        "by": approvers,
        "not_by": "author",
    }
    about["author"] = {"name": "a" * 128, "type": "ServicePrincipal"}
    said = [
        GateRecord(name, "waiting", long, BEGAN.isoformat(), about if name == "approve" else {})
        for name in gate.names()
    ]
    entry = Intervention(f"approve-{'k' * 16}", "approve", long, long, BEGAN.isoformat(), effect=long)
    records = tuple(StepRecord(f"step-{n}", "notify", "waiting", long) for n in range(steps))
    event = EventOutline(long, long, long, "2" * 64)
    return ResponseOutcome(long, event, "waiting", long, records, long, log=(entry,) * 6, gates=tuple(said))


@pytest.mark.parametrize("steps", [0, 1, 100])
def test_a_custom_status_with_all_gates_fits_and_keeps_what_the_api_reads(steps: int):
    approvers = [f"{n:04}@example.com".rjust(46, "x") for n in range(20)]
    assert ApprovalTerms.model_validate({"ask": "people", "within": "8h", "by": approvers})
    outcome = waiting_at_every_gate(approvers, steps)
    found = cut_outcome(outcome)
    assert bytes_of(found.to_json()) <= 2 * CUSTOM_STATUS_UNITS
    assert [(one.gate, one.about) for one in found.gates] == [(one.gate, one.about) for one in outcome.gates]
    assert found.log[-1].id == outcome.log[-1].id
    assert len(found.steps) + found.omitted == steps


def test_approvers_that_would_not_fit_are_refused_when_the_rules_load():
    with pytest.raises(ValueError, match="1,000 are possible: write the object id of a group"):
        ApprovalTerms.model_validate({"ask": "people", "within": "8h", "by": ["ü" * 100, "ä" * 100]})


def test_steps_are_omitted_once_also_beside_gates():
    steps = tuple(StepRecord(f"{'s' * 90}{n}", "notify", "skipped", "") for n in range(300))
    given = Response.from_json(
        {
            "id": "r.1",
            "rule": "r",
            "event": {
                "id": "e",
                "type": "t",
                "kinds": [],
                "time": None,
                "subject": "s",
                "topic": "",
                "names": {},
            },
        }
    )
    found = outcome_of(given, "running", None, steps, (GateRecord("throttle", "passed", "x" * 200),))
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
