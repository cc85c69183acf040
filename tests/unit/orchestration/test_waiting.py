"""How an orchestration waits for another: how long between two looks, and when the other is gone."""

from dataclasses import replace
from itertools import accumulate

import pytest

from mlevents.orchestration.lease_messages import Holder, StatementNumber
from mlevents.orchestration.waiting import Patience, has_ended


def holder(count: int = 1, name: str = "a", ttl: float | None = 60.0) -> Holder:
    return Holder(name, StatementNumber("2026-01-01T00:00:00", count), ttl)


def test_each_wait_is_half_as_long_again_up_to_a_minute():
    patience = Patience(86_400.0)
    waits = [patience.wait(holder()) for _ in range(2000)]
    assert waits[:8] == [5, 7.5, 11.25, 16.875, 25.3125, 37.96875, 56.953125, 60]
    assert set(waits[8:1000]) == {60}


def test_the_last_wait_ends_at_the_limit_and_each_one_after_takes_a_second():
    patience = Patience(20.0)
    waits = [patience.wait(holder()) for _ in range(5)]
    assert waits == [5, 7.5, 7.5, 1, 1]
    assert patience.waited == sum(waits)


def test_the_statuses_are_read_at_the_first_look_and_at_every_third():
    patience, found = Patience(600.0), []
    for _ in range(7):
        found.append(patience.is_time_to_find())
        patience.wait(holder())
    assert found == [True, False, False, True, False, False, True]


def test_one_that_is_silent_for_longer_than_it_declared_is_over():
    patience = Patience(600.0)
    silences = list(accumulate(patience.wait(holder(ttl=23.75)) for _ in range(3)))
    assert silences[-1] == 23.75
    assert not patience.is_over(holder(ttl=23.75), {})
    assert patience.is_over(holder(ttl=23.7), {})
    assert not patience.is_over(holder(ttl=None), {})


@pytest.mark.parametrize("another", [holder(2), holder(name="b")], ids=["a statement", "a holder"])
@pytest.mark.parametrize("looks_first", [True, False])
def test_silence_is_counted_anew_after(another: Holder, looks_first: bool):
    patience = Patience(600.0)
    for _ in range(8):
        patience.wait(holder())
    assert patience.is_over(holder(), {})
    if looks_first:
        assert not patience.is_over(another, {})
    assert patience.wait(another) == 60
    assert not patience.is_over(replace(another, ttl=60.0), {})
    assert patience.is_over(replace(another, ttl=59.0), {})


@pytest.mark.parametrize(
    ("statuses", "ended"),
    [
        ({}, False),
        ({"b": "COMPLETED"}, False),
        ({"a": "COMPLETED"}, True),
        ({"a": "FAILED"}, True),
        ({"a": "TERMINATED"}, True),
        ({"a": None}, True),
        ({"a": "RUNNING"}, False),
        ({"a": "PENDING"}, False),
        ({"a": "SUSPENDED"}, False),
        ({"a": "CONTINUED_AS_NEW"}, False),
    ],
)
def test_one_is_over_that_is_known_to_have_ended(statuses: dict[str, str | None], ended: bool):
    assert has_ended(statuses, "a") is ended
    assert Patience(600.0).is_over(holder(), statuses) is ended
