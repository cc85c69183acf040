"""Is the new deployment healthy? Decided from metrics alone, with words for people."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.deploy_model.analysis import PhaseState, decide_move, judge_phase, percentiles
from mlevents.actions.deploy_model.metric_silence import Exposure
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.services.metrics import Minute

FINE = {"metric": "error_rate", "max": 0.02, "window": "2m"}


def rollout(*checks: dict[str, Any], **more: object) -> Rollout:
    steps = [{"percent": 50, "for": "10m"}]
    return Rollout.model_validate({"checks": list(checks), "min_requests": 10, "steps": steps, **more})


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
        (FINE, (), minutes((3, 0)), "unclear", "0 of 10 requests, error rate is not known"),
        (
            FINE,
            (),
            minutes((90, 0)),
            "unclear",
            "0 of 10 requests, no request for 2 min; about 90 requests were expected, "
            "error rate is not known",
        ),
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
        (
            {"metric": "latency_p99", "max": "1s"},
            minutes((20, 0)),
            (),
            "unclear",
            "latency p99 is not known",
        ),
        (
            {"metric": "error_rate", "max": 0.2},
            minutes((4, 1)),
            (),
            "unclear",
            "4 of 10 requests, error rate 25 %, beyond 20 %",
        ),
        (
            {"metric": "error_rate", "max": 0.1},
            minutes((4, 1)),
            (),
            "unclear",
            "4 of 10 requests, error rate 25 %, beyond 10 %",
        ),
        (
            {"metric": "latency_p95", "max": "10ms"},
            minutes((10, 0)),
            (),
            "breached",
            "latency p95 20 ms, beyond 10 ms",
        ),
        (
            {"metric": "latency_p95", "min": "30ms"},
            minutes((20, 0)),
            (),
            "breached",
            "latency p95 20 ms, below 30 ms",
        ),
        (
            {"metric": "latency_p95", "min": "30ms"},
            minutes((4, 0)),
            (),
            "unclear",
            "4 of 10 requests, latency p95 20 ms, below 30 ms",
        ),
        (
            {"metric": "latency_p95", "min": "10ms", "max": "30ms"},
            minutes((20, 0)),
            (),
            "healthy",
            "latency p95 20 ms of 30 ms",
        ),
        (
            {"metric": "latency_p95", "min": 0.5, "of": "stable", "plus": "5ms"},
            minutes((20, 0), latency=0.006),
            minutes((20, 0), latency=0.02),
            "healthy",
            "latency p95 6 ms of 5 ms",
        ),
        (
            {"metric": "latency_p95", "min": 0.5, "of": "stable", "plus": "5ms"},
            minutes((20, 0), latency=0.004),
            minutes((20, 0), latency=0.02),
            "breached",
            "latency p95 4 ms, below 5 ms",
        ),
        ({"metric": "requests", "min": 20}, minutes((20, 0)), (), "healthy", "requests 20 of 20"),
        ({"metric": "requests", "max": 20}, minutes((20, 0)), (), "healthy", "requests 20 of 20"),
        ({"metric": "requests", "min": 40}, minutes((20, 0)), (), "unclear", "requests 20, below 40"),
        ({"metric": "requests", "max": 15}, minutes((20, 0)), (), "breached", "requests 20, beyond 15"),
    ],
)
def test_a_reading_in_one_word_and_for_people(check, new, stable, verdict: str, words: str) -> None:
    found = {name: those for name, those in (("new", new), ("old", stable)) if those}
    reading = judge_phase(rollout(check), found, "New", ["old"])
    assert (reading.verdict, reading.words) == (verdict, words)


@pytest.mark.parametrize(
    ("check", "requests", "scarce"),
    [
        ({"metric": "requests", "min": 40}, 20, True),
        ({"metric": "latency_p95", "min": "30ms"}, 4, False),
        ({"metric": "latency_p99", "max": "30ms"}, 20, False),
        (FINE, 20, False),
    ],
    ids=["requests below", "a limit missed", "a metric missing", "healthy"],
)
def test_only_too_few_requests_are_scarce(check: dict, requests: float, scarce: bool) -> None:
    assert judge_phase(rollout(check), {"new": minutes((requests, 0))}, "new", []).scarce is scarce


def test_without_checks_the_requests_alone_decide() -> None:
    asked = rollout(min_requests=0)
    reading = judge_phase(asked, {"new": minutes((5, 5))}, "new", [])
    assert (reading.verdict, reading.words) == ("healthy", "nothing to check")
    broken = (*minutes((5, 5)), Minute(3600.0, float("nan")))
    assert judge_phase(asked, {"new": broken}, "new", []).verdict == "unclear"


def test_one_request_is_needed_where_checks_ask_for_no_number() -> None:
    assert judge_phase(rollout(FINE, min_requests=None), {}, "new", []).words.startswith("0 of 1 requests")


@pytest.mark.parametrize("windows", [("2m", "10m"), ("2m", None)], ids=["the longest", "the phase"])
def test_a_minute_that_cannot_be_read_counts_within_the_longest_window(windows) -> None:
    checks: list[dict[str, Any]] = [{**FINE, "window": window} for window in windows]
    found = {"new": (*minutes((50, 0), (50, 0)), Minute(300.0, float("nan")))}
    assert judge_phase(rollout(*checks), found, "new", []).verdict == "unclear"


def test_the_percentiles_are_those_of_the_checks_of_latency() -> None:
    checks: list[dict[str, Any]] = [
        FINE,
        *({"metric": name, "max": "1s"} for name in ("latency_p95", "latency_p50")),
    ]
    assert percentiles(rollout(*checks)) == {"P95", "P50"}


def test_old_news_is_no_news() -> None:
    late = tuple(Minute(60.0 * age, 50, 0) for age in range(7, 12))
    reading = judge_phase(rollout(FINE), {"new": late}, "new", [])
    assert reading.verdict == "unclear"
    assert "the metrics are late: the newest is 7 min old" in reading.words


@pytest.mark.parametrize("whose", ["new", "old"])
def test_a_minute_that_cannot_be_read_makes_the_reading_unclear(whose: str) -> None:
    found = {"new": minutes((50, 0), (50, 0)), "old": minutes((50, 0), (50, 0))}
    found[whose][1].unreadable = True
    reading = judge_phase(rollout(FINE), found, "New", ["Old"])
    assert reading.verdict == "unclear"
    assert f"the metrics of '{whose.title()}' cannot be read in 1 min" in reading.words


def test_a_window_with_too_few_requests_reaches_further_back() -> None:
    sparse = minutes((3, 0), (3, 0), (3, 0), (3, 3), (50, 50))
    reading = judge_phase(rollout(FINE), {"new": sparse}, "new", [])
    assert reading.words == "error rate 25 %, beyond 2 %", "twelve requests in four minutes; no more of them"


def test_what_was_long_ago_is_forgotten_where_there_is_enough_since() -> None:
    reading = judge_phase(rollout(FINE), {"new": minutes((20, 0), (20, 0), (20, 20))}, "new", [])
    assert reading.verdict == "healthy"


def test_without_a_stable_deployment_relative_checks_rest() -> None:
    relative = {"metric": "latency_p95", "max": 1.1, "of": "stable"}
    assert judge_phase(rollout(FINE, relative), {"new": minutes((50, 0))}, "new", []).verdict == "healthy"


@pytest.mark.parametrize(
    ("verdict", "course", "wanted"),
    [
        ("healthy", PhaseState(60, 120, 240), "hold"),
        ("healthy", PhaseState(120, 120, 240), "promote"),
        ("healthy", PhaseState(120, 120, 240, breaches=2), "promote"),
        ("unclear", PhaseState(120, 120, 240), "hold"),
        ("unclear", PhaseState(240, 120, 240), "stop"),
        ("breached", PhaseState(60, 120, 240, 1, 0), "fail"),
        ("breached", PhaseState(60, 120, 240, 1, 1), "hold"),
        ("breached", PhaseState(240, 120, 240, 1, 1), "stop"),
        ("unclear", PhaseState(60, 120, 240, excused=True), "hold"),
        ("unclear", PhaseState(120, 120, 240, excused=True), "promote"),
        ("breached", PhaseState(120, 120, 240, 1, 1, excused=True), "hold"),
    ],
)
def test_what_follows_from_a_reading(verdict, course: PhaseState, wanted: str) -> None:
    assert decide_move(verdict, course) == wanted


NOT_NUMBERS = [float("nan"), float("inf"), float("-inf"), -1.0, "12", None]


@pytest.mark.parametrize("value", NOT_NUMBERS)
@pytest.mark.parametrize("where", ["requests", "errors", "latency"])
@pytest.mark.parametrize("whose", ["new", "old"])
def test_what_is_no_number_is_unclear_and_never_good(value: object, where: str, whose: str) -> None:
    found = {"new": minutes((50, 0), (50, 0)), "old": minutes((50, 0), (50, 0))}
    if where == "latency":
        found[whose][1].latency["P95"] = value  # type: ignore[assignment]
    else:
        setattr(found[whose][1], where, value)
    relative = {"metric": "latency_p95", "max": 1.5, "of": "stable"}
    reading = judge_phase(rollout(FINE, relative), found, "new", ["old"])
    assert (reading.verdict, reading.scarce) == ("unclear", False)
    assert f"the metrics of '{whose}' cannot be read in 1 min" in reading.words


def test_a_minute_that_was_no_number_long_ago_is_forgotten_where_windows_say_so() -> None:
    found = {"new": (*minutes((50, 0), (50, 0)), Minute(1200.0, float("nan")))}
    assert judge_phase(rollout(FINE), found, "new", []).verdict == "healthy"
    whole = {"metric": "error_rate", "max": 0.02}
    assert judge_phase(rollout(whole), found, "new", []).verdict == "unclear"


@pytest.mark.parametrize("needed", [0, 1, 10])
def test_a_new_deployment_that_falls_silent_beside_a_busy_one_is_unclear(needed: int) -> None:
    early = tuple(Minute(60.0 * age, 50, 0) for age in range(8, 12))
    found = {"new": early, "old": minutes(*[(450, 0)] * 11)}
    asked = rollout({"metric": "error_rate", "max": 0.5}, min_requests=needed)
    reading = judge_phase(asked, found, "new", ["old"], Exposure(0.1, 720.0))
    assert (reading.verdict, reading.scarce) == ("unclear", False)
    assert "the newest is 8 min old" in reading.words


def test_one_request_hours_ago_beside_a_busy_deployment_is_no_health() -> None:
    found = {"new": (Minute(7200.0, 1, 0),), "old": minutes(*[(9, 0)] * 120)}
    asked = rollout({"metric": "error_rate", "max": 0.5}, min_requests=1)
    reading = judge_phase(asked, found, "new", ["old"], Exposure(0.1, 7300.0))
    assert (reading.verdict, reading.scarce) == ("unclear", False)
    assert reading.words.startswith("no request for 2 h; about 108 requests were expected")


def test_no_request_at_all_beside_a_busy_deployment_is_more_than_too_few() -> None:
    found = {"old": minutes((90, 0), (90, 0))}
    asked = rollout({"metric": "requests", "max": 500}, min_requests=0)
    reading = judge_phase(asked, found, "new", ["old"], Exposure(0.1, 120.0))
    assert (reading.verdict, reading.scarce) == ("unclear", False)


def test_the_silence_of_a_small_endpoint_is_its_usual_pace() -> None:
    day, hour = 86_400.0, 3600.0
    found = {
        "new": tuple(Minute(hour * age, 1, 0) for age in (3, 9, 12, 17, 22)),
        "old": tuple(Minute(hour * age, 1, 0) for age in range(1, 24)),
    }
    asked = rollout({"metric": "error_rate", "max": 0.1}, min_requests=5)
    assert judge_phase(asked, found, "new", ["old"], Exposure(0.25, day)).verdict == "healthy"


@pytest.mark.parametrize(
    ("new", "old", "scarce"),
    [
        ((), (), True),
        ((), minutes((4, 0)), True),
        (minutes((4, 0)), minutes((4, 0)), True),
        (minutes((4, 0), latency=0.9), minutes((4, 0)), False),
        (minutes((50, 0), (50, 0)), (), True),
    ],
    ids=["nothing", "old alone", "few", "few, and slow", "nothing to compare with"],
)
def test_too_few_requests_are_told_from_what_speaks_against(new, old, scarce: bool) -> None:
    relative = {"metric": "latency_p95", "max": 1.5, "of": "stable"}
    found = {"new": new, "old": old}
    reading = judge_phase(rollout(FINE, relative), found, "new", ["old"], Exposure(0.1, 300.0))
    assert (reading.verdict, reading.scarce) == ("unclear", scarce)


def test_without_a_window_the_whole_phase_is_judged() -> None:
    found = {"new": minutes(*[(50, 0)] * 100, (5000, 5000))}
    assert judge_phase(rollout(FINE), found, "new", []).verdict == "healthy"
    assert judge_phase(rollout({"metric": "error_rate", "max": 0.02}), found, "new", []).verdict == "breached"


verdicts = st.sampled_from(["healthy", "breached", "unclear"])
courses = st.builds(
    lambda elapsed, lasting, more, breaches, forgiven: PhaseState(
        elapsed, lasting, lasting + more, breaches, forgiven
    ),
    *[st.integers(0, 1000)] * 3,
    *[st.integers(0, 5)] * 2,
)


@given(verdict=verdicts, course=courses)
def test_only_what_is_healthy_at_the_end_is_promoted(verdict, course: PhaseState) -> None:
    promoted = decide_move(verdict, course) == "promote"
    assert promoted == (verdict == "healthy" and course.elapsed >= course.lasting)


@given(verdict=verdicts, course=courses)
def test_no_phase_goes_on_after_its_longest_time(verdict, course: PhaseState) -> None:
    if course.elapsed >= course.longest:
        assert decide_move(verdict, course) != "hold"


counts = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (max(pair), min(pair)))


@given(each=st.lists(counts, max_size=8), stable=st.lists(counts, max_size=8))
def test_health_needs_enough_requests_and_never_raises(each, stable) -> None:
    relative = {"metric": "error_rate", "max": 2.0, "of": "stable"}
    found = {"new": minutes(*each), "old": minutes(*stable)}
    reading = judge_phase(rollout(FINE, relative), found, "new", ["old"])
    if reading.verdict == "healthy":
        assert sum(requests for requests, _ in each) >= 10
        assert sum(requests for requests, _ in stable) > 0
