"""A call to an HTTP service: what is sent, what of the answer later steps read, and how work is followed."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.call_http.action import CallHttp
from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.services.http.answers import LONGEST_KEPT
from tests.unit.stand_ins import WORKSPACE, Answer, Authority, Request, Server, services, step

Reply = Callable[[Request], Answer]


class Peer:
    """A service that answers with these, in order, the last one for good."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def __call__(self, _: Request) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def call(cloud: ExitStack, trusted: Authority) -> Callable[..., tuple[Server, Callable[..., Outcome]]]:
    def prepare(*answers: Answer, **parameters: Any) -> tuple[Server, Callable[..., Outcome]]:
        server = cloud.enter_context(Server(Peer(*answers), trusted.context).serving())
        connections = {"api": {"type": "http", "base": f"{server.url}/v1", "allow_private": True}}
        settings = {"REQUESTS_CA_BUNDLE": str(trusted.ca), "WEBSITE_HOSTNAME": "app.example"}
        known = services(connections, **settings)
        known.settings = replace(known.settings, secret="a secret of this app")
        action = CallHttp.model_validate({"connection": "api", **parameters})
        names = {"model": {"name": "net", "tags": {"stage": "prod"}}, "steps": {}}
        return server, lambda **more: action.perform(step(names, **more), known)

    return prepare


def test_a_call_sends_json_with_its_key_and_reads_values(call: Any):
    answer = Answer(201, {"id": 7, "links": [{"href": "a"}, {"href": "b"}]})
    result = {"ticket": "$.id", "all": "$.links[*].href", "none": "$.nothing"}
    server, perform = call(
        answer, path="models", json={"n": 1}, query={"v": 2, "w": ["a", "b"]}, result=result
    )
    done = perform()
    assert done == Done(
        f"POST {server.url}/v1/models answered 201", {"ticket": 7, "all": ["a", "b"], "status": 201}
    )
    [sent] = server.requests
    assert (sent.method, sent.path, sent.json) == ("POST", "/v1/models?v=2&w=a&w=b", {"n": 1})
    assert sent.headers["Idempotency-Key"] == "mlevents-k"
    assert sent.headers["Content-Type"] == "application/json"


def test_every_attempt_has_the_same_key(call: Any):
    server, perform = call(Answer(drop=True), Answer(200, {}), json={})
    with pytest.raises(TransientError, match="gave no answer"):
        perform()
    assert isinstance(perform(), Done)
    assert {one.headers["Idempotency-Key"] for one in server.requests} == {"mlevents-k"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_keeps_two_kilobytes_of_its_answer(call: Any, status: int):
    _, perform = call(Answer(status, raw=b"no " * 5000))
    with pytest.raises(RefusedError, match=f"answered {status}: no no") as raised:
        perform()
    assert raised.value.report["status"] == status
    assert len(raised.value.report["answer"]) == LONGEST_KEPT
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
def test_a_status_that_may_pass_is_retried_when_the_service_says(call: Any, status: int):
    _, perform = call(Answer(status, {}, {"Retry-After": "17"}))
    with pytest.raises(TransientError) as raised:
        perform()
    assert raised.value.retry_after == 17


def test_expected_statuses_are_success_and_others_are_not(call: Any):
    _, perform = call(Answer(409, {"id": 1}), expect=[201, 409])
    assert perform().result == {"status": 409}
    _, perform = call(Answer(200, {}), expect=[201])
    with pytest.raises(PermanentError, match="answered 200"):
        perform()


def test_a_cloud_event_holds_the_event(call: Any):
    server, perform = call(Answer(204), cloudevent=True)
    perform()
    [sent] = server.requests
    assert sent.headers["Content-Type"] == "application/cloudevents+json"
    assert sent.json == {
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
            "model": {"name": "net", "tags": {"stage": "prod"}},
        },
    }


WAIT = {"poll": "$.status", "until": ["done"], "timeout": "2h"}


def test_accepted_work_is_followed_to_its_end(call: Any):
    accepted = Answer(202, {}, {"Location": "/v1/jobs/7?x=1", "Retry-After": "3"})
    answers = (accepted, Answer(200, {"status": "running"}), Answer(200, {"status": "Done", "url": "u"}))
    server, perform = call(*answers, wait=WAIT, result={"report": "$.url"}, json={})
    first = perform()
    assert isinstance(first, Pending)
    assert (first.after, first.progress) == (
        5.0,
        {"location": f"{server.url}/v1/jobs/7?x=1", "waited": 5.0},
    )
    second = perform(progress=first.progress)
    assert isinstance(second, Pending)
    done = perform(progress=second.progress)
    assert done.result == {"report": "u", "status": 200}
    assert [one.method for one in server.requests] == ["POST", "GET", "GET"]


