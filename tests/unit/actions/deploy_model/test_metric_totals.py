"""Sums over the minutes of metrics: how far back they reach, and what weighs how much."""

import pytest

from mlevents.actions.deploy_model.metric_totals import extend_window, spell_metric, spell_value, sum_minutes
from mlevents.services.metrics import Minute

MINUTES = [Minute(60.0 * (number + 1), 5) for number in range(4)]


@pytest.mark.parametrize(
    ("window", "needed", "reach"),
    [(None, 10, None), (120.0, 10, 120.0), (120.0, 11, 180.0), (120.0, 99, 240.0), (30.0, 0, 30.0)],
)
def test_a_window_reaches_back_to_enough_requests(window, needed: int, reach) -> None:
    assert extend_window(MINUTES, window, needed) == reach


def test_a_minute_as_old_as_the_window_is_within_it() -> None:
    assert sum_minutes([MINUTES], 120.0).requests == 10


def test_latencies_are_weighed_by_requests() -> None:
    minutes = [Minute(60.0, 10, 0, {"P95": 0.1}), Minute(120.0, 30, 0, {"P95": 0.3}), Minute(180.0, 50)]
    assert sum_minutes([minutes], None).latency == {"P95": pytest.approx(0.25)}


def test_a_latency_without_requests_weighs_like_one() -> None:
    minutes = [Minute(60.0, 0, 0, {"P95": 0.1}), Minute(120.0, 1, 0, {"P95": 0.3})]
    assert sum_minutes([minutes], None).latency == {"P95": pytest.approx(0.2)}


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("error_rate", 0.0123, "error rate 1.23 %"),
        ("latency_p95", 0.25, "latency p95 250 ms"),
        ("requests", 1500.0, "requests 1500"),
    ],
)
def test_a_metric_reads_as_people_say_it(metric: str, value: float, words: str) -> None:
    assert f"{spell_metric(metric)} {spell_value(metric, value)}" == words
