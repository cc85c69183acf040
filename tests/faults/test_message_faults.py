"""Every call that sends a message meets every fault once: nothing is lost, and copies have one key."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from mlevents.orchestration.messages import Call
from mlevents.responses.step_activity import attempt_call
from mlevents.services.azure_credential import CLIENT_OPTIONS
from mlevents.settings import Settings
from tests.faults.fault_table import EXTERNAL, PASSING, PATIENCE
from tests.histories.recorder import Recorder, ending
from tests.histories.scenes import response, step
from tests.unit.stand_ins import Answer, Authority, Request, Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
ALARM = "on_failure.alarm"


class Receiver:
    """Takes mail as Communication Services do, and webhooks; the call after `skip` calls meets the fault."""

    def __init__(self, fault: Mapping[str, Any], skip: int = 0) -> None:
        self.fault, self.skip = fault, skip
        self.keys: list[str] = []
        self.calls = 0

    def __call__(self, request: Request) -> Answer:
        self.calls += 1
        if self.calls != self.skip + 1 or not self.fault:
            return self.take(request)
        if "delay" in self.fault:
            time.sleep(self.fault["delay"])
            return self.take(request)
        if self.fault.get("after"):
            self.take(request)
        body = {"error": {"code": "Requested", "message": "a fault"}}
        raw = self.fault["body"].encode() if "body" in self.fault else None
        status, drop = self.fault.get("status", 200), bool(self.fault.get("drop"))
        return Answer(status, body, self.fault.get("headers", {}), drop=drop, raw=raw)

    def take(self, request: Request) -> Answer:
        operation = request.headers.get("Operation-Id") or request.path.rpartition("/")[2].partition("?")[0]
        if request.method == "GET":
            known = operation in self.keys
            return Answer(200 if known else 404, {"id": operation, "status": "Running"})
        self.keys.append(request.headers.get("Idempotency-Key") or operation)
        location = {"Operation-Location": f"https://{request.headers['Host']}/emails/operations/{operation}"}
        return Answer(202, {"id": operation, "status": "Running"}, location)


def notify(connection: Mapping[str, Any]) -> str:
    """How a response ends that sends one message by this connection."""

    def perform(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["step"]["id"] == ALARM:
            return {"kind": "done", "detail": "notified", "result": {}}
        settings = Settings(private_hosts=frozenset(("127.0.0.1",)))
        return attempt_call(Call.from_json(asked), settings).to_json()

    retry = {"attempts": 5, "first": 5.0, "max": 60.0}
    fields: dict[str, Any] = {"with": {"to": "team", "subject": "s", "text": "t"}, "retry": retry}
    written = step("one", **fields)
    text = response(written, connections={"team": dict(connection)})
    return ending(Recorder(perform).run(RESPOND_TO_EVENT, "rule-1.abc", text))


@pytest.mark.parametrize("name", EXTERNAL)
@pytest.mark.parametrize("skip", [0, 1])
def test_a_mail_meets_every_fault(
    name: str, skip: int, cloud: ExitStack, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call looks whether the mail was sent before, the second one sends it."""
    monkeypatch.setitem(CLIENT_OPTIONS, "read_timeout", PATIENCE)
    receiver = Receiver(EXTERNAL[name], skip)
    server = cloud.enter_context(Server(receiver, trusted.context).serving())
    address = {"sender": "a@ml.example.com", "to": ["b@ml.example.com"]}
    end = notify({"type": "email", "endpoint": server.url, **address})
    assert end == "done" or (end == "failed" and name not in PASSING)
    assert len(set(receiver.keys)) == (end == "done")
    assert len(receiver.keys) <= 1, "Communication Services take an operation once"


@pytest.mark.parametrize("name", [name for name in EXTERNAL if name != "malformed JSON"])
def test_a_webhook_meets_every_fault(name: str) -> None:
    """An answer of 200 means that the receiver has accepted the message, whatever its body."""
    receiver = Receiver(EXTERNAL[name])
    with Server(receiver, None).serving() as server:
        url = f"{server.url.replace('http', 'json')}/hook?rto={PATIENCE}&cto={PATIENCE}"
        assert notify({"type": "apprise", "url": url}) == "done", "apprise does not say which refusals pass"
    assert len(set(receiver.keys)) == 1, "each copy has the same key"
    assert len(receiver.keys) <= 2