def test_work_that_takes_too_long_fails_the_step(call: Any):
    server, perform = call(Answer(200, {"status": "running"}), wait=WAIT)
    progress: dict[str, Any] = {"location": f"{server.url}/v1/jobs/7"}
    waited = 0.0
    while waited < 7200:
        pending = perform(progress=progress)
        assert pending.exact
        waited, progress = waited + pending.after, pending.progress
    with pytest.raises(PermanentError, match=r"gave up after 2 h: .*: running"):
        perform(progress=progress)
    assert waited == 7200
    assert len(server.requests) < 40


def test_a_callback_has_a_signed_address_and_its_body_is_the_result(call: Any):
    wait = {"callback": True, "field": "callback", "timeout": "2h"}
    server, perform = call(Answer(202, {}), wait=wait, json={"a": 1}, result={"report": "$.url"})
    first = perform()
    assert isinstance(first, Pending)
    assert (first.after, first.exact, first.awaits) == (7200.0, True, "Callback.s")
    [sent] = server.requests
    address = sent.headers["Mlevents-Callback-Url"]
    assert address.startswith("https://app.example/api/v1/callbacks/rule-1.abc/s/")
    assert sent.json == {"a": 1, "callback": address}
    said = json.dumps({"status": "passed", "url": "u"})
    assert perform(progress={**first.progress, "message": said}).result == {"report": "u", "status": "passed"}
    said = json.dumps({"status": "Failed", "why": "no quota"})
    with pytest.raises(RefusedError, match="the work ended as 'Failed'"):
        perform(progress={**first.progress, "message": said})
    with pytest.raises(PermanentError, match="gave up after 2 h: the service did not call back"):
        perform(progress=first.progress)
    assert len(server.requests) == 1


def test_work_that_fails_fails_the_step(call: Any):
    _, perform = call(Answer(200, {"status": "Failed", "why": "no quota"}), wait=WAIT)
    with pytest.raises(RefusedError, match="the work ended as 'Failed'") as raised:
        perform(progress={"location": f"{_.url}/v1/jobs/7"})
    assert "no quota" in raised.value.report["answer"]


def test_a_location_elsewhere_is_not_called(call: Any):
    server, perform = call(Answer(202, {}, {"Location": "https://evil.example/jobs/7"}), wait=WAIT)
    with pytest.raises(PermanentError, match="its Location is on another host"):
        perform()
    assert len(server.requests) == 1


def test_an_answer_without_a_location_says_what_to_do(call: Any):
    _, perform = call(Answer(202, {}), wait=WAIT)
    with pytest.raises(PermanentError, match="without a header Location: remove `wait`"):
        perform()


def test_an_answer_that_has_ended_already_needs_no_location(call: Any):
    _, perform = call(Answer(200, {"status": "done"}), wait=WAIT)
    assert isinstance(perform(), Done)


def test_an_answer_that_is_not_json_says_so(call: Any):
    _, perform = call(Answer(200, raw=b"<html>"), result={"a": "$.a"})
    with pytest.raises(RefusedError, match="the answer 200 is not JSON") as raised:
        perform()
    assert raised.value.report["answer"] == "<html>"


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"method": "GET", "json": {}}, "a GET has no body"),
        ({"result": {"a": "$["}}, "is not a JSONPath"),
        ({"result": {"status": "$.a"}}, "is the answer's HTTP status"),
        ({"headers": {"Authorization": "x"}}, "write it in the connection's `headers`"),
        ({"headers": {"Idempotency-Key": "x"}}, "is set by mlevents"),
        ({"wait": {"poll": "$.s", "until": ["Failed"]}}, "is in `until` and in `fail`"),
        ({"wait": {"poll": "$.s", "until": []}}, "at least 1 item"),
        ({"wait": {"callback": True, "poll": "$.s", "until": ["a"]}}, "give 'callback' or both"),
        ({"wait": {"callback": True, "field": "url"}}, "needs a map as `json`"),
        ({"method": "FETCH"}, "Input should be"),
        ({"expect": [99]}, "greater than or equal to 100"),
    ],
)
def test_a_mistake_is_found_when_rules_load(parameters: dict[str, Any], fault: str):
    with pytest.raises(ValueError, match=fault):
        CallHttp.model_validate({"connection": "api", **parameters})


def test_only_the_names_that_are_sent_leave_the_response():
    names = {"model": {"name": "net"}, "steps": {}, "failure": {}}
    assert CallHttp.select_names({"json": {}}, names) == {}
    assert CallHttp.select_names({"cloudevent": True}, names) == {"model": {"name": "net"}}
    assert json.dumps(CallHttp.select_names({"cloudevent": True, "json": {}}, names)) == "{}"
