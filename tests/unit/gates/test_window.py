"""A response acts only within the hours of a local calendar, whatever its clock does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlevents.events import Event
from mlevents.gates.opening_hours import MINUTES_A_DAY, OpeningHours
from mlevents.gates.window import Window, parse_days, parse_time
from tests.unit.gates.gate_world import WORKSPACE, GateWorld, message
from tests.unit.rules.rule_files import HEAD, TELL, problems

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {"days": "mon-fri", "from": "09:00", "to": "17:00", "zone": "Europe/Berlin", "outside": "wait"}
EVENT = Event("e1", "model.registered", ("model.registered",), None, "models/net:7", WORKSPACE, {})
SPRING, AUTUMN = (2026, 3, 29), (2026, 10, 25)
"""The days on which the clock of Berlin skips the hour from 2:00, and shows it twice."""


def berlin(*numbers: int, fold: int = 0) -> datetime:
    return datetime(*numbers, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[misc, arg-type]


def hours(days: Any = "mon-sun", start: str = "09:00", end: str = "17:00", zone: str = "Europe/Berlin"):
    return OpeningHours(parse_days(days), parse_time(start), parse_time(end), ZoneInfo(zone))


def respond(world: GateWorld, name: str, now: datetime, **changes: Any) -> dict[str, Any]:
    world.now = now
    return world.respond(name, {"window": {**OFFICE, **changes}})


def test_within_the_hours_a_response_acts_at_once():
    world = GateWorld()
    outcome = respond(world, "one", berlin(2026, 1, 5, 9, 0))
    assert outcome["status"] == "done"
    assert outcome["gates"] == [
        {"gate": "window", "status": "passed", "detail": "it is Mon 2026-01-05 09:00 Europe/Berlin"}
    ]
    assert world.now == berlin(2026, 1, 5, 9, 0)


def test_outside_of_them_it_waits_until_they_begin():
    world = GateWorld()
    assert respond(world, "one", berlin(2026, 1, 2, 17, 0))["status"] == "done"
    assert timedelta() <= world.now - berlin(2026, 1, 5, 9, 0) < timedelta(seconds=1)


def test_a_wait_over_a_change_of_the_clock_ends_by_the_local_clock():
    world = GateWorld()
    respond(world, "one", berlin(2026, 3, 27, 18, 0))
    assert world.now - berlin(2026, 3, 30, 9, 0) < timedelta(seconds=1)
    assert world.now - berlin(2026, 3, 27, 18, 0) < timedelta(hours=62.1), "an hour less than usual"


def test_a_wait_of_many_days_is_one_wait():
    world = GateWorld()
    assert respond(world, "one", berlin(2026, 1, 5, 9, 0), days="sun")["status"] == "done"
    assert timedelta() <= world.now - berlin(2026, 1, 11, 9, 0) < timedelta(seconds=1)


def test_or_it_stops_and_says_what_time_it_is():
    world = GateWorld()
    outcome = respond(world, "one", berlin(2026, 1, 3, 10, 30), outside="stop")
    assert (outcome["status"], outcome["because"]) == (
        "stopped",
        "window: it is Sat 2026-01-03 10:30 Europe/Berlin, outside of mon-fri 09:00-17:00",
    )
    assert not world.performed


def test_one_that_waits_can_be_cancelled_and_gives_its_place_back():
    world = GateWorld(now=berlin(2026, 1, 3, 10, 30))
    world.raises = lambda _, turn: [message("cancel")] if turn == 3 else []
    gates = {"budget": {"key": "all", "at_most": 1, "per": "7d"}, "window": OFFICE}
    outcome = world.respond("one", gates)
    assert (outcome["status"], outcome["because"]) == ("stopped", "cancel: by someone@example.com")
    assert not world.performed
    world.raises = lambda *_: []
    world.now = berlin(2026, 1, 5, 9, 1)
    assert world.respond("two", gates)["status"] == "done"


def test_a_place_in_the_budget_counts_when_the_response_acts():
    world = GateWorld(now=berlin(2026, 1, 2, 18, 0))
    gates = {"budget": {"key": "all", "at_most": 1, "per": "24h"}, "window": OFFICE}
    assert world.respond("friday", gates)["status"] == "done"
    world.now = berlin(2026, 1, 3, 18, 30)
    assert world.respond("saturday", gates)["status"] == "stopped", "both would act on Monday at 9:00"


@pytest.mark.parametrize(
    ("local", "is_open"),
    [
        ((2026, 1, 2, 21, 59), False),
        ((2026, 1, 2, 22, 0), True),
        ((2026, 1, 3, 5, 59), True),
        ((2026, 1, 3, 6, 0), False),
        ((2026, 1, 3, 23, 0), False),
        ((2026, 1, 2, 5, 0), False),
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(local: tuple[int, ...], is_open: bool):
    assert hours("fri", "22:00", "06:00").is_open(berlin(*local)) == is_open


@pytest.mark.parametrize(
    ("start", "end", "after", "opening"),
    [
        ("02:30", "05:00", berlin(*SPRING, 1, 0), berlin(*SPRING, 3, 0)),
        ("02:15", "02:45", berlin(*SPRING, 1, 0), berlin(2026, 3, 30, 2, 15)),
        ("02:30", "05:00", berlin(*AUTUMN, 1, 0), berlin(*AUTUMN, 2, 30)),
        ("02:15", "02:45", berlin(*AUTUMN, 2, 50), berlin(*AUTUMN, 2, 15, fold=1)),
        ("01:00", "02:30", berlin(*AUTUMN, 2, 45), berlin(*AUTUMN, 2, 0, fold=1)),
        ("22:00", "24:00", berlin(*SPRING, 1, 0), berlin(*SPRING, 22, 0)),
    ],
)
def test_a_time_that_the_clock_skips_or_shows_twice(start: str, end: str, after: datetime, opening: datetime):
    assert hours("mon-sun", start, end).find_opening(after) == opening


ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Santiago",
    "UTC",
)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.integers(0, 6), min_size=1),
    st.tuples(st.integers(0, MINUTES_A_DAY - 1), st.integers(0, MINUTES_A_DAY)).filter(
        lambda x: x[0] != x[1]
    ),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
def test_nothing_opens_before_the_opening(days: set[int], span: tuple[int, int], zone: str, after: datetime):
    found = OpeningHours(frozenset(days), *span, ZoneInfo(zone))
    at = after.replace(tzinfo=UTC, second=0, microsecond=0)
    opening = found.find_opening(at)
    assert found.is_open(opening)
    assert opening > at
    if found.is_open(at):  # then it closes first
        return
    minutes = range(1, int((opening - at).total_seconds() // 60))
    assert not any(found.is_open(at + timedelta(minutes=one)) for one in minutes)


def test_explain_says_what_happens_now():
    window = Window.model_validate(OFFICE)
    said = " mon-fri 09:00-17:00: it is "
    assert window.preview(EVENT, berlin(2026, 1, 5, 9, 0)) == (
        True,
        f"{said}Mon 2026-01-05 09:00 Europe/Berlin, inside",
    )
    saturday = berlin(2026, 1, 3, 9, 0)
    assert window.preview(EVENT, saturday) == (
        None,
        f"{said}Sat 2026-01-03 09:00 Europe/Berlin: waits until Mon 2026-01-05 09:00 Europe/Berlin",
    )
    stops = Window.model_validate({**OFFICE, "outside": "stop"})
    assert stops.preview(EVENT, saturday) == (
        False,
        f"{said}Sat 2026-01-03 09:00 Europe/Berlin, outside: stops",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("days: mon-fry", "window.days: 'fry' in 'mon-fry' is not a day (did you mean 'fri'?)"),
        ("days: monday", "window.days: 'monday' is not a day (did you mean 'mon'?)"),
        ("days: [mon, 5]", "window.days"),
        ("days: []", "window.days"),
        ("from: 9", "window.from: '9' is not a time of day: write hours and minutes, such as 09:00"),
        ("from: 9am", "window.from: '9am' is not a time of day"),
        ('from: "24:00"', "the hours are from 24:00 to 17:00: for a complete day, write 00:00 to 24:00"),
        ('to: "24:01"', "window.to: '24:01' is not a time of day"),
        ('to: "09:60"', "window.to: '09:60' is not a time of day"),
        ("to: 09:00", "the hours are from 09:00 to 09:00: for a complete day, write 00:00 to 24:00"),
        ("zone: europe/berlin", "'europe/berlin' is not a known time zone (did you mean 'Europe/Berlin'?)"),
        ("zone: Berlin", "'Berlin' is not a known time zone (did you mean 'Europe/Berlin'?)"),
        ("zone: Europe/Berln", "'Europe/Berln' is not a known time zone (did you mean 'Europe/Berlin'?)"),
        ("zone: Europe", "'Europe' is not a known time zone"),
        ("zone: ../etc/passwd", "is not a known time zone"),
        ("outside: defer", "window.outside"),
    ],
)
def test_what_is_wrong_in_it_is_found_when_the_file_loads(changes: str, said: str):
    key = changes.partition(":")[0]
    known = ", ".join(f'{name}: "{value}"' for name, value in OFFICE.items() if name != key)
    found = problems(f"{HEAD}    window: {{{known}, {changes}}}\n{TELL}")
    assert any(said in one for one in found), found


def test_days_and_times_may_be_written_in_several_ways():
    assert parse_days("fri-mon") == {4, 5, 6, 0}
    assert parse_days(["Mon", "wed-thu"]) == {0, 2, 3}
    assert parse_time("9:05") == 545
    written = "{days: [sat, sun], from: 9:00, to: 24:00, zone: UTC}"
    assert not problems(f"{HEAD}    window: {written}\n{TELL}")
