"""Traffic maps: shares are kept, and nothing is lost in rounding."""

from collections.abc import Collection
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.deploy_model.traffic_map import (
    DeploymentNames,
    format_traffic,
    is_same_traffic,
    keep_shares,
    other_holders,
    same_name,
    scale_shares,
    share_of,
    traffic_holders,
)


@st.composite
def maps(draw: st.DrawFn) -> dict[str, int]:
    cuts = sorted(draw(st.lists(st.integers(0, 100), max_size=4)))
    edges = [0, *cuts, 100]
    return {f"d{i}": high - low for i, (low, high) in enumerate(pairwise(edges))}


@given(maps(), st.sets(st.sampled_from(["d0", "d1", "d2", "d3", "d4"])))
def test_what_is_shared_goes_to_the_able_alone_and_sums_to_100_or_0(
    traffic: dict[str, int], able: set[str]
) -> None:
    result = keep_shares(traffic, able)
    assert set(traffic_holders(result)) <= able
    assert sum(result.values()) == (100 if set(traffic_holders(traffic)) & able else 0)


@given(maps())
def test_a_map_whose_deployments_all_serve_is_given_back_exactly(traffic: dict[str, int]) -> None:
    assert keep_shares(traffic, set(traffic)) == traffic


def test_no_traffic_is_the_same_as_none_named() -> None:
    assert is_same_traffic({"blue": 100, "green": 0}, {"blue": 100})
    assert not is_same_traffic({"blue": 100}, {"blue": 90, "green": 10})


def test_names_are_the_same_in_any_casing() -> None:
    names: Collection[object] = DeploymentNames(["Blue", "bLUE", "green"])
    assert same_name("Blue", "bLUE")
    assert not same_name("Blue", "Blue2")
    assert ("BLUE" in names, "red" in names, 1 in names) == (True, False, False)
    assert (list(names), len(names)) == (["bLUE", "green"], 2)
    assert is_same_traffic({"Blue": 100}, {"bLUE": 100})
    assert not is_same_traffic({"Blue": 100}, {"Blue": 99})
    assert share_of({"Blue": 90, "green": 10}, "bLUE") == 90
    assert share_of({"Blue": 40, "bLUE": 50, "green": 10}, "blue") == 90
    assert share_of({"Blue": 100}, "green") == 0
    assert other_holders({"Blue": 90, "green": 10, "red": 0}, "bLUE") == {"green": 10}


@pytest.mark.parametrize(
    ("traffic", "able", "left"),
    [
        ({"Blue": 70, "green": 30}, ["BLUE"], {"Blue": 100}),
        ({"a": 100, "b": 0, "c": 0}, ["a", "b"], {"a": 100, "b": 0, "c": 0}),
        ({"a": 60, "b": 30, "c": 10, "d": 0}, ["a", "b", "d"], {"a": 67, "b": 33}),
        ({"a": 100, "b": 0}, ["b"], {}),
        ({"a": 0}, [], {"a": 0}),
    ],
)
def test_the_able_take_over_the_share_of_the_others(traffic: dict, able: list, left: dict) -> None:
    assert keep_shares(traffic, able) == left


@pytest.mark.parametrize(
    ("shares", "total", "wanted"),
    [
        ({"c": 1, "B": 1, "a": 1}, 100, {"a": 34, "B": 33, "c": 33}),
        ({"a": 70, "b": 29, "c": 1}, 90, {"a": 63, "b": 26, "c": 1}),
        ({"a": 99, "b": 1}, 10, {"a": 10}),
        ({}, 100, {}),
        ({"a": 0}, 100, {}),
    ],
    ids=["by name", "the greatest rest", "nothing left", "none", "no traffic"],
)
def test_what_rounding_leaves_goes_to_the_greatest_rest(shares: dict, total: int, wanted: dict) -> None:
    assert scale_shares(shares, total) == wanted


def test_a_map_reads_as_people_say_it() -> None:
    assert format_traffic({"blue": 90, "green": 10, "red": 0}) == "blue 90 %, green 10 %"
    assert format_traffic({"red": 0}) == "none"
