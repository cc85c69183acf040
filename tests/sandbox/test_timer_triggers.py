"""Timer functions: their schedules, and that they run once at a time at the sandbox's pace."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.host.timer_schedule import parse_schedule
from tests.sandbox.small_sandbox import APPS, Small, small, until

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")
NOW = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("schedule", "following"),
    [
        ("* * * * * *", ["2026-03-02 09:30:16", "2026-03-02 09:30:17"]),
        ("0 */5 * * * *", ["2026-03-02 09:35:00", "2026-03-02 09:40:00"]),
        ("*/5 * * * *", ["2026-03-02 09:35:00", "2026-03-02 09:40:00"]),
        ("0 5/20 * * * *", ["2026-03-02 09:45:00", "2026-03-02 10:05:00"]),
        ("0 0 9-17/4 * * 1-5", ["2026-03-02 13:00:00", "2026-03-02 17:00:00", "2026-03-03 09:00:00"]),
        ("30 15 9 * * Mon,fri", ["2026-03-06 09:15:30", "2026-03-09 09:15:30"]),
        ("0 0 0 29 2 *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("0 0 0 13 * Friday", ["2026-03-13 00:00:00", "2026-11-13 00:00:00"]),
        ("0 0 0 1 jan,Jul *", ["2026-07-01 00:00:00", "2027-01-01 00:00:00"]),
        ("0 0 0 * * 0", ["2026-03-08 00:00:00"]),
        ("01:30:00", ["2026-03-02 11:00:15", "2026-03-02 12:30:15"]),
        ("1.00:00:00", ["2026-03-03 09:30:15"]),
    ],
)
def test_a_schedule_fires_at_these_times(schedule: str, following: list[str]):
    moment = NOW
    for expected in following:
        moment = parse_schedule(schedule).after(moment)
        assert f"{moment:%Y-%m-%d %H:%M:%S}" == expected


@pytest.mark.parametrize(
    "schedule",
    [
        *(
            "",
            "* * * *",
            "* * * * * * *",
            "60 * * * * *",
            "0 0 0 31 2 *",
            "0 0 0 * * 7",
            "@daily",
            "0 0 0 L * *",
        ),
        *(
            "5-1 * * * * *",
            "*/0 * * * * *",
            "a * * * * *",
            "00:00:00",
            "noon",
            "1,,2 * * * * *",
            "-1 * * * * *",
        ),
    ],
)
def test_what_is_no_schedule_is_refused_in_the_words_of_the_host(schedule: str):
    with pytest.raises(ValueError, match=r"The schedule expression '.*' was not recognized as a valid cron"):
        parse_schedule(schedule)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(1, 59), st.integers(0, 23))
def test_nothing_fires_between_a_moment_and_the_next_time(moment: datetime, step: int, hour: int):
    schedule = parse_schedule(f"0 */{step} {hour} * * *")
    start = moment.replace(tzinfo=UTC)
    found = schedule.after(start)
    assert found > start
    assert (found.second, found.minute % step, found.hour) == (0, 0, hour)
    fits = [start.replace(second=0, microsecond=0) + timedelta(minutes=n) for n in range(1, 24 * 60 + 1)]
    assert found == next(one for one in fits if one.hour == hour and one.minute % step == 0)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIMED_LOG", str(tmp_path / "timers.jsonl"))
    monkeypatch.setenv("HOURLY", "0 0 * * * *")
    return tmp_path / "timers.jsonl"


@pytest.fixture
def timed(log: Path) -> Iterator[Small]:
    with small(app=APPS / "timed", script="timed_app.py", functions=(), speed=1200) as running:
        yield running


def runs(log: Path, name: str) -> list[dict[str, Any]]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [one for one in map(json.loads, lines) if one["name"] == name]


def test_a_timer_runs_on_its_schedule_at_the_sandboxs_pace(timed: Small, log: Path):
    found = until(lambda: runs(log, "quick"), lambda seen: len(seen) >= 4)
    gaps = [after["began"] - before["began"] for before, after in pairwise(found)]
    assert sum(gaps) / len(gaps) == pytest.approx(600 / 1200, abs=0.2)
    assert [one["past_due"] for one in found] == [False] * len(found)
    assert found[1]["status"]["Last"] > found[0]["status"]["Last"]
    assert ":00" in found[1]["status"]["Next"]
    assert found[1]["schedule"] == {"AdjustForDST": True}


def test_a_timer_never_runs_beside_itself(timed: Small, log: Path):
    found = until(lambda: runs(log, "slow"), lambda seen: len(seen) >= 3)
    assert all(before["ended"] <= after["began"] for before, after in pairwise(found))


def test_a_timer_may_run_at_the_start_and_take_its_schedule_from_a_setting(timed: Small, log: Path):
    assert until(lambda: runs(log, "hourly"), bool)[0]["past_due"] is False


def test_a_run_that_was_missed_while_the_host_was_down_is_past_due(timed: Small, log: Path):
    until(lambda: runs(log, "quick"), bool)
    timed.control("kill")
    known = len(runs(log, "quick"))
    time.sleep(1)
    assert len(runs(log, "quick")) == known
    timed.control("start")
    assert until(lambda: runs(log, "quick")[known:], bool)[0]["past_due"] is True


def test_a_schedule_that_cannot_be_read_leaves_the_other_functions_alone(
    log: Path, caplog: pytest.LogCaptureFixture
):
    with (
        caplog.at_level(logging.ERROR),
        small(app=APPS / "timed", script="timed_app.py", functions=()) as host,
    ):
        assert requests.get(f"{host.url}/api/ping", timeout=5).text == "pong"
    assert "The 'wrong' function is in error: The schedule expression 'every day at noon'" in caplog.text
    assert runs(log, "wrong") == []


def test_an_error_of_a_timer_is_one_line_and_is_not_repeated(
    timed: Small, log: Path, caplog: pytest.LogCaptureFixture
):
    until(lambda: runs(log, "broken"), lambda found: len(found) >= 3)
    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one for one in warnings if "broken" in one] == [
        "the timer function broken failed: ValueError: the rules are broken"
    ]


def test_an_operator_can_run_a_timer_out_of_turn(timed: Small, log: Path):
    until(lambda: runs(log, "hourly"), bool)
    known = len(runs(log, "hourly"))
    assert requests.post(f"{timed.url}/admin/functions/hourly", json={}, timeout=5).status_code == 202
    until(lambda: runs(log, "hourly"), lambda seen: len(seen) > known)
    assert requests.post(f"{timed.url}/admin/functions/nobody", json={}, timeout=5).status_code == 404
