"""The Functions host: Event Grid's webhook and HTTP functions, as the real host answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.small_sandbox import Small, small

EVENT = {"id": "e-1", "subject": "s", "eventType": "t", "eventTime": "2026-01-01T00:00:00Z", "data": {}}
CLOUD = {"id": "c-1", "source": "s", "type": "t", "time": "2026-01-01T00:00:00Z", "specversion": "1.0"}
pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")


@pytest.fixture(scope="module")
def host() -> Iterator[Small]:
    with small() as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_seen(host: Small) -> None:
    host.app.forget()


def test_validation_is_answered_with_the_code(host: Small):
    event = {**EVENT, "data": {"validationCode": "512d38b6"}}
    answer = host.post("Raw", [event], "SubscriptionValidation")
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})
    assert host.app.seen == []


@pytest.mark.parametrize("data", ['{"validationCode": "512d38b6"}', "text", {}, None, ["validationCode"]])
def test_a_validation_whose_data_holds_no_code_fails_without_a_word(host: Small, data: object):
    answer = host.post("Raw", [{**EVENT, "data": data}], "SubscriptionValidation")
    assert (answer.status_code, answer.content) == (500, b"")


@pytest.mark.parametrize("headers", [{}, {"WebHook-Request-Origin": "somewhere.example.com"}])
def test_the_handshake_of_cloudevents_always_allows_event_grid(host: Small, headers: dict[str, str]):
    url = f"{host.url}/runtime/webhooks/eventgrid?functionName=Raw"
    answer = requests.options(url, headers=headers, timeout=5)
    assert (answer.status_code, answer.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")
    assert "WebHook-Allowed-Rate" not in answer.headers


@pytest.mark.parametrize("name", ["Nobody", "raw", "echo", ""])
def test_only_event_grid_functions_are_found_and_by_their_exact_name(host: Small, name: str):
    answer = host.post(name, [EVENT])
    assert (answer.status_code, answer.text) == (404, f"cannot find function: '{name}'")


@pytest.mark.parametrize(
    ("kind", "status"), [("Unsubscribe", 202), ("unsubscribe", 202), ("Other", 400), ("", 400)]
)
def test_other_kinds_of_delivery(host: Small, kind: str, status: int):
    assert host.post("Raw", [EVENT], kind).status_code == status
    assert host.app.seen == []


def test_every_element_is_an_invocation(host: Small):
    answer = host.post("Raw", [{**EVENT, "id": f"e-{number}"} for number in range(3)])
    assert (answer.status_code, answer.text) == (202, "")
    assert sorted(event["id"] for event in host.app.seen) == ["e-0", "e-1", "e-2"]


def test_a_bare_object_is_one_event(host: Small):
    assert host.post("Raw", CLOUD).status_code == 202
    assert host.app.seen == [CLOUD]


def test_one_failure_fails_the_batch_and_names_the_function_but_no_cause(host: Small):
    answer = host.post("Raw", [EVENT, {**EVENT, "subject": "boom"}])
    assert (answer.status_code, answer.text) == (500, "Exception while executing function: Functions.Raw")
    assert len(host.app.seen) == 2


def test_an_empty_array_is_accepted(host: Small):
    assert host.post("Raw", []).status_code == 202


@pytest.mark.parametrize("body", [b"nope", b"[", b"", b"7", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_array_and_no_object_fails_without_a_word(host: Small, body: bytes):
    answer = host.post("Raw", body)
    assert (answer.status_code, answer.content) == (500, b"")
    assert host.app.seen == []


@pytest.mark.parametrize("element", [[EVENT], "text", 7, None])
def test_an_element_that_is_no_object_fails_the_batch_before_its_function(host: Small, element):
    answer = host.post("Raw", [element, element])
    assert (answer.status_code, answer.content) == (500, b"")
    assert host.app.seen == []


def test_the_object_follows_the_body(host: Small):
    assert host.post("Typed", [EVENT]).status_code == 202
    assert host.post("Typed", CLOUD).status_code == 202
    assert host.app.seen == [["EventGridEvent", "e-1"], ["CloudEvent", "c-1"]]


def test_a_bad_time_fails_before_a_typed_function_runs(host: Small):
    assert host.post("Typed", [{**EVENT, "eventTime": "yesterday"}]).status_code == 500
    assert host.app.seen == []


def test_text_arrives_as_it_was(host: Small):
    tags = {"nul": "a\x00b", "wide": "模型 ✓ 𝔘", "lone": "a\ud800b"}
    assert host.post("Raw", [{**EVENT, "data": tags}]).status_code == 202
    [event] = host.app.seen
    assert event["data"] == tags


def test_a_large_event_arrives_whole(host: Small):
    assert host.post("Raw", [{**EVENT, "data": "x" * 5_000_000}]).status_code == 202
    assert len(host.app.seen[0]["data"]) == 5_000_000


def test_an_http_function_gets_route_query_headers_and_body(host: Small):
    url = f"{host.url}/api/echo/Me%20too/3?a=1&empty=&a=2"
    answer = requests.post(url, data="hi", headers={"User-Agent": "test"}, timeout=5)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Small"] == "yes"
    assert answer.headers["Set-Cookie"] == "seen=1; HttpOnly; Path=/; SameSite=Strict"
    assert answer.json() == {
        "method": "POST",
        "url": f"{host.url}/api/echo/Me%20too/3?a=1&empty=&a=2",
        "route": {"name": "Me too", "number": "3"},
        "query": {"a": "1,2"},
        "agent": "test",
        "body": "hi",
    }


def test_an_optional_parameter_may_be_absent(host: Small):
    assert requests.get(f"{host.url}/API/Echo/me", timeout=5).json()["route"] == {"name": "me"}


def test_the_first_function_by_name_answers_and_a_literal_route_has_no_precedence(host: Small):
    answer = requests.get(f"{host.url}/api/echo/fixed", timeout=5)
    assert (answer.status_code, answer.json()["route"]) == (201, {"name": "fixed"})
    before = requests.get(f"{host.url}/api/echo/before", timeout=5)
    assert (before.status_code, before.text) == (200, "before")


@pytest.mark.parametrize("path", ["/api/nowhere", "/nowhere", "/api/echo/me/not-a-number", "/api"])
def test_what_no_function_answers_is_404(host: Small, path: str):
    assert requests.get(host.url + path, timeout=5).status_code == 404


def test_another_method_is_404_as_the_host_knows_no_405(host: Small):
    assert requests.delete(f"{host.url}/api/echo/me", timeout=5).status_code == 404


def test_an_exception_is_500_without_a_body(host: Small):
    answer = requests.get(f"{host.url}/api/nothing", timeout=5)
    assert (answer.status_code, answer.text) == (500, "")


def test_the_host_answers_while_activities_block(host: Small):
    host.app.gate("shut")
    blocked = [host.begin("blocking") for _ in range(5)]
    try:
        assert host.post("Raw", [EVENT]).status_code == 202
    finally:
        host.app.gate("open")
    assert {host.ended(id)["output"] for id in blocked} == {'"unblocked"'}, host.ended(blocked[0])


def test_a_thousand_events_are_all_taken(host: Small):
    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(
            lambda number: host.post("Raw", [{**EVENT, "id": str(number)}]).status_code, range(1000)
        )
        assert set(answers) == {202}
    assert {event["id"] for event in host.app.seen} == {str(number) for number in range(1000)}
