"""Events for an event hub, through the real SDK, to a broker on this machine."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mlevents.actions.action import Outcome
from mlevents.actions.forward.action import Forward
from mlevents.errors import PermanentError, TransientError
from sandbox.amqp.refusal import Refusal
from tests.unit.amqp_peer import Broker, serve_host
from tests.unit.stand_ins import services, step

HOST = "ehns-ml.servicebus.windows.net"
NAMES = {"run": {"id": "r1", "experiment": "nightly"}}


@pytest.fixture
def broker(cloud: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    return cloud.enter_context(serve_host(HOST, tmp_path, monkeypatch))


@pytest.fixture
def send(broker: Broker, tmp_path: Path) -> Any:
    connection = {"type": "event_hub", "namespace": HOST, "hub": "aml-events"}
    known = services({"lake": connection}, REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem"))

    def perform(**parameters: Any) -> Outcome:
        return Forward.model_validate({"to": "lake", **parameters}).perform(step(NAMES), known)

    return perform


def test_a_hub_gets_the_event_with_its_partition_key(broker: Broker, send: Any):
    done = send(partition_key="nightly")
    [(address, event)] = broker.messages
    assert address.endswith(f"{HOST}/aml-events")
    assert event.message_annotations == {b"x-opt-partition-key": b"nightly"}
    assert event.properties.message_id == b"mlevents-k"
    assert event.properties.content_type == b"application/cloudevents+json"
    document = json.loads(event.data[0])
    assert (document["id"], document["data"]["run"]) == ("mlevents-k", NAMES["run"])
    assert done.detail == f"sent mlevents-k to the event hub 'aml-events' of {HOST}"
    [(audience, token)] = broker.tokens
    assert audience.endswith("/aml-events")
    assert token == "t0ken"


def test_a_shape_is_sent_as_it_is(broker: Broker, send: Any):
    send(format="json", data={"run": "r1"})
    [(_, event)] = broker.messages
    assert json.loads(event.data[0]) == {"run": "r1"}
    assert not (event.message_annotations or {}).get(b"x-opt-partition-key")


def test_the_doctor_opens_a_link_and_sends_nothing(broker: Broker, tmp_path: Path):
    place = {"type": "event_hub", "namespace": HOST, "hub": "aml-events"}
    known = services({"lake": place}, REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem"))
    [found] = known.connection("lake").preflight(known)
    assert (found.ok, found.said) == (
        True,
        f"the event hub 'aml-events' of {HOST} would take events; nothing was sent",
    )
    broker.detached = Refusal("amqp:unauthorized-access", "no")
    [found] = known.connection("lake").preflight(known)
    assert (found.ok, broker.messages) == (False, [])
    assert "give the app's identity the role of a sender there" in found.said


def test_a_large_event_goes_in_several_frames(broker: Broker, send: Any):
    send(format="json", data="x" * 300_000)
    [(_, event)] = broker.messages
    assert len(event.data[0]) == 300_002


def test_what_is_too_large_is_refused_with_figures(broker: Broker, send: Any):
    broker.largest = 262_144
    with pytest.raises(PermanentError, match=r"has 300,002 bytes, and .* takes at most 262,144: send less"):
        send(format="json", data="x" * 300_000)
    assert broker.messages == []


@pytest.mark.parametrize(
    ("when", "condition"),
    [
        ("refusal", "amqp:unauthorized-access"),
        ("refusal", "amqp:not-allowed"),
        ("detached", "amqp:unauthorized-access"),
        ("detached", "amqp:not-found"),
    ],
)
def test_a_refusal_fails_the_step(broker: Broker, send: Any, when: str, condition: str):
    setattr(broker, when, Refusal(condition, "no"))
    with pytest.raises(PermanentError, match="sending to the event hub 'aml-events'"):
        send()


def test_a_busy_hub_is_asked_again(broker: Broker, send: Any):
    broker.refusal = Refusal("com.microsoft:server-busy", "later")
    with pytest.raises(TransientError) as raised:
        send()
    assert raised.value.retry_after == 10
    broker.refusal = None
    send()
    assert len(broker.messages) == 1


def test_an_identity_without_the_role_fails_the_step(broker: Broker, send: Any):
    broker.token_status = 401
    with pytest.raises(PermanentError, match="give the app's identity the role of a sender there"):
        send()
    assert broker.messages == []
