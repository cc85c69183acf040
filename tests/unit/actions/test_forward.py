"""Events that are sent on: what is sent by the real SDKs, what is refused, and what an error means."""

import base64
import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from mlevents.actions.action import Done
from mlevents.actions.forward.action import Forward
from mlevents.errors import PermanentError, TransientError
from mlevents.services.connection import connection
from tests.unit.stand_ins import WORKSPACE, Answer, Authority, Request, Server, services, step

NAMES = {"run": {"id": "r1", "experiment": "nightly"}, "steps": {"before": 1}}
SOON, END = b"Fri, 02 Jan 2026 03:04:05 GMT", b"Fri, 31 Dec 9999 23:59:59 GMT"
ACCEPTED = (
    b"<QueueMessagesList><QueueMessage><MessageId>1</MessageId><PopReceipt>p</PopReceipt>"
    b"<InsertionTime>%s</InsertionTime><ExpirationTime>%s</ExpirationTime>"
    b"<TimeNextVisible>%s</TimeNextVisible></QueueMessage></QueueMessagesList>"
) % (SOON, END, SOON)
TAKEN = Answer(201, raw=ACCEPTED, headers={"Content-Type": "application/xml"})
type Place = Callable[..., tuple[Server, Callable[..., Done]]]


@pytest.fixture
def place(cloud: ExitStack, trusted: Authority) -> Place:
    def prepare(
        kind: str, answer: Answer | None = None, **parameters: Any
    ) -> tuple[Server, Callable[..., Done]]:
        usual = Answer(200) if kind == "event_grid" else TAKEN

        def reply(_: Request) -> Answer:
            return answer or usual

        server = cloud.enter_context(Server(reply, trusted.context).serving())
        connection = {"endpoint": f"{server.url}/api/events"}
        if kind == "storage_queue":
            connection = {"account": server.url, "queue": "ml-events"}
        known = services({"there": {"type": kind, **connection}})
        action = Forward.model_validate({"to": "there", **parameters})

        def perform() -> Done:
            done = action.perform(step(NAMES), known)
            assert isinstance(done, Done)
            return done

        return server, perform

    return prepare


def read_queue_message(request: Request) -> Any:
    text = ElementTree.fromstring(request.body).findtext("MessageText")
    return json.loads(base64.b64decode(text or ""))


CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "mlevents-k",
    "source": WORKSPACE,
    "type": "mlevents.run.status_changed",
    "subject": "experiments/x",
    "time": "2026-01-02T03:04:05Z",
    "datacontenttype": "application/json",
    "mleventsrule": "rule-1",
    "mleventsresponse": "rule-1.abc",
    "data": {
        "event": {"id": "e1", "time": "2026-01-02T03:04:05Z", "subject": "experiments/x"},
        "run": {"id": "r1", "experiment": "nightly"},
    },
}


def test_a_topic_gets_the_whole_event_as_a_cloud_event(place: Place):
    server, perform = place("event_grid")
    done = perform()
    [sent] = server.requests
    assert (sent.method, urlsplit(sent.path).path) == ("POST", "/api/events")
    assert sent.headers["Content-Type"].startswith("application/cloudevents-batch+json")
    assert sent.headers["Authorization"] == "Bearer t0ken"
    [event] = sent.json
    assert {**event, "time": CLOUD_EVENT["time"]} == CLOUD_EVENT
    assert event["time"].startswith("2026-01-02T03:04:05")
    assert (done.result["id"], done.detail) == ("mlevents-k", "sent mlevents-k to the topic 127.0.0.1")


def test_a_queue_gets_base64_that_never_expires(place: Place):
    server, perform = place("storage_queue")
    perform()
    [sent] = server.requests
    address = urlsplit(sent.path)
    assert address.path == "/ml-events/messages"
    assert "messagettl=-1" in address.query
    assert sent.headers["Authorization"] == "Bearer t0ken"
    assert read_queue_message(sent) == CLOUD_EVENT


def test_a_shape_is_sent_with_and_without_a_cloud_event(place: Place):
    shape = {"run": "r1", "<tag>": "& ü"}
    server, perform = place("storage_queue", data=shape, format="json")
    perform()
    assert read_queue_message(server.requests[0]) == shape
    server, perform = place("event_grid", data=shape, subject="runs/r1")
    perform()
    [event] = server.requests[0].json
    assert (event["data"], event["subject"]) == (shape, "runs/r1")


