"""Synthetic traffic goes where the endpoint's maps send it, and shows in the metrics."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.machine_learning.scores import Score
from sandbox.azure.machine_learning.traffic import WeightedRouting
from tests.sandbox.arm_server import Server, serving, until

LOAD = "/_sandbox/load"
SPEED = 6000.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("ca"), speed=SPEED) as running:
        place(running, "net", {"blue": 90, "green": 10})
        yield running


@pytest.fixture(autouse=True)
def silence(server: Server) -> Iterator[None]:
    yield
    server.call("DELETE", LOAD)
    scores(server).clear()


def place(server: Server, name: str, traffic: Mapping[str, int], **properties: Any) -> None:
    model = {"properties": {"modelUri": "azureml://x", "modelType": "mlflow_model"}}
    server.call("PUT", "models/m/versions/1", json=model)
    body = {"location": "westeurope", "properties": {"authMode": "Key"}}
    server.call("PUT", f"onlineEndpoints/{name}", json=body)
    settled(server, f"onlineEndpoints/{name}")
    reference = f"{server.manager.workspace_id}/models/m/versions/1"
    asked = {"endpointComputeType": "Managed", "instanceType": "Standard_DS3_v2", "model": reference}
    for one in traffic:
        path = f"onlineEndpoints/{name}/deployments/{one}"
        server.call("PUT", path, json={"location": "westeurope", "properties": asked})
        settled(server, path)
    route(server, name, traffic=dict(traffic), **properties)


def route(server: Server, name: str, **properties: Any) -> None:
    body = {"location": "westeurope", "properties": {"authMode": "Key", **properties}}
    assert server.call("PUT", f"onlineEndpoints/{name}", json=body).status_code == 200
    settled(server, f"onlineEndpoints/{name}")


def settled(server: Server, path: str) -> None:
    until(lambda: server.call("GET", path).json()["properties"]["provisioningState"] == "Succeeded")


def scores(server: Server) -> Any:
    return server.manager.machine_learning.scoring.scores


def load(server: Server, **wanted: Any) -> None:
    answer = server.call("POST", LOAD, json={"endpoint": "net", **wanted})
    assert answer.status_code == 204, answer.text


def counted(server: Server, least: int = 2000, skipped: int = 0) -> dict[str, int]:
    """Requests by deployment, once there are enough; without the answers that are skipped."""

    def total() -> dict[str, int]:
        found: dict[str, int] = {}
        for one in list(scores(server))[skipped:]:
            name = f"{one.deployment} copied" if one.mirrored else one.deployment
            found[name] = found.get(name, 0) + one.count
        return found if sum(found.values()) >= least else {}

    found: dict[str, int] = until(total)
    return found


def test_it_follows_the_traffic_map(server: Server) -> None:
    load(server, rps=10)
    found = counted(server)
    assert set(found) == {"blue", "green"}
    assert found["green"] / sum(found.values()) == pytest.approx(0.1, abs=0.01)


def test_it_is_copied_by_the_mirror(server: Server) -> None:
    place(server, "copying", {"blue": 100, "green": 0})
    route(server, "copying", traffic={"blue": 100}, mirrorTraffic={"green": 20})
    load(server, endpoint="COPYING", rps=10)
    found = counted(server)
    assert set(found) == {"blue", "green copied"}
    assert found["green copied"] / found["blue"] == pytest.approx(0.2, abs=0.02)


def test_errors_and_latencies_are_as_asked_for_and_in_the_metrics(server: Server) -> None:
    load(server, rps=10, error_rate=0.25, latency_ms=80)
    counted(server)
    time.sleep(240 / SPEED)  # until what was answered shows
    path = "onlineEndpoints/net/providers/Microsoft.Insights/metrics"
    query = {"metricnames": "RequestsPerMinute", "$filter": "deployment eq 'blue' and statusCode eq '*'"}
    [metric] = server.call("GET", path, params=query).json()["value"]
    sums = {
        one["metadatavalues"][1]["value"]: sum(point["average"] for point in one["data"])
        for one in metric["timeseries"]
    }
    assert sums["424"] / (sums["424"] + sums["200"]) == pytest.approx(0.25, abs=0.02)
    query = {"metricnames": "RequestLatency_P95", "$filter": "deployment eq 'blue'"}
    [metric] = server.call("GET", path, params=query).json()["value"]
    assert {point["average"] for one in metric["timeseries"] for point in one["data"]} == {80}


def test_a_deployment_with_its_own_gets_that_instead_of_its_share(server: Server) -> None:
    load(server, rps=10)
    load(server, deployment="GREEN", rps=30, error_rate=1)
    found = counted(server, 4000, skipped=len(scores(server)))
    assert found["green"] / found["blue"] == pytest.approx(30 / 9, rel=0.1)
    assert {one.status for one in list(scores(server)) if one.deployment == "green"} <= {424, 200}
    last = [one for one in list(scores(server)) if one.deployment == "green"][-1]
    assert last.status == 424


def test_no_requests_are_silence(server: Server) -> None:
    load(server, rps=10)
    counted(server)
    load(server, deployment="green", rps=0)
    time.sleep(0.15)
    scores(server).clear()
    assert set(counted(server)) == {"blue"}
    load(server, rps=0)
    time.sleep(0.15)
    scores(server).clear()
    time.sleep(0.15)
    assert not scores(server)


def test_a_deployment_that_is_not_there_yet_gets_it_later(server: Server) -> None:
    place(server, "later", {})
    load(server, endpoint="later", rps=10)
    load(server, endpoint="later", rps=10, deployment="BLUE")
    time.sleep(0.1)
    assert not scores(server)
    place(server, "later", {"blue": 100})
    assert set(counted(server)) == {"blue"}


@pytest.mark.parametrize("rps", [1, 0])
def test_an_endpoint_that_is_not_there_is_named(server: Server, rps: int) -> None:
    answer = server.call("POST", LOAD, json={"endpoint": "nett", "rps": rps})
    assert answer.status_code == 404
    assert answer.json() == {"error": "there is no endpoint 'nett': create it first"}
    assert server.call("GET", LOAD).json() == []


def test_it_is_listed_and_taken_back(server: Server) -> None:
    load(server, rps=1, latency_ms=5)
    assert server.call("GET", LOAD).json() == [{"endpoint": "net", "rps": 1, "latency_ms": 5}]
    server.call("DELETE", LOAD)
    assert server.call("GET", LOAD).json() == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "'endpoint' is required"),
        ({"endpoint": "net"}, "'rps' is required"),
        ({"endpoint": "net", "rps": -1}, "'rps' is -1: give a number from 0"),
        ({"endpoint": "net", "rps": "5"}, "'rps' is '5': give a number"),
        ({"endpoint": "net", "rps": True}, "'rps' is True: give a number"),
        ({"endpoint": "net", "rps": 1, "error_rate": 1.5}, "'error_rate' is 1.5: give a number from 0 to 1"),
        ({"endpoint": "net", "rps": 1, "latency": 5}, "unknown property 'latency'"),
        ({"endpoint": 7, "rps": 1}, "'endpoint' must be a text"),
        ([], "must be an object"),
    ],
)
def test_a_bad_load_is_refused_with_its_reason(server: Server, wanted: Any, said: str) -> None:
    answer = server.call("POST", LOAD, json=wanted)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert server.call("GET", LOAD).json() == []


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 100), min_size=1),
    st.lists(st.integers(0, 500), min_size=1, max_size=20),
)
def test_dealing_loses_nothing_and_keeps_to_the_shares(shares: dict[str, int], counts: list[int]) -> None:
    turns, total = WeightedRouting(), dict.fromkeys(shares, 0)
    for count in counts:
        dealt = turns.distribute("key", shares, count)
        assert sum(dealt.values()) == (count if sum(shares.values()) else 0)
        assert all(number > 0 for number in dealt.values())
        for name, number in dealt.items():
            total[name] += number
    whole = sum(shares.values())
    for name, share in shares.items():
        expected = sum(counts) * share / whole if whole else 0
        assert abs(total[name] - expected) <= len(shares)


def test_an_entry_counts_as_often_as_it_says(server: Server) -> None:
    scores(server).append(Score(0, "net", "blue", 200, 0.1, False, 200, 7))
    assert server.manager.machine_learning.scoring.count_answers() == {"net/blue": {"200": 7}}
