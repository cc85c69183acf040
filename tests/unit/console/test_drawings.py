"""The console's drawings: boxes fill width and height, a limit lies where its value would."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.console.drawings import (
    CHART_HEIGHT,
    CHART_WIDTH,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    TrafficPhase,
    draw_spark,
    draw_traffic,
    list_serving,
)

shares = st.integers(0, 100).map(lambda new: {"old": 100 - new, "new": new})
phases = st.lists(
    st.builds(TrafficPhase, st.just("phase"), st.floats(0, 1e6), shares), min_size=1, max_size=12
)


@given(phases)
def test_the_boxes_of_all_phases_fill_the_drawing(drawn: list[TrafficPhase]):
    boxes = draw_traffic(drawn)
    assert sum(box.width * box.height for box in boxes) == pytest.approx(CHART_WIDTH * CHART_HEIGHT)
    assert all(0 <= box.y <= box.y + box.height <= CHART_HEIGHT + 1e-6 for box in boxes)
    assert all(first.x <= second.x for first, second in pairwise(boxes))


def test_a_deployment_has_one_color_in_all_phases():
    drawn = [TrafficPhase("10 %", 60, {"old": 90, "new": 10}), TrafficPhase("100 %", 60, {"new": 100})]
    colors = {(box.deployment, box.color) for box in draw_traffic(drawn)}
    assert colors == {("old", 0), ("new", 1)}
    assert list_serving(drawn) == ["old", "new"]


def test_a_longer_phase_is_wider_and_a_short_one_can_still_be_seen():
    drawn = [TrafficPhase("smoke test", 1, {"old": 100}), TrafficPhase("10 %", 600, {"old": 100})]
    short, long = draw_traffic(drawn)
    assert long.width > 10 * short.width
    assert short.width > 20


def test_a_limit_lies_where_a_value_of_its_size_would():
    spark = draw_spark([0.0, 0.02, 0.01], 0.02)
    heights = [float(point.partition(",")[2]) for point in spark.points.split()]
    assert heights[1] == spark.limit
    assert heights[0] > heights[2] > heights[1]


@given(st.lists(st.floats(-1e9, 1e9), max_size=50), st.none() | st.floats(-1e9, 1e9))
def test_a_sparkline_stays_within_its_drawing(values: list[float], limit: float | None):
    points = [tuple(map(float, point.split(","))) for point in draw_spark(values, limit).points.split()]
    assert len(points) == len(values)
    assert all(0 <= x <= SPARK_WIDTH + 0.1 and 0 <= y <= SPARK_HEIGHT for x, y in points)