@pytest.mark.parametrize("kind", ["event_grid", "storage_queue"])
def test_every_attempt_sends_the_same_id(place: Place, kind: str):
    server, perform = place(kind, Answer(drop=True))
    for _ in range(2):
        with pytest.raises(TransientError):
            perform()
    bodies = [request.body for request in server.requests]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("kind", ["event_grid", "storage_queue"])
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_service_is_asked_again_when_it_says(place: Place, kind: str, status: int):
    server, perform = place(kind, Answer(status, {}, {"Retry-After": "17"}))
    with pytest.raises(TransientError) as raised:
        perform()
    assert raised.value.retry_after == 17
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["event_grid", "storage_queue"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_fails_the_step(place: Place, kind: str, status: int):
    server, perform = place(kind, Answer(status, {"error": {"code": "No", "message": "not you"}}))
    with pytest.raises(PermanentError, match=f"answered {status}|does not exist"):
        perform()
    assert len(server.requests) == 1


@pytest.mark.parametrize(("kind", "fits"), [("storage_queue", 49_152), ("event_grid", 1_048_576)])
def test_what_is_too_large_is_refused_with_figures(place: Place, kind: str, fits: int):
    parameters = {"format": "json"} if kind == "storage_queue" else {}
    _, measure = place(kind, data="", **parameters)
    room = fits - measure().result["bytes"]
    _, perform = place(kind, data="x" * room, **parameters)
    assert perform().result["bytes"] == fits
    server, perform = place(kind, data="x" * (room + 1), **parameters)
    with pytest.raises(PermanentError, match=f"{fits + 1:,} bytes, and .* takes at most {fits:,}: send less"):
        perform()
    assert server.requests == []


@pytest.mark.parametrize(
    ("kind", "parameters", "fault"),
    [
        ("event_grid", {"format": "json"}, "takes CloudEvents only: remove `format: json`"),
        ("storage_queue", {"format": "json", "subject": "a"}, "`subject` belongs to a CloudEvent"),
        ("storage_queue", {"subject": "a"}, None),
        ("event_grid", {"subject": "a"}, None),
        ("event_grid", {"session": "a"}, "a connection of type event_grid has no session: remove `session`"),
        ("event_hub", {"deduplicate_by": "step"}, "has no deduplicate_by: remove `deduplicate_by`"),
        ("event_hub", {"format": "json", "subject": "a"}, "`subject` belongs to a CloudEvent"),
        ("service_bus", {"partition_key": "a"}, "has no partition_key: remove `partition_key`"),
        ("service_bus", {"session": "a", "deduplicate_by": "step"}, None),
        ("service_bus", {"format": "json", "subject": "a"}, None),
    ],
)
def test_parameters_that_a_service_has_no_place_for_are_reported(
    kind: str, parameters: Any, fault: str | None
):
    found = list(Forward(to="there", **parameters).find_connection_faults({"there": {"type": kind}}, {}))
    assert len(found) == (1 if fault else 0)
    assert all(fault and fault in one for one in found)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("event_grid", {"endpoint": "http://t.westeurope-1.eventgrid.azure.net/api/events"}),
        ("event_grid", {"endpoint": "https://t.example/api/events?sas=x"}),
        ("storage_queue", {"account": "St_Audit", "queue": "q-1"}),
        ("storage_queue", {"account": "http://staudit.queue.core.windows.net", "queue": "q-1"}),
        ("storage_queue", {"account": "staudit", "queue": "Q"}),
        ("storage_queue", {"account": "staudit", "queue": "a--b"}),
    ],
)
def test_an_address_that_cannot_be_used_is_an_error_when_rules_load(kind: str, fields: dict[str, str]):
    with pytest.raises(ValidationError):
        connection.find(kind).model_validate(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "event_grid", "endpoint": {"setting": "PLACE"}},
        {"type": "storage_queue", "account": {"setting": "PLACE"}, "queue": "ml-events"},
        {"type": "storage_queue", "account": "staudit", "queue": {"setting": "PLACE"}},
    ],
)
def test_a_setting_that_is_no_address_is_not_quoted(fields: Any):
    known = services({"there": fields}, PLACE="https://u:hunter2@x?sig=1")
    with pytest.raises(PermanentError, match="the value of the app setting 'PLACE'") as raised:
        Forward(to="there").perform(step(NAMES), known)
    assert "hunter2" not in str(raised.value)
