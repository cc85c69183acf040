"""When silence in the metrics says anything: its limits, one by one."""

import pytest

from mlevents.actions.deploy_model.metric_silence import EXPECTED, LATE, Exposure, Silence, find_silences
from mlevents.services.metrics import Minute

HOUR = Exposure(1.0, 3600.0)


def words(needed: int, own: list[Minute], others: list[Minute], exposure: Exposure = HOUR) -> list[str]:
    return [one.words for one in find_silences(needed, own, others, exposure)]


@pytest.mark.parametrize(
    ("needed", "requests", "says"),
    [(0, 3, []), (3, 3, []), (4, 3, ["3 of 4 requests"])],
)
def test_too_few_requests_are_fewer_than_it_takes(needed: int, requests: float, says: list[str]) -> None:
    assert words(needed, [Minute(60.0, requests)], []) == says


@pytest.mark.parametrize(
    ("age", "requests", "late"),
    [
        (LATE, 1000, False),
        (LATE + 1, 1000, True),
        (1800.0, 10, False),
        (1801.0, 10, True),
        (3600.0, 1, False),
    ],
    ids=["in time", "late", "five mean gaps", "more than five mean gaps", "one request"],
)
def test_metrics_are_late_after_five_minutes_and_five_mean_gaps(
    age: float, requests: float, late: bool
) -> None:
    assert bool(words(0, [Minute(age, requests)], [])) is late


def test_a_minute_without_requests_is_no_news() -> None:
    [said] = words(0, [Minute(60.0, 0), Minute(480.0, 5000)], [])
    assert said == "the metrics are late: the newest is 8 min old"
    assert words(1, [Minute(60.0, 0)], [Minute(60.0, 0)]) == ["0 of 1 requests", "no metrics yet"]


def test_the_phase_lasts_as_long_as_the_oldest_minute_where_nobody_says() -> None:
    own = [Minute(400.0, 10), Minute(1140.0, 10)]
    assert words(0, own, [], Exposure()) == ["the metrics are late: the newest is 7 min old"]
    assert words(0, own, [], Exposure(1.0, 7200.0)) == []
    assert words(0, [Minute(400.0, 20)], [Minute(2000.0, 1)], Exposure()) == []


@pytest.mark.parametrize(
    ("requests", "ratio", "says"),
    [
        (EXPECTED, 1.0, "no request for 60 min; about 5 requests were expected"),
        (EXPECTED - 1, 1.0, "no request yet"),
        (99, 0.05, "no request yet"),
        (100, 0.05, "no request for 60 min; about 5 requests were expected"),
    ],
)
def test_silence_beside_others_says_something_where_five_requests_should_have_come(
    requests: float, ratio: float, says: str
) -> None:
    found = list(find_silences(0, [], [Minute(60.0, requests)], Exposure(ratio, 3600.0)))
    assert found == [Silence(says, scarce=says == "no request yet")]


@pytest.mark.parametrize(("age", "silent"), [(LATE, False), (LATE + 1, True)])
def test_a_silence_of_five_minutes_is_the_delay_of_the_metrics(age: float, silent: bool) -> None:
    assert bool(words(0, [Minute(age, 1)], [Minute(60.0, 100)])) is silent


def test_what_others_got_before_the_silence_began_is_not_expected() -> None:
    assert words(0, [Minute(360.0, 2)], [Minute(420.0, 100)]) == []
