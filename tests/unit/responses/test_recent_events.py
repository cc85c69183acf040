"""The ring of recent events: bounded, and the same whatever order its batches come in."""

from dataclasses import replace
from itertools import permutations
from typing import Any

from mlevents.responses.recent_events import EVENT_UNITS, RecentEvent, cut_event, join_ring


def event(number: int) -> dict[str, Any]:
    return {"key": f"k{number}", "received": f"2026-01-01T00:00:0{number}+00:00"}


def test_batches_that_repeat_or_change_places_give_the_same_ring():
    batches = [[event(1), event(2)], [event(3)], [event(4), event(5)], [event(3)]]
    for order in permutations(batches):
        ring: list[Any] = []
        for batch in order:
            ring = join_ring(ring, batch, 3, "2026")
        assert ring == [event(3), event(4), event(5)]


def test_what_is_too_old_is_dropped():
    assert join_ring([event(1), event(2)], [event(3)], 9, event(2)["received"]) == [event(2), event(3)]


def test_the_whole_event_is_kept_unless_it_is_long():
    one = RecentEvent("k", "2026-01-01T00:00:00+00:00", "1", "t", "s", None, "/t", "unmatched")
    brief, long = {"id": "1"}, {"id": "x" * EVENT_UNITS}
    assert cut_event(replace(one, event=brief))["event"] == brief
    assert "event" not in cut_event(replace(one, event=long))
