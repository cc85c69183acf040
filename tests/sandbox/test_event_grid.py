"""Event Grid's topic: what it takes, whom it delivers to, how often it tries, and what it gives up."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.event_grid.compiled_filters import compile_rule_filters, type_filter
from sandbox.event_grid.delivery import EventDelivery, HandshakeError, Subscription
from sandbox.event_grid.event_schemas import LIMIT, RefusedError, parse_publication
from sandbox.event_grid.probation import FAILURES, LONGEST, Probation
from sandbox.event_grid.publication_journal import DeliveryRecord
from sandbox.event_grid.retry_policy import RetryPolicy
from sandbox.event_grid.topic import EventGrid
from sandbox.pace import Pace
from tests.sandbox.small_sandbox import Small, on_loop, small, until

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")
TYPE = "Microsoft.MachineLearningServices.Raw"
GRID = {"id": "e-1", "subject": "s", "eventType": TYPE, "eventTime": "2026-01-01T00:00:00Z", "data": {}}
CLOUD = {"id": "c-1", "source": "w", "type": TYPE, "time": "2026-01-01T00:00:00Z", "specversion": "1.0"}

RULES = """
version: 1
connections:
  here: {type: apprise, url: "json://127.0.0.1:1"}
rules:
  - id: fraud
    event: model.registered
    where: {model: {name: {prefix: fraud-}}}
    do: [{uses: notify, with: {to: here, subject: "${model.name}", text: "${model.version}"}}]
"""


class Patient(Pace):
    """Keeps the waits that were asked for, and lets the time pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def sleep(self, azure: float) -> None:
        self.waits.append(azure)

    def elapsed(self) -> float:
        return sum(self.waits)


