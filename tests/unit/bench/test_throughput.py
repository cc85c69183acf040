"""The rates and times of a round of deliveries."""

import json
from pathlib import Path

import pytest

from bench.delivery_round import Delivery, Round
from bench.noop_app import ENDED, copy_noop_app, read_ends

ROUND = Round(
    [Delivery("a", began=10.0, answered=10.5), Delivery("b", began=10.5, answered=12.0)],
    [11.0, 14.0],
    (0.1, 0.2, 0.4),
)


def test_rates_are_from_the_first_delivery_to_the_last_answer_and_to_the_last_end():
    assert ROUND.scheduled_rate == pytest.approx(1.0)
    assert ROUND.finished_rate == pytest.approx(0.5)


def test_times_are_those_of_each_delivery():
    assert ROUND.answer_times == pytest.approx([500, 1500])
    assert ROUND.finish_times == pytest.approx([1000, 3500])


def test_cpu_time_is_shared_by_the_events():
    assert ROUND.cpu_each == pytest.approx((50, 100, 200))


def test_the_least_app_has_our_host_file_and_notes_each_end(tmp_path: Path):
    assert copy_noop_app(tmp_path) == tmp_path
    assert json.loads((tmp_path / "host.json").read_text())["version"] == "2.0"
    assert f'"{ENDED}"' in (tmp_path / "function_app.py").read_text()
    assert read_ends(tmp_path) == {}
    (tmp_path / ENDED).write_text("a 1.5\nb 2.5\n")
    assert read_ends(tmp_path) == {"a": 1.5, "b": 2.5}
