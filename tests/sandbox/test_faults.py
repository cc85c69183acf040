"""Failures on demand."""

import time
from collections.abc import Iterator

import pytest
import requests

from tests.sandbox.arm_server import Server


@pytest.fixture(autouse=True)
def fresh(server) -> Iterator[None]:
    yield
    server.call("DELETE", "/_sandbox/faults")


def status(server: Server) -> int:
    return server.call("GET", "").status_code


def test_a_status_comes_as_often_as_asked(server) -> None:
    server.fault(match="GET .*", status=429, times=2, headers={"Retry-After": "7"})
    response = server.call("GET", "")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert response.json()["error"]["code"] == "TooManyRequests"
    assert [status(server), status(server)] == [429, 200]


def test_only_calls_that_match_fail(server) -> None:
    server.fault(match="PUT .*/jobs/.*", status=503)
    assert status(server) == 200
    assert server.call("PUT", "jobs/j", json={}).status_code == 503


def test_faults_come_one_after_another(server) -> None:
    server.fault(match="GET .*", status=500)
    server.fault(match="GET .*", status=503, body={"own": True})
    assert status(server) == 500
    assert server.call("GET", "").json() == {"own": True}


def test_a_dropped_connection_has_no_answer(server) -> None:
    server.fault(match="GET .*", drop=True)
    with pytest.raises(requests.exceptions.ConnectionError):
        status(server)
    assert server.call("GET", "/_sandbox/requests").json()[-1]["status"] == 0
    assert status(server) == 200


def test_a_delay_delays(server) -> None:
    server.fault(match="GET .*", delay=0.3)
    started = time.perf_counter()
    assert status(server) == 200
    assert time.perf_counter() - started >= 0.3


def test_what_was_asked_is_listed_and_taken_back(server) -> None:
    first = server.fault(match="GET .*", status=500, times=3).json()
    server.fault(match="PUT .*", drop=True)
    status(server)
    listed = server.call("GET", "/_sandbox/faults").json()
    assert (listed[0]["id"], listed[0]["left"], listed[0]["hits"]) == (first["id"], 2, 1)
    server.call("DELETE", f"/_sandbox/faults/{first['id']}")
    assert [fault["match"] for fault in server.call("GET", "/_sandbox/faults").json()] == ["PUT .*"]
    server.call("DELETE", "/_sandbox/faults")
    assert server.call("GET", "/_sandbox/faults").json() == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "'match' is required"),
        ({"match": "GET ("}, "'match' is 'GET (', which is not a valid regular expression"),
        ({"match": "GET .*"}, "one of 'status', 'body', 'drop', 'delay' and 'fail_operation' is required"),
        ({"match": "GET .*", "status": "429"}, "'status' must be a whole number, not a text"),
        ({"match": "GET .*", "status": 42}, "'status' is 42: give 200 to 599"),
        ({"match": "GET .*", "status": 500, "times": 0}, "'times' is 0: give 1 or more"),
        ({"match": "GET .*", "status": 500, "drop": True}, "'status' and 'drop' exclude each other"),
        ({"match": "GET .*", "delay": -1}, "'delay' is -1: give a number from 0"),
        ({"match": "GET .*", "fail_operation": {}}, "'fail_operation.code' is required"),
        ({"match": "GET .*", "statsu": 500}, "unknown property 'statsu'"),
        ({"match": "GET .*", "status": 500, "skip": -1}, "'skip' is -1: give 0 or more"),
        ({"match": "GET .*", "status": 500, "skip": "1"}, "'skip' must be a whole number"),
        ({"match": "GET .*", "status": 500, "after": 1}, "'after' must be true or false"),
        ({"match": "GET .*", "delay": 1, "after": True}, "'after' replaces the answer: add 'status'"),
        (
            {"match": "GET .*", "fail_operation": {"code": "X"}, "after": True},
            "'after' replaces the answer: add 'status'",
        ),
        ({"match": "GET .*", "after": True}, "one of 'status', 'body'"),
        ({"match": "GET .*", "drop": True, "body": "x"}, "'drop' and 'body' exclude each other"),
        ([], "must be an object, not an array"),
    ],
)
def test_a_bad_fault_is_refused_with_its_reason(server, fault, message) -> None:
    response = server.call("POST", "/_sandbox/faults", json=fault)
    assert response.status_code == 400
    assert message in response.json()["error"]


def test_a_body_that_is_no_json_is_refused(server) -> None:
    assert server.call("POST", "/_sandbox/faults", data="{").status_code == 400


def test_some_requests_pass_first(server) -> None:
    server.fault(match="GET .*", status=404, skip=2, times=2)
    assert [status(server) for _ in range(5)] == [200, 200, 404, 404, 200]


def test_what_one_fault_lets_pass_another_may_strike(server) -> None:
    server.fault(match="GET .*", status=404, skip=1)
    server.fault(match="GET .*", status=500)
    assert [status(server) for _ in range(3)] == [500, 404, 200]


@pytest.mark.parametrize("end", [{"status": 503}, {"drop": True}, {"body": "<html>"}])
def test_an_answer_can_be_lost_after_the_work_is_done(server, end) -> None:
    name = f"m-{next(iter(end))}"
    server.fault(match=f"PUT .*/{name}/versions/1", after=True, **end)
    body = {"properties": {"modelUri": "azureml://x", "modelType": "mlflow_model"}}
    if "drop" in end:
        with pytest.raises(requests.exceptions.ConnectionError):
            server.call("PUT", f"models/{name}/versions/1", json=body)
    else:
        answer = server.call("PUT", f"models/{name}/versions/1", json=body)
        assert (answer.status_code, answer.ok) == (end.get("status", 200), "status" not in end)
    assert server.call("GET", f"models/{name}/versions/1").status_code == 200, "it was done all the same"


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ("<html>busy</html>", "<html>busy</html>", "text/html"),
        ('{"value": [', '{"value": [', "application/json"),
        ({"a": 1}, '{"a": 1}', "application/json"),
        ("", "", "application/json"),
    ],
)
def test_a_body_that_is_a_text_is_sent_as_it_stands(server, body, text, kind) -> None:
    server.fault(match="GET .*", body=body)
    answer = server.call("GET", "")
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["Content-Type"].startswith(kind)


def test_headers_of_a_fault_win(server) -> None:
    server.fault(match="GET .*", body="{", headers={"Content-Type": "text/plain"})
    assert server.call("GET", "").headers["Content-Type"] == "text/plain"
