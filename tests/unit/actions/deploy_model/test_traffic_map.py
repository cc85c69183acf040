"""Traffic maps: shares are kept, and nothing is lost in rounding."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.deploy_model.traffic_map import same, serving, shared


@st.composite
def maps(draw: st.DrawFn) -> dict[str, int]:
    cuts = sorted(draw(st.lists(st.integers(0, 100), max_size=4)))
    edges = [0, *cuts, 100]
    return {f"d{i}": high - low for i, (low, high) in enumerate(pairwise(edges))}


@given(maps(), st.sets(st.sampled_from(["d0", "d1", "d2", "d3", "d4"])))
def test_what_is_shared_goes_to_the_able_alone_and_sums_to_100_or_0(
    traffic: dict[str, int], able: set[str]
) -> None:
    result = shared(traffic, able)
    assert set(serving(result)) <= able
    assert sum(result.values()) == (100 if set(serving(traffic)) & able else 0)


@given(maps())
def test_a_map_whose_deployments_all_serve_is_given_back_exactly(traffic: dict[str, int]) -> None:
    assert shared(traffic, set(traffic)) == traffic


def test_no_traffic_is_the_same_as_none_named() -> None:
    assert same({"blue": 100, "green": 0}, {"blue": 100})
    assert not same({"blue": 100}, {"blue": 90, "green": 10})
