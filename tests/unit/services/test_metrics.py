"""Metrics as Resource Manager gives them, and all that Azure Monitor might give instead."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import TransientError
from mlevents.services.metrics import MOST_SERIES, Metrics
from tests.unit.stand_ins import WORKSPACE

ENDPOINT = f"{WORKSPACE}/onlineEndpoints/fraud"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "name", "timeseries", "data", "average"]), inner)
    ),
    max_leaves=12,
)


class Manager(Any):
    """Resource Manager of people's size: gives these answers in turn, and remembers the queries."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def read(self, path: str, query: Mapping[str, str], _what: str) -> Any:
        self.asked.append((path, query))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def series(deployment: str, *points: Any, status: str = "", name: str = "deployment") -> dict[str, Any]:
    labels = [{"name": {"value": name}, "value": deployment}]
    labels += [{"name": {"value": "statuscode"}, "value": status}] if status else []
    data = [{"timeStamp": ago(3 + at), "average": value} for at, value in enumerate(points)]
    return {"metadatavalues": labels, "data": data}


def answer(*found: dict[str, Any], metric: str = "RequestsPerMinute", **more: Any) -> dict[str, Any]:
    one = {"name": {"value": metric}, "timeseries": list(found), "errorCode": "Success", **more}
    return {"cost": 1, "timespan": "x/y", "interval": "PT1M", "value": [one]}


def read(*answers: Any, span: float = 600.0, percentiles: tuple[str, ...] = ()) -> Any:
    return Metrics(Manager(*answers)).minutes(ENDPOINT, span, percentiles)


def test_the_endpoint_itself_is_asked_in_the_documented_words() -> None:
    manager = Manager(answer())
    Metrics(manager).minutes(ENDPOINT, 600, {"P95", "P50"})
    assert {path for path, _ in manager.asked} == {f"{ENDPOINT}/providers/Microsoft.Insights/metrics"}
    requests, latencies = (query for _, query in manager.asked)
    assert requests["$filter"] == "deployment eq '*' and statusCode eq '*'"
    assert (requests["api-version"], requests["interval"], requests["aggregation"]) == (
        *("2024-02-01", "PT1M", "Average"),
    )
    assert latencies["metricnames"] == "RequestLatency_P50,RequestLatency_P95"
    assert latencies["$filter"] == "deployment eq '*'"
    assert int(latencies["top"]) == MOST_SERIES


def test_dimensions_and_deployments_compare_without_case() -> None:
    found = read(answer(series("Blue", 5, status="200", name="Deployment"), series("blue", 3, status="503")))
    [minute] = found["blue"]
    assert (minute.requests, minute.errors) == (8, 3)


def test_a_long_span_is_read_a_day_at_a_time() -> None:
    manager = Manager(answer())
    Metrics(manager).minutes(ENDPOINT, 2.5 * 86_400, ())
    spans = [query["timespan"].split("/") for _, query in manager.asked]
    assert len(spans) == 3
    ends = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in spans]
    assert all(end - start <= timedelta(days=1) for start, end in ends)
    assert all(one[1] == following[0] for one, following in pairwise(ends))
    assert (ends[-1][1] - ends[0][0]).total_seconds() == pytest.approx(2.5 * 86_400, abs=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "12", True, {}, []])
def test_a_value_that_is_no_number_marks_its_minute_and_no_other(value: object) -> None:
    fresh, old = read(answer(series("blue", value, 7, status="200")))["blue"]
    assert (fresh.unreadable, fresh.requests, fresh.errors) == (True, 0, 0)
    assert (old.unreadable, old.requests) == (False, 7)


@pytest.mark.parametrize("value", [float("nan"), "fast"])
def test_a_latency_that_is_no_number_marks_its_minute(value: object) -> None:
    latencies = answer(series("blue", value), metric="RequestLatency_P95")
    [minute] = read(answer(series("blue", 9, status="200")), latencies, percentiles=("P95",))["blue"]
    assert (minute.requests, minute.latency, minute.unreadable) == (9, {}, True)


def test_minutes_without_a_value_are_left_out() -> None:
    assert read(answer(series("blue", None, None, status="200"))) == {}


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({}, "cannot be read"),
        ({"value": None}, "cannot be read"),
        (answer({"data": []}), "cannot be read"),
        (answer({"metadatavalues": [], "data": [{"timeStamp": "noon", "average": 1}]}), "cannot be read"),
        (answer(errorCode="Throttled", errorMessage="slow down"), "answered Throttled.*slow down"),
        (answer(*[series("blue", 1)] * MOST_SERIES), "some may be missing"),
    ],
)
def test_an_answer_that_cannot_be_read_is_read_again(broken: Any, says: str) -> None:
    with pytest.raises(TransientError, match=says):
        read(broken)


@given(ANYTHING)
def test_no_answer_raises_anything_but_a_transient_error(value: Any) -> None:
    with suppress(TransientError):
        read({"value": value})