class Endpoint:
    """Answers deliveries with these statuses in turn, the last one for ever."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.deliveries: list[tuple[dict[str, str], Any]] = []
        self.url = ""


@contextmanager
def endpoint(*statuses: int) -> Iterator[Endpoint]:
    found = Endpoint(list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.deliveries.append(({k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            self.send_response(found.statuses.pop(0) if len(found.statuses) > 1 else found.statuses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


def deliver(
    url: str, event: dict[str, Any], policy: RetryPolicy | None = None, folder: Path | None = None
) -> tuple[Subscription, EventDelivery, list[float]]:
    pace = Patient()
    courier = EventDelivery(pace, folder)
    subscription = Subscription("model-registered", url, type_filter("Raw"), policy or RetryPolicy())

    async def delivering() -> None:
        await courier.start()
        try:
            await courier.deliver(subscription, event, DeliveryRecord(pace.now(), pace.elapsed()))
        finally:
            await courier.stop()

    run(delivering())
    return subscription, courier, pace.waits


def run(work: Any) -> Any:
    import asyncio

    with on_loop() as loop:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)


def test_a_delivery_is_an_array_of_one_with_its_headers():
    with endpoint(200) as to:
        subscription, _, waits = deliver(to.url, {**GRID, "dataVersion": "2", "metadataVersion": "1"})
    [(headers, body)] = to.deliveries
    assert [event["id"] for event in body] == ["e-1"]
    told = {name: value for name, value in headers.items() if name.startswith("aeg-")}
    assert told == {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": "MODEL-REGISTERED",
        "aeg-delivery-count": "0",
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
    }
    assert (waits, subscription.counts["delivered"]) == ([], 1)


def test_a_cloudevent_is_delivered_as_an_object():
    with endpoint(204) as to:
        deliver(to.url, CLOUD)
    [(headers, body)] = to.deliveries
    assert body == CLOUD
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert headers["aeg-metadata-version"] == "1.0"


def test_retries_follow_the_documented_schedule_until_the_event_is_taken():
    with endpoint(*[500] * 12, 202) as to:
        subscription, _, waits = deliver(to.url, GRID, RetryPolicy(seconds=float("inf")))
    assert waits == [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 43200, 43200]
    assert [headers["aeg-delivery-count"] for headers, _ in to.deliveries] == [str(n) for n in range(13)]
    assert subscription.counts == {"delivered": 1, "dropped": 0, "failed": 12, "pending": 0, "dead": 0}


@pytest.mark.parametrize(("status", "least"), [(401, 300), (404, 300), (408, 120), (503, 30), (429, 10)])
def test_some_statuses_wait_longer(status: int, least: float):
    with endpoint(status, 200) as to:
        assert deliver(to.url, GRID)[2] == [least]


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "BadRequest"), (403, "Forbidden"), (413, "PayloadTooLarge")]
)
def test_some_statuses_are_never_retried(status: int, outcome: str):
    with endpoint(status) as to:
        _, courier, waits = deliver(to.url, GRID)
    [letter] = courier.dead_letters
    assert (waits, letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == ([300], 1, outcome)
    assert letter["deadLetterReason"].startswith("Undeliverable")


def test_after_a_day_the_event_is_a_dead_letter():
    with endpoint(500) as to:
        _, courier, waits = deliver(to.url, GRID)
    [letter] = courier.dead_letters
    assert letter["deadLetterReason"] == "TimeToLiveExceeded"
    assert (letter["deliveryAttempts"], sum(waits)) == (len(waits), 82000 + 300)


def test_after_so_many_attempts_the_event_is_a_dead_letter():
    with endpoint(500) as to:
        subscription, courier, _ = deliver(to.url, GRID, RetryPolicy(attempts=3))
    [letter] = courier.dead_letters
    assert (letter["deadLetterReason"], letter["deliveryAttempts"]) == ("MaxDeliveryAttemptsExceeded", 3)
    assert {**GRID}.items() <= letter.items()
    assert letter["publishTime"] <= letter["lastDeliveryAttemptTime"]
    assert subscription.counts["dead"] == 1


def test_a_dead_cloudevent_has_lower_case_members():
    with endpoint(400) as to:
        _, courier, _ = deliver(to.url, CLOUD)
    members = set(courier.dead_letters[0]) - set(CLOUD)
    assert members == {
        "deadletterreason",
        "deliveryattempts",
        "lastdeliveryoutcome",
        "publishtime",
        "lastdeliveryattempttime",
    }


def test_an_endpoint_that_is_not_there_is_tried_again():
    _, courier, waits = deliver("http://127.0.0.1:9", GRID, RetryPolicy(attempts=2))
    assert (waits, courier.dead_letters[0]["lastDeliveryOutcome"]) == ([10, 300], "SocketError")


def test_dead_letters_lie_where_the_storage_container_has_them(tmp_path: Path):
    with endpoint(400) as to:
        _, courier, _ = deliver(to.url, GRID, folder=tmp_path)
    [file] = tmp_path.rglob("*.json")
    name, *day = file.relative_to(tmp_path).parent.parts
    assert name == "MODEL-REGISTERED"
    assert [str(int(part)) for part in day] == day
    assert len(day) == 4
    assert json.loads(file.read_text()) == courier.dead_letters


def test_a_dead_letter_is_written_five_minutes_after_the_last_try():
    with endpoint(400) as to:
        subscription, courier, waits = deliver(to.url, GRID)
    assert (waits, len(courier.dead_letters), subscription.counts["dead"]) == ([300], 1, 1)


def test_ten_failures_in_a_row_put_an_endpoint_on_probation():
    for failures, left in ((FAILURES - 1, 0), (FAILURES, 60)):
        with endpoint(500) as to:
            subscription, _, waits = deliver(to.url, GRID, RetryPolicy(attempts=failures))
        pace = Patient()
        pace.waits = waits[:-1]
        assert subscription.probation.left(pace) == left


def test_probation_grows_with_each_failure_to_hours_and_ends_with_a_success():
    pace, probation = Patient(), Probation()
    spans = []
    for _ in range(FAILURES + 10):
        probation.failed(pace)
        spans.append(probation.left(pace))
        pace.waits.append(probation.left(pace))
    assert spans[: FAILURES - 1] == [0] * (FAILURES - 1)
    assert spans[FAILURES - 1 : FAILURES + 3] == [60, 120, 240, 480]
    assert spans[-1] == LONGEST
    probation.failed(pace)
    probation.failed(pace)
    assert probation.left(pace) == LONGEST  # what was under way already does not prolong it
    probation.succeeded()
    assert probation.left(pace) == 0


def on_probation(url: str, policy: RetryPolicy) -> tuple[Subscription, EventDelivery, Patient]:
    pace = Patient()
    courier, subscription = EventDelivery(pace), Subscription("raw", url, type_filter("Raw"), policy)
    for _ in range(FAILURES):
        subscription.probation.failed(pace)

    async def delivering() -> None:
        await courier.start()
        await courier.deliver(subscription, GRID, DeliveryRecord(pace.now(), pace.elapsed()))
        await courier.stop()

    run(delivering())
    return subscription, courier, pace


def test_a_new_event_waits_for_the_end_of_probation():
    with endpoint(200) as to:
        subscription, _, pace = on_probation(to.url, RetryPolicy())
    assert (pace.waits, subscription.counts["delivered"], len(to.deliveries)) == ([60], 1, 1)


def test_an_event_that_does_not_outlive_probation_is_a_dead_letter_that_says_so():
    with endpoint(200) as to:
        _, courier, _ = on_probation(to.url, RetryPolicy(seconds=30))
    [letter] = courier.dead_letters
    told = letter["deadLetterReason"], letter["lastDeliveryOutcome"], letter["deliveryAttempts"]
    assert (told, to.deliveries) == (("TimeToLiveExceeded", "Probation", 0), [])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, "Unauthorized"), (404, "NotFound"), (408, "TimedOut"), (503, "Busy"), (500, "GenericError")],
)
def test_a_dead_letter_names_the_outcome_of_the_last_try(status: int, outcome: str):
    with endpoint(status) as to:
        _, courier, waits = deliver(to.url, GRID, RetryPolicy(attempts=2))
    assert courier.dead_letters[0]["lastDeliveryOutcome"] == outcome
    assert len(waits) == 2  # it was tried again


def test_an_endpoint_that_does_not_validate_gets_no_subscription():
    async def subscribing(url: str) -> None:
        grid = EventGrid("/w", Patient())
        await grid.start()
        try:
            await grid.subscribe(url, ("Raw",))
        finally:
            await grid.stop()

    with endpoint(200) as to, pytest.raises(HandshakeError, match="'raw' with 200: nothing"):
        run(subscribing(to.url))


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"nope", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"7", 400, "event 0 is 7"),
        (json.dumps([GRID, [GRID]]).encode(), 400, "event 1 is [{"),
        (json.dumps({**GRID, "id": ""}).encode(), 400, "'id'"),
        (json.dumps({**GRID, "eventType": 7}).encode(), 400, "'eventType' is 7"),
        (json.dumps({**GRID, "data": "x" * LIMIT}).encode(), 413, "'e-1'"),
    ],
)
def test_a_publication_that_is_refused_says_why(body: bytes, status: int, says: str):
    with pytest.raises(RefusedError) as refused:
        parse_publication(body, "/w")
    assert refused.value.status == status
    assert says in str(refused.value)


def test_the_topic_fills_in_what_the_publisher_leaves_out():
    [event] = parse_publication(json.dumps([GRID]).encode(), "/w")
    assert event == {**GRID, "topic": "/w", "metadataVersion": "1"}
    assert parse_publication(json.dumps(CLOUD).encode(), "/w") == [CLOUD]
    assert parse_publication(b"[]", "/w") == []


def test_a_subscription_wants_its_own_types_in_any_case():
    reject = Subscription("raw", "", type_filter("Raw")).find_rejection
    assert reject(GRID) is None
    assert reject({**CLOUD, "type": TYPE.upper()}) is None
    assert reject({**GRID, "eventType": "Microsoft.MachineLearningServices.RunCompleted"})


def test_the_filters_of_the_rules_decide_what_is_delivered(tmp_path: Path):
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    filters = compile_rule_filters(file, {})
    registered = Subscription("model-registered", "", filters["ModelRegistered"])
    event = {**GRID, "eventType": "Microsoft.MachineLearningServices.ModelRegistered"}
    assert registered.find_rejection({**event, "subject": "models/fraud-a:1"}) is None
    assert registered.find_rejection({**event, "subject": "models/churn-a:1"})
    assert Subscription("model-deployed", "", filters["ModelDeployed"]).find_rejection(
        {**GRID, "eventType": "Microsoft.MachineLearningServices.ModelDeployed"}
    )


@pytest.mark.parametrize(
    ("filter_json", "takes"),
    [
        ({"includedEventTypes": ["A.B"]}, "events of the type A.B"),
        ({"includedEventTypes": []}, "no events: no rule needs this type"),
        ({"subjectBeginsWith": "models/"}, "events whose subject begins with 'models/'"),
        ({"subjectEndsWith": ":8"}, "events whose subject ends with ':8'"),
        (
            {"advancedFilters": [{"operatorType": "StringIn", "key": "data.x", "values": ["a", "b"]}]},
            "events with data.x StringIn a, b",
        ),
        (
            {"advancedFilters": [{"operatorType": "IsNotNull", "key": "data.x"}]},
            "events with data.x IsNotNull",
        ),
    ],
)
def test_a_rejection_names_the_events_that_the_filter_takes(filter_json: dict[str, Any], takes: str):
    assert Subscription("raw", "", filter_json).find_rejection(GRID) == takes


def read_journal(url: str, **query: str) -> dict[str, Any]:
    answer = requests.get(f"{url}/journal", params=query, timeout=10)
    return answer.json() | {"status": answer.status_code}


def test_the_journal_says_what_became_of_each_event():
    with small() as running:
        none = Subscription("model-registered", "", {"includedEventTypes": []}, function="ModelRegistered")
        running.sandbox.event_grid.subscriptions.append(none)
        grid = running.ready["event_grid"]
        raw = {**GRID, "data": {"orchestrator": "none"}}
        registered = {**GRID, "id": "e-2", "eventType": "Microsoft.MachineLearningServices.ModelRegistered"}
        events = [raw, registered, {**GRID, "id": "e-3", "eventType": "Contoso.Other"}]
        requests.post(grid, json=events, timeout=10).raise_for_status()
        found = until(lambda: read_journal(grid), lambda one: one["events"][0]["deliveries"][0]["attempts"])
        assert [(one["number"], one["event"]["id"]) for one in found["events"]] == [
            (1, "e-1"),
            (2, "e-2"),
            (3, "e-3"),
        ]
        [tried], [dropped], other = (one["deliveries"] for one in found["events"])
        assert (tried["function"], tried["because"]) == ("Raw", None)
        assert (dropped["state"], dropped["because"]) == (
            "dropped",
            "no events: no rule needs this type",
        )
        assert other == []
        assert [one["number"] for one in read_journal(grid, after="2")["events"]] == [3]
        assert [one["number"] for one in read_journal(grid, id="e-2")["events"]] == [2]
        assert read_journal(grid, after="x")["status"] == 400


def test_rules_that_cannot_be_loaded_give_no_filters(tmp_path: Path):
    file = tmp_path / "rules.yaml"
    file.write_text("version: 1\nrules:\n  - id: x\n    event: model.registred\n    do: []\n")
    assert compile_rule_filters(file, {}) == {}


@pytest.fixture(scope="module")
def topic() -> Iterator[Small]:
    with small() as running:
        yield running


def told(topic: Small, name: str) -> dict[str, Any]:
    found = requests.get(topic.ready["event_grid"], timeout=5).json()
    return next(one for one in found["subscriptions"] if one["name"] == name)


def test_what_is_published_reaches_the_function_that_wants_it(topic: Small):
    topic.app.forget()
    assert requests.post(topic.ready["event_grid"], json=[GRID, CLOUD], timeout=5).status_code == 200
    until(lambda: len(topic.app.seen), lambda count: count == 2)
    assert told(topic, "raw")["delivered"] == 2
    assert told(topic, "typed") | {"delivered": 0, "dropped": 2, "dead": 0} == told(topic, "typed")


def test_a_failing_function_is_tried_until_its_event_is_dead(topic: Small):
    topic.app.forget()
    event = {**GRID, "id": "dead-1", "subject": "boom"}
    requests.post(topic.ready["event_grid"], json=[event], timeout=5)
    until(lambda: topic.app.seen, lambda seen: len(seen) >= 3)
    assert told(topic, "raw")["pending"] == 1


def test_a_refused_publication_is_answered_with_the_reason(topic: Small):
    answer = requests.post(topic.ready["event_grid"], json=[{"id": "x"}], timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"
    assert requests.get(topic.ready["event_grid"] + "/deadletters", timeout=5).json() == []


def test_every_event_can_be_delivered_twice(topic: Small):
    topic.app.forget()
    topic.sandbox.event_grid.twice = True
    requests.post(topic.ready["event_grid"], json=[{**GRID, "id": "twice"}], timeout=5)
    seen = until(lambda: [one for one in topic.app.seen if one["id"] == "twice"], lambda seen: len(seen) > 1)
    assert seen == [seen[0]] * 2


def test_events_that_always_fail_delay_a_good_one_of_the_same_subscription_alone():
    with small(speed=600) as running:
        bad = [{**GRID, "id": f"bad-{number}", "subject": "boom"} for number in range(FAILURES)]
        requests.post(running.ready["event_grid"], json=bad, timeout=5)
        until(lambda: told(running, "raw")["failed"], lambda failed: failed >= FAILURES)
        left = until(lambda: told(running, "raw")["probation"], bool)
        assert (0 < left <= 60, told(running, "typed")["probation"]) == (True, 0)
        requests.post(running.ready["event_grid"], json=[{**GRID, "id": "good"}], timeout=5)
        until(lambda: [one for one in running.app.seen if one["id"] == "good"], bool, patience=60)
