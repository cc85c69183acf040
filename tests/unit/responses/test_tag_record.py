"""What is remembered of a version: late looks, unknown values, and changes that are not published yet."""

from dataclasses import replace

from mlevents.responses.tag_record import TagState, VersionLook, begin_record, register_record, select_tags

DAY = "2026-01-01T00:00:{:02}.000000+00:00"
FIRST = VersionLook(created=DAY.format(0), tags={"a": "1"})


def at(second: int) -> str:
    return DAY.format(second)


def test_a_look_that_arrives_late_counts_for_nothing():
    record = begin_record(FIRST, at(1)).look(replace(FIRST, tags={"a": "3"}), at(9))
    assert record.look(replace(FIRST, tags={"a": "2"}), at(5)) == record
    assert record.look(replace(FIRST, tags={"a": "2"}), at(10)).number == 2


def test_each_change_stays_until_it_is_confirmed():
    record = begin_record(FIRST, at(1))
    for second in (2, 3):
        record = record.look(replace(FIRST, tags={"a": str(second)}), at(second))
    assert [one.number for one in record.changes] == [1, 2]
    assert [one.number for one in record.confirm(1).changes] == [2]
    assert record.confirm(7) == record


def test_what_a_registration_does_not_say_is_filled_in_without_a_change():
    found = replace(FIRST, stage="Production", archived=True)
    record = register_record({"a": "1"}, at(0)).look(found, at(2))
    assert (record.number, record.state) == (0, TagState({"a": "1"}, "Production", True))
    assert record.look(replace(found, archived=False), at(3)).number == 1


def test_a_version_that_is_registered_again_begins_with_the_tags_of_its_registration():
    record = begin_record(FIRST, at(1)).look(replace(FIRST, tags={"a": "2"}), at(2))
    assert record.register({}, at(0)) == record  # delivered again
    again = record.register({}, "2026-01-02T00:00:00.000000+00:00")
    found = again.look(replace(FIRST, created="2026-01-02T00:00:00.100000+00:00"), "2026-01-02T00:05:00")
    assert [(one.number, one.before.tags) for one in found.changes] == [(1, {"a": "1"}), (2, {})]


def test_long_values_are_cut_and_stay_different():
    one, other = select_tags({"a": "x" * 900}), select_tags({"a": "x" * 899 + "y"})
    assert one != other
    assert len(one["a"]) <= 300
