"""Messages for Service Bus, through the real SDK, to a broker on this machine."""

import gc
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mlevents.actions.action import Outcome
from mlevents.actions.forward.action import Forward
from mlevents.errors import PermanentError, TransientError
from mlevents.events import Event
from mlevents.services.connection import connection
from sandbox.amqp.refusal import Refusal
from tests.unit.amqp_peer import Broker, serve_host
from tests.unit.stand_ins import WORKSPACE, services, step

HOST = "sbns-ml.servicebus.windows.net"
NAMES = {"run": {"id": "r1", "experiment": "nightly"}}
NO_SESSION = "The SessionId was not set on a message, and it cannot be sent to the entity."


@pytest.fixture
def broker(cloud: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    return cloud.enter_context(serve_host(HOST, tmp_path, monkeypatch))


@pytest.fixture
def send(broker: Broker, tmp_path: Path) -> Any:
    place = {"type": "service_bus", "namespace": HOST}
    known = services(
        {"bus": {**place, "queue": "ml-events"}, "platform": {**place, "topic": "ml/all"}},
        REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem"),
    )

    def perform(to: str = "bus", event: Event | None = None, **parameters: Any) -> Outcome:
        changes = {"event": event} if event else {}
        return Forward.model_validate({"to": to, **parameters}).perform(step(NAMES, **changes), known)

    return perform


def event(id: str) -> Event:
    return Event(id, "run.completed", (), None, "", WORKSPACE, NAMES)


def test_a_queue_gets_the_event_under_its_own_id(broker: Broker, send: Any):
    done = send(session="nightly")
    [(address, message)] = broker.messages
    assert address.endswith(f"{HOST}/ml-events")
    assert message.properties.message_id == b"e1"
    assert message.properties.group_id == b"nightly"
    assert message.properties.subject == b"experiments/x"
    assert message.properties.content_type == b"application/cloudevents+json"
    document = json.loads(message.data[0])
    assert (document["id"], document["data"]["run"]) == ("mlevents-k", NAMES["run"])
    assert done.detail == f"sent mlevents-k to the queue 'ml-events' of {HOST}"
    [(audience, token)] = broker.tokens
    assert audience.endswith("/ml-events")
    assert token == "t0ken"


def test_a_topic_gets_a_shape_with_a_subject_and_without_a_session(broker: Broker, send: Any):
    send("platform", format="json", data={"run": "r1"}, subject="runs/r1")
    [(address, message)] = broker.messages
    assert address.endswith(f"{HOST}/ml/all")
    assert json.loads(message.data[0]) == {"run": "r1"}
    assert message.properties.subject == b"runs/r1"
    assert message.properties.content_type == b"application/json"
    assert message.properties.group_id is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the SDK leaves its socket
def test_every_attempt_has_the_same_message_id(broker: Broker, send: Any):
    broker.forgetful = True
    with pytest.raises(TransientError, match="sending to the queue 'ml-events'"):
        send()
    gc.collect()
    broker.forgetful = False
    send()
    assert [message.properties.message_id for _, message in broker.messages] == [b"e1", b"e1"]


def test_by_step_the_message_id_is_of_this_step_alone(broker: Broker, send: Any):
    send(deduplicate_by="step")
    assert broker.messages[0][1].properties.message_id == b"e1.mlevents-k"


@pytest.mark.parametrize(("id", "found"), [("", b"mlevents-k"), ("e" * 128, b"e" * 128)])
def test_an_alert_without_an_event_has_a_message_id_too(broker: Broker, send: Any, id: str, found: bytes):
    send(event=event(id))
    assert broker.messages[0][1].properties.message_id == found


def test_long_event_ids_stay_different(broker: Broker, send: Any):
    for id in ("e" * 200 + "1", "e" * 200 + "2"):
        send(event=event(id))
    ids = [message.properties.message_id for _, message in broker.messages]
    assert len(set(ids)) == 2
    assert [len(one) for one in ids] == [128, 128]


def test_the_doctor_opens_a_link_and_sends_nothing(broker: Broker, tmp_path: Path):
    place = {"type": "service_bus", "namespace": HOST, "queue": "ml-events"}
    known = services({"bus": place}, REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem"))
    [found] = known.connection("bus").preflight(known)
    assert (found.ok, found.said) == (
        True,
        f"the queue 'ml-events' of {HOST} would take messages; nothing was sent",
    )
    broker.detached = Refusal("amqp:unauthorized-access", "no")
    [found] = known.connection("bus").preflight(known)
    assert (found.ok, broker.messages) == (False, [])
    assert "give the app's identity the role of a sender there" in found.said


def test_a_large_message_goes_in_several_frames(broker: Broker, send: Any):
    send(format="json", data="x" * 900_000)
    assert len(broker.messages[0][1].data[0]) == 900_002


@pytest.mark.parametrize("largest", [262_144, 1_048_576])
def test_what_is_too_large_is_refused_with_figures(broker: Broker, send: Any, largest: int):
    broker.largest = largest
    size = (
        f"has {largest + 2:,} bytes, and the queue 'ml-events' of {HOST} takes at most {largest:,}: send less"
    )
    with pytest.raises(PermanentError, match=size):
        send(format="json", data="x" * largest)
    assert broker.messages == []


@pytest.mark.parametrize("when", ["refusal", "detached"])
@pytest.mark.parametrize(
    ("condition", "remedy"),
    [
        ("amqp:unauthorized-access", "the role of a sender"),
        ("amqp:not-found", "create it, or correct its name"),
        ("com.microsoft:entity-disabled", "enable it"),
        ("com.microsoft:argument-error", ""),
    ],
)
def test_a_refusal_fails_the_step(broker: Broker, send: Any, when: str, condition: str, remedy: str):
    setattr(broker, when, Refusal(condition, "no"))
    with pytest.raises(PermanentError, match=f"sending to the queue 'ml-events'.*{remedy}"):
        send()


def test_an_entity_that_requires_sessions_says_what_to_set(broker: Broker, send: Any):
    broker.refusal = Refusal("amqp:not-allowed", NO_SESSION)
    with pytest.raises(PermanentError, match="requires sessions: set `session`"):
        send()


@pytest.mark.parametrize("condition", ["com.microsoft:server-busy", "com.microsoft:timeout"])
@pytest.mark.parametrize("when", ["refusal", "detached"])
def test_a_busy_service_is_retried(broker: Broker, send: Any, when: str, condition: str):
    setattr(broker, when, Refusal(condition, "the entity 'unauthorized' is not-found"))
    with pytest.raises(TransientError) as raised:
        send()
    assert raised.value.retry_after == (10 if condition.endswith("busy") else None)


@pytest.mark.parametrize(("status", "remedy"), [(401, "the role of a sender"), (404, "correct its name")])
def test_a_refused_token_fails_the_step(broker: Broker, send: Any, status: int, remedy: str):
    broker.token_status = status
    with pytest.raises(PermanentError, match=remedy):
        send()
    assert broker.messages == []


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "give 'queue' or 'topic'"),
        ({"queue": "q", "topic": "t"}, "there is queue and topic"),
        ({"queue": "-"}, "not a valid name"),
        ({"queue": "q", "namespace": "sb://x"}, "not the host of a namespace"),
    ],
)
def test_a_connection_names_one_queue_or_topic(fields: dict[str, str], fault: str):
    with pytest.raises(ValidationError, match=fault):
        connection.find("service_bus").model_validate({"namespace": HOST, **fields})


def test_a_setting_that_is_no_name_is_not_quoted():
    place = {"type": "service_bus", "namespace": HOST, "topic": {"setting": "PLACE"}}
    with pytest.raises(PermanentError, match="the value of the app setting 'PLACE'") as raised:
        Forward(to="bus").perform(step(NAMES), services({"bus": place}, PLACE="hunter2 !"))
    assert "hunter2" not in str(raised.value)
