"""What docs/scale.md says follows from the code, and the simulation keeps to the bounds."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.installation import Installation, find_bounds, find_limit
from bench.response_work import ResponseWork, read_work
from bench.scale import PAGE, TABLES, write_tables
from bench.simulation import Simulation, simulate
from bench.storage import RESPONSES

NOTIFICATION = ResponseWork("notify", 0, 1, 0, 0, queues=9, requests=20)
INSTALLATIONS = st.builds(
    Installation,
    partitions=st.integers(1, 16),
    instances=st.integers(1, 40),
    memory=st.sampled_from([512, 2_048, 4_096]),
    account_requests=st.integers(200, 40_000),
    actions=st.sampled_from([0, 0, 500, 2_000]),
    orchestrators=st.integers(1, 20),
    activities=st.integers(1, 20),
)
WORK = st.builds(
    ResponseWork,
    kind=st.just("any"),
    entities=st.integers(0, 3),
    activities=st.integers(1, 4),
    timers=st.integers(0, 2),
    orchestrations=st.integers(0, 1),
    queues=st.integers(20, 60),
    requests=st.integers(20, 80),
    reads=st.integers(0, 3),
    writes=st.integers(0, 2),
)


def test_the_page_has_the_tables_of_the_code():
    text = PAGE.read_text()
    assert [name for name in TABLES if f"<!-- scale: {name} -->" not in text] == []
    assert write_tables(text) == text, "run `python -m bench.scale --write`"


def test_every_kind_of_response_that_is_measured_is_on_the_page():
    assert {one.kind for one in read_work()} == set(RESPONSES)


def test_the_queues_get_what_the_counts_say():
    """A start is put; each turn takes and deletes; each answer is put; an entity's turn does the same."""
    for one in read_work():
        answers = one.activities + one.timers + 2 * one.entities + 2 * one.orchestrations
        counted = 1 + 2 * (one.turns + one.entities) + answers
        assert one.control == pytest.approx(counted, rel=0.02), one.kind


@given(on=INSTALLATIONS, work=WORK)
@settings(max_examples=40, deadline=None)
def test_no_simulation_exceeds_the_bound(on: Installation, work: ResponseWork):
    _, bound = find_limit(on, work)
    assert Simulation(on, work).run(40, 2 * bound) <= bound * (1 + 1e-9)


@pytest.mark.parametrize("on", [Installation(), Installation(partitions=16), Installation(actions=500)])
def test_a_simulation_comes_near_the_bound(on: Installation):
    _, bound = find_limit(on, NOTIFICATION)
    assert 0.8 * bound < simulate(on, NOTIFICATION) <= bound


@given(on=INSTALLATIONS, work=WORK, partitions=st.integers(0, 15))
@settings(max_examples=50, deadline=None)
def test_more_of_anything_never_lowers_a_bound(on: Installation, work: ResponseWork, partitions: int):
    more = replace(
        on,
        partitions=on.partitions + partitions,
        instances=on.instances + 1,
        orchestrators=on.orchestrators + 1,
        activities=on.activities + 1,
    )
    before, after = find_bounds(on, work), find_bounds(more, work)
    assert [name for name in before if after[name] < before[name]] == []


def test_more_partitions_never_lower_the_simulated_rate():
    rates = [simulate(Installation(partitions=number), NOTIFICATION) for number in (1, 2, 4, 8, 16)]
    assert rates == sorted(rates)
    assert rates[-1] > 4 * rates[0]


def test_a_simulation_repeats_exactly():
    assert simulate(Installation(), NOTIFICATION) == simulate(Installation(), NOTIFICATION)
