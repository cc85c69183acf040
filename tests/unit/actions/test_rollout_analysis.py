"""Is the new deployment healthy? Decided from metrics alone, with words for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.rollout_analysis import Course, move, read
from mlevents.actions.rollout_parameters import Rollout
from mlevents.services.metrics import Minute

FINE = {"metric": "error_rate", "max": 0.02, "window": "2m"}


def rollout(*checks: dict, **more: object) -> Rollout:
    return Rollout.model_validate({"checks": list(checks), "min_requests": 10, **more})


def minutes(*each: tuple[float, float], latency: float = 0.02) -> tuple[Minute, ...]:
    """Requests and errors of the last minutes, the newest first."""
    return tuple(
        Minute(60.0 * (number + 1), requests, errors, {"P95": latency})
        for number, (requests, errors) in enumerate(each)
    )


@pytest.mark.parametrize(
    ("check", "new", "stable", "verdict", "words"),
    [
        (FINE, minutes((50, 0), (50, 1)), (), "healthy", "error rate 1 % of 2 %"),
        (FINE, minutes((50, 2), (50, 2)), (), "breached", "error rate 4 %, beyond 2 %"),
        (FINE, minutes((4, 0)), (), "unclear", "4 of 10 requests, error rate 0 % of 2 %"),
        (FINE, minutes((4, 1)), (), "breached", "4 of 10 requests, error rate 25 %, beyond 2 %"),
        (FINE, (), minutes((90, 0)), "unclear", "0 of 10 requests, error rate is not known"),
        (FINE, (), (), "unclear", "0 of 10 requests, no metrics yet, error rate is not known"),
        (
            {"metric": "latency_p95", "max": "250ms"},
            minutes((20, 0), latency=0.3),
            (),
            "breached",
            "latency p95 300 ms, beyond 250 ms",
        ),
        (
            {"metric": "latency_p95", "max": "250ms"},
            minutes((3, 0), latency=0.3),
            (),
            "unclear",
            "3 of 10 requests, latency p95 300 ms, beyond 250 ms",
        ),
        (
            {"metric": "latency_p95", "max": 1.5, "of": "stable"},
            minutes((20, 0), latency=0.03),
            minutes((20, 0), latency=0.02),
            "healthy",
            "latency p95 30 ms of 30 ms",
        ),
        (
            {"metric": "error_rate", "max": 1.5, "of": "stable", "plus": 0.01},
            minutes((100, 3)),
            minutes((900, 9)),
            "breached",
            "error rate 3 %, beyond 2.5 %",
        ),
        (
            {"metric": "latency_p95", "max": 1.5, "of": "stable"},
            minutes((20, 0)),
            (),
            "unclear",
            "latency p95 of the stable deployment is not known",
        ),
        ({"metric": "requests", "min": 40}, minutes((20, 0)), (), "unclear", "requests 20, below 40"),
        ({"metric": "requests", "max": 15}, minutes((20, 0)), (), "breached", "requests 20, beyond 15"),
    ],
)
def test_a_reading_in_one_word_and_for_people(check, new, stable, verdict: str, words: str) -> None:
    found = {name: those for name, those in (("new", new), ("old", stable)) if those}
    reading = read(rollout(check), found, "New", ["old"])
    assert (reading.verdict, reading.words) == (verdict, words)


def test_old_news_is_no_news() -> None:
    late = tuple(Minute(60.0 * age, 50, 0) for age in range(7, 12))
    reading = read(rollout(FINE), {"new": late}, "new", [])
    assert reading.verdict == "unclear"
    assert "the metrics are late, the newest of 7 min ago" in reading.words


def test_a_window_with_too_few_requests_reaches_further_back() -> None:
    sparse = minutes((3, 0), (3, 0), (3, 0), (3, 3), (50, 50))
    reading = read(rollout(FINE), {"new": sparse}, "new", [])
    assert reading.words == "error rate 25 %, beyond 2 %", "twelve requests in four minutes; no more of them"


def test_what_was_long_ago_is_forgotten_where_there_is_enough_since() -> None:
    reading = read(rollout(FINE), {"new": minutes((20, 0), (20, 0), (20, 20))}, "new", [])
    assert reading.verdict == "healthy"


def test_without_a_stable_deployment_relative_checks_rest() -> None:
    relative = {"metric": "latency_p95", "max": 1.1, "of": "stable"}
    assert read(rollout(FINE, relative), {"new": minutes((50, 0))}, "new", []).verdict == "healthy"


@pytest.mark.parametrize(
    ("verdict", "course", "wanted"),
    [
        ("healthy", Course(60, 120, 240), "hold"),
        ("healthy", Course(120, 120, 240), "promote"),
        ("unclear", Course(120, 120, 240), "hold"),
        ("unclear", Course(240, 120, 240), "stop"),
        ("breached", Course(60, 120, 240, 1, 0), "fail"),
        ("breached", Course(60, 120, 240, 1, 1), "hold"),
        ("breached", Course(240, 120, 240, 1, 1), "stop"),
    ],
)
def test_what_follows_from_a_reading(verdict, course: Course, wanted: str) -> None:
    assert move(verdict, course) == wanted


verdicts = st.sampled_from(["healthy", "breached", "unclear"])
courses = st.builds(
    lambda elapsed, lasting, more, breaches, forgiven: Course(
        elapsed, lasting, lasting + more, breaches, forgiven
    ),
    *[st.integers(0, 1000)] * 3,
    *[st.integers(0, 5)] * 2,
)


@given(verdict=verdicts, course=courses)
def test_only_what_is_healthy_at_the_end_is_promoted(verdict, course: Course) -> None:
    promoted = move(verdict, course) == "promote"
    assert promoted == (verdict == "healthy" and course.elapsed >= course.lasting)


@given(verdict=verdicts, course=courses)
def test_no_phase_goes_on_after_its_longest_time(verdict, course: Course) -> None:
    if course.elapsed >= course.longest:
        assert move(verdict, course) != "hold"


counts = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (max(pair), min(pair)))


@given(each=st.lists(counts, max_size=8), stable=st.lists(counts, max_size=8))
def test_health_needs_enough_requests_and_never_raises(each, stable) -> None:
    relative = {"metric": "error_rate", "max": 2.0, "of": "stable"}
    found = {"new": minutes(*each), "old": minutes(*stable)}
    reading = read(rollout(FINE, relative), found, "new", ["old"])
    if reading.verdict == "healthy":
        assert sum(requests for requests, _ in each) >= 10
        assert sum(requests for requests, _ in stable) > 0
