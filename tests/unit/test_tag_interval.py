"""How often the tags of models are compared: each interval that the setting takes is one of the timer."""

from datetime import UTC, datetime, timedelta

import pytest

from mlevents.errors import ConfigError
from mlevents.settings import Settings
from mlevents.tag_interval import read_tag_schedule
from sandbox.host.timer_schedule import parse_schedule

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("minutes", [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60])
def test_the_timer_runs_at_this_interval_also_across_the_hour(minutes: int):
    text = "1h" if minutes == 60 else f"{minutes}m"
    schedule = parse_schedule(read_tag_schedule({"MLEVENTS_TAG_WATCH": text}))
    moment = schedule.after(NEW_YEAR)
    for _ in range(100):
        following = schedule.after(moment)
        assert following - moment == timedelta(minutes=minutes)
        moment = following


def test_without_the_setting_it_is_five_minutes():
    assert read_tag_schedule({}) == Settings().tag_schedule == "0 1/5 * * * *"


@pytest.mark.parametrize("text", ["7m", "0m", "2h", "0 */5 * * * *", "5"])
def test_any_other_value_is_refused(text: str):
    with pytest.raises(ConfigError, match="set it to one of 1m, 2m"):
        Settings.read({"MLEVENTS_TAG_WATCH": text})
