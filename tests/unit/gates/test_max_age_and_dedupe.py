"""The gates on an event alone: its age, and what makes it the same as another."""

from datetime import UTC, datetime, timedelta

import pytest

from mlevents.gates.dedupe import identity
from mlevents.gates.max_age import too_old, words

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "says"),
    [
        (0, None),
        (3600, None),
        (3601, "is 60 minutes old, more than 60 minutes"),
        (86_400, "is 24 hours old, more than 60 minutes"),
        (-300, None),
        (-301, "is 5 minutes ahead of now, more than 5 minutes"),
    ],
)
def test_an_event_is_acted_on_up_to_its_greatest_age_and_five_minutes_ahead(age, says):
    time = (NOW - timedelta(seconds=age)).isoformat()
    found = too_old(time, 3600.0, NOW)
    assert found is None if says is None else says in (found or "")
    assert too_old(time, None, NOW) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.5, "0.5 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (179, "2 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (172_799, "47 hours"),
        (172_800, "2 days"),
        (259_199, "2 days"),
    ],
)
def test_an_age_is_in_the_largest_unit_of_which_there_are_two(seconds, said):
    assert words(seconds) == said


def test_the_same_value_is_the_same_response_and_another_is_not():
    values = ["a", "b", 1, "1", 1.5, True, None, ""]
    assert len({identity(value) for value in values}) == len(values)
    assert identity("a") == identity("a")


@pytest.mark.parametrize(("value", "kind"), [({}, "a map"), ([], "a list")])
def test_a_map_or_a_list_is_nobodys_identity(value, kind):
    with pytest.raises(ValueError, match=f"the value is {kind}: name one value"):
        identity(value)
