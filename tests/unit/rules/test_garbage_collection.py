"""Loading leaves the collector of garbage as it was, whatever happens meanwhile."""

import gc

import pytest

from mlevents.rules.garbage_collection import MANY, pause_collection


def make_lists(number: int) -> list[list[int]]:
    """New objects, made in the pause; it ends with an error where there are none."""
    with pause_collection():
        assert not gc.isenabled()
        return [[1 // number] for _ in range(number or 1)]


def test_the_collector_goes_on_and_new_objects_are_old():
    kept = make_lists(2 * MANY)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert gc.get_count()[0] < len(kept)


def test_the_collector_goes_on_after_an_error():
    with pytest.raises(ZeroDivisionError):
        make_lists(0)
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off():
    gc.disable()
    try:
        with pause_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
