"""Everybody is told, nobody twice, and no event writes more than its place in a message."""

import email
from collections.abc import Mapping
from dataclasses import replace
from email import policy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mlevents.actions.action import Done, Outcome, Pending, StepContext
from mlevents.actions.notify import action
from mlevents.actions.notify.action import Notify
from mlevents.actions.notify.message_templates import render
from mlevents.errors import ConfigError, PermanentError, TransientError
from mlevents.events import Event
from mlevents.message_templates import own_templates
from mlevents.message_templates.template_engine import SUBJECT_LENGTH, plain, template_names
from mlevents.orchestration.messages import Call, Response
from mlevents.responses.step_activity import attempt_call
from mlevents.services.connection import Connection, Message
from mlevents.services.mail import smtp
from mlevents.services.message_text import one_line
from mlevents.services.services import Services
from mlevents.settings import Settings
from tests.unit.stand_ins import WORKSPACE, step


class Inbox(Connection):
    """A connection that keeps what it is sent; `fails` are raised first, one a time."""

    name: str
    received: list[Message] = []  # noqa: RUF012 - pydantic copies it
    fails: list[Any] = []  # noqa: RUF012

    def send(self, message: Message, services: Services) -> str:
        if self.fails:
            raise self.fails.pop(0)
        self.received.append(message)
        return f"inbox {self.name}"


class Store(Connection):
    """A connection that sends nothing."""


class Office(Services):
    """Services whose connections are these objects."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        super().__init__(Settings())
        self._known = connections

    def connection(self, name: str) -> Connection:
        return self._known[name]


def inboxes(**fails: list[Exception]) -> dict[str, Inbox]:
    return {name: Inbox(name=name, fails=list(errors)) for name, errors in fails.items()}


def told(office: Mapping[str, Inbox]) -> dict[str, int]:
    return {name: len(inbox.received) for name, inbox in office.items()}


def write(to: str | list[str], **changes: Any) -> Notify:
    return Notify.model_validate({"to": to, "subject": "s", "text": "t", **changes})


def carry(action: Notify, services: Services, patience: int = 10) -> tuple[Outcome, list[float]]:
    """Perform until done, as the orchestration does; the waits between the attempts besides."""
    context, waits = step(), []
    for _ in range(30):
        try:
            outcome = action.perform(context, services)
        except TransientError as error:
            patience -= 1
            if not patience:
                raise
            waits.append(error.retry_after or 1.0)
            continue
        if isinstance(outcome, Done):
            return outcome, waits
        context = replace(context, progress=outcome.progress)
        waits.append(outcome.after)
    raise AssertionError("never done")


@pytest.mark.parametrize("example", [1, 3])
def test_the_documented_steps_load(example: int) -> None:
    assert action.__doc__
    written = yaml.safe_load(action.__doc__.split("```")[example].removeprefix("yaml"))
    assert written["uses"] == "notify"
    assert Notify.model_validate(written["with"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "there is none of them"),
        ({"subject": "s"}, "there is only subject"),
        ({"text": "t"}, "there is only text"),
        ({"template": "run-failed", "text": "t"}, "there is template and text"),
        ({"template": "run-faild"}, r"unknown template 'run-faild' \(did you mean 'run-failed'\?\)"),
        ({"template": "../../rules"}, "unknown template"),
        ({"subject": "s", "text": " \n\t"}, "'text' is blank: write what people are to read"),
        ({"subject": "\u200b\u2800", "text": "t"}, "'subject' is blank"),
        (
            {"subject": "s", "text": "t", "incident": " "},
            "'incident' is blank: write the key of the incident",
        ),
        ({"subject": "s", "text": "t", "resolve": True}, "'resolve' needs 'incident'"),
        ({"subject": "s", "text": "t", "to": []}, "at least 1 item"),
        ({"subject": "s", "text": "t", "too": "x"}, "too"),
    ],
)
def test_unfitting_parameters_are_refused_when_rules_load(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Notify.model_validate({"to": "a", **given})


def test_every_receiver_is_told_once() -> None:
    office = inboxes(a=[], b=[], c=[])
    done, waits = carry(write(["a", "b", "a", "c"]), Office(office))
    assert isinstance(done, Done)
    assert done.detail == "notified a (inbox a), b (inbox b), c (inbox c)"
    assert told(office) == {"a": 1, "b": 1, "c": 1}
    assert waits == [0.0, 0.0]


def test_each_receiver_has_a_key_of_its_own_that_attempts_share() -> None:
    office = inboxes(a=[], b=[])
    carry(write(["a", "b"]), Office(office))
    carry(write(["a", "b"]), Office(office))
    assert [message.key for message in office["a"].received] == ["mlevents-k-a"] * 2
    assert [message.key for message in office["b"].received] == ["mlevents-k-b"] * 2


def test_each_receiver_is_told_of_the_incident() -> None:
    office = inboxes(a=[], b=[], c=[])
    carry(write(["a", "b"], incident="ml-prod/nightly"), Office(office))
    carry(write(["a", "b"], incident="ml-prod/nightly", resolve=True), Office(office))
    carry(write("c"), Office(office))
    told = [("ml-prod/nightly", False), ("ml-prod/nightly", True)]
    assert [(one.incident, one.resolve) for one in office["a"].received] == told
    assert [(one.incident, one.resolve) for one in office["b"].received] == told
    assert [(one.incident, one.resolve) for one in office["c"].received] == [("", False)]


def test_one_that_refuses_keeps_no_other_from_being_told() -> None:
    office = inboxes(a=[PermanentError("no such channel")], b=[ConfigError("not set")], c=[])
    with pytest.raises(
        PermanentError, match=r"not notified: a \(no such channel\), b \(not set\); notified: c"
    ):
        carry(write(["a", "b", "c"]), Office(office))
    assert told(office) == {"a": 0, "b": 0, "c": 1}


def test_a_retry_tells_only_those_who_were_not() -> None:
    office = inboxes(a=[TransientError("busy")] * 3, b=[], c=[TransientError("busy")])
    done, waits = carry(write(["a", "b", "c"]), Office(office))
    assert isinstance(done, Done)
    assert told(office) == {"a": 1, "b": 1, "c": 1}
    assert waits[:3] == [0.0, 0.0, 5.0]


def test_one_that_stays_busy_fails_after_the_others_were_notified() -> None:
    office = inboxes(a=[TransientError("busy", retry_after=9.0)] * 50, b=[], c=[TransientError("busy")])
    with pytest.raises(
        PermanentError, match=r"not notified: a \(busy \(attempt 5 of 5\)\); notified: c, b|b.*c"
    ):
        carry(write(["a", "b", "c"]), Office(office))
    assert told(office) == {"a": 0, "b": 1, "c": 1}


def test_one_that_is_throttled_for_an_hour_delays_no_other_retry() -> None:
    office = inboxes(a=[TransientError("throttled", retry_after=3600.0)], b=[TransientError("busy")] * 2)
    done, waits = carry(write(["a", "b"]), Office(office))
    assert isinstance(done, Done)
    assert told(office) == {"a": 1, "b": 1}
    assert waits == [0.0, 5.0, 10.0, 3585.0]


def test_a_fault_of_ours_with_one_receiver_keeps_no_other_from_being_notified() -> None:
    office = inboxes(a=[ZeroDivisionError("ours")], b=[TransientError("busy")], c=[])
    with pytest.raises(PermanentError, match=r"a \(a fault in mlevents: ZeroDivisionError\)"):
        carry(write(["a", "b", "c"]), Office(office))
    assert told(office) == {"a": 0, "b": 1, "c": 1}


def test_a_single_receiver_that_is_busy_is_asked_once_an_attempt() -> None:
    office = inboxes(a=[TransientError("busy")] * 2)
    with pytest.raises(TransientError):
        write("a").perform(step(), Office(office))
    assert len(office["a"].fails) == 1


def test_a_connection_that_sends_nothing_is_named() -> None:
    with pytest.raises(PermanentError, match=r"not notified: store \(is a connection that sends no messages"):
        write("store").perform(step(), Office({"store": Store()}))


ERRORS = st.sampled_from([TransientError("busy"), PermanentError("gone")])


@given(st.dictionaries(st.sampled_from("abcde"), st.lists(ERRORS, max_size=3), min_size=1))
def test_nobody_is_told_twice_and_none_forgotten(fails: dict[str, list[Exception]]) -> None:
    office = inboxes(**fails)
    refusing = {name for name, errors in fails.items() if any(isinstance(e, PermanentError) for e in errors)}
    try:
        carry(write(list(fails)), Office(office), patience=50)
    except PermanentError:
        assert refusing
    assert told(office) == {name: int(name not in refusing) for name in fails}


RUN: dict[str, Any] = {
    "run": {
        "id": "r1",
        "experiment": "churn",
        "status": "Failed",
        "type": "azureml.PipelineRun",
        "tags": {"team": "x"},
        "properties": {"azureml.error_message": "out of\n memory"},
    },
    "workspace": {"id": WORKSPACE, "name": "ml-prod"},
}


def test_run_failed_says_all_that_is_known() -> None:
    subject, text = render("run-failed", step(RUN))
    assert subject == "Run r1 of churn: Failed"
    for line in (
        "Run:        r1",
        "Experiment: churn",
        "Status:     Failed",
        "Error:      out of memory",
        "Type:       azureml.PipelineRun",
        "Event:      run.status_changed, 2026-01-02T03:04:05Z",
        "Workspace:  ml-prod",
        f"Open run:      https://ml.azure.com/runs/r1?wsid={WORKSPACE}",
        "Rule rule-1, response rule-1.abc, event e1",
    ):
        assert line in text.splitlines()


def grouped(count: int, *experiments: str) -> dict[str, Any]:
    events = [
        {"run": {**RUN["run"], "id": f"r{number}", "experiment": experiments[number % len(experiments)]}}
        for number in range(count)
    ]
    return {**RUN, "group": {"count": count, "events": events}}


def test_run_failed_of_a_group_lists_its_first_runs() -> None:
    subject, text = render("run-failed", step(grouped(17, "nightly")))
    assert subject == "17 runs of experiment nightly failed"
    lines = text.splitlines()
    assert lines[:2] == ["Run 1:      r0: Failed", "Run 2:      r1: Failed"]
    assert lines[9:][:5] == [
        "Run 10:      r9: Failed",
        "Others:     7",
        "",
        "The first run:",
        "Run:        r1",
    ]
    subject, text = render("run-failed", step(grouped(2, "churn", "fraud")))
    assert subject == "2 runs failed"
    assert text.splitlines()[1] == "Run 2:      r1: Failed, fraud"
    assert render("run-failed", step(grouped(1, "churn"))) == render("run-failed", step(RUN))


def test_every_template_shows_a_group() -> None:
    events = [
        {"drift": {"monitor": "churn", "signal": f"s{one}"}, "model": {"name": "net", "version": str(one)}}
        for one in range(12)
    ]
    names = {**events[0], "group": {"count": 12, "events": events}}
    subject, text = render("drift-detected", step(names))
    assert subject == "12 drifts of churn"
    assert {"Drift 1:    churn, s0", "Drift 10:    churn, s9", "Others:     2"} <= set(text.splitlines())
    _, text = render("model-deployed", step(names))
    assert {"Group:      12 events", "Event 10:    net:9", "Others:     2"} <= set(text.splitlines())
    subject, text = render("model-registered", step(names))
    assert subject == "12 models are registered"
    assert {"Model 10:    net, version 9", "Others:     2"} <= set(text.splitlines())
    _, text = render("response-failed", step(names))
    assert "Group:      12 events" in text.splitlines()


def test_response_failed_names_rule_step_and_error() -> None:
    failure = {"step": "deploy", "uses": "deploy_model", "message": "OutOfQuota: no cores"}
    subject, text = render("response-failed", step({**RUN, "failure": failure}))
    assert subject == "Rule rule-1 failed at deploy"
    assert {"Step:       deploy (deploy_model)", "Error:      OutOfQuota: no cores"} <= set(text.splitlines())


@pytest.mark.parametrize(
    ("rule", "status", "said"),
    [("rule-1", "stopped", "Rule rule-1 stopped"), ("", "quarantined", "An event was quarantined")],
)
def test_response_failed_suits_a_response_without_step_or_rule(rule: str, status: str, said: str) -> None:
    failure = {"step": None, "uses": None, "status": status, "message": "because"}
    subject, text = render("response-failed", step({"failure": failure}, rule=rule))
    assert subject == said
    assert {"Step:       none", "Error:      because"} <= set(text.splitlines())


def test_model_deployed_names_model_and_endpoint() -> None:
    names = {"model": {"name": "fraud-net", "version": "7"}, "steps": {"deploy": {"endpoint": "fraud"}}}
    subject, text = render("model-deployed", step(names))
    assert subject == "Model fraud-net:7 is deployed"
    assert {"Model:      fraud-net, version 7", "Endpoint:   fraud"} <= set(text.splitlines())
    assert f"https://ml.azure.com/endpoints/realtime/fraud/detail?wsid={WORKSPACE}" in text


def breach(feature: str, value: float) -> dict[str, Any]:
    return {"feature": feature, "metric": "JensenShannonDistance", "value": value, "threshold": 0.1}


def test_drift_detected_names_the_worst_breach_and_lists_the_others() -> None:
    breaches = [breach("amount", 0.41), {"metric": "Accuracy", "value": 0.6, "threshold": 0.8}]
    drift = {"monitor": "fraud", "signal": "inputs", "monitor_run": "m1", "breaches": breaches, **breaches[0]}
    subject, text = render("drift-detected", step({"drift": drift, "workspace": RUN["workspace"]}))
    assert subject == "Drift of fraud: JensenShannonDistance of amount is 0.41"
    assert text.splitlines()[:4] == [
        "Monitor:    fraud",
        "Signal:     inputs",
        "Breach:     amount: JensenShannonDistance 0.41, threshold 0.1",
        "Breach:     the model: Accuracy 0.6, threshold 0.8",
    ]
    assert f"Open monitor:  https://ml.azure.com/runs/m1?wsid={WORKSPACE}" in text.splitlines()


def test_drift_detected_lists_five_breaches_and_says_that_there_are_others() -> None:
    drift = {"monitor": "m", "breaches": [breach(f"f{number}", 0.2) for number in range(7)]}
    _, text = render("drift-detected", step({"drift": drift}))
    lines = text.splitlines()
    assert len([line for line in lines if line.startswith("Breach:")]) == 5
    assert "Others:     more breaches are in the event" in lines


@pytest.mark.parametrize("name", template_names())
def test_every_template_stands_an_event_that_says_nothing(name: str) -> None:
    subject, text = render(name, step())
    assert subject
    assert text
    assert "None" not in subject + text
    assert "Undefined" not in subject + text


EVIL = st.text(st.characters(codec=None)) | st.sampled_from(
    [
        "a\r\nBcc: x@evil.example",
        "{{ 7*7 }}",
        "{% include 'x' %}",
        "\u202egnp.exe",
        "\ud800",
        "a\x00b",
        "x" * 9999,
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(EVIL, EVIL, st.sampled_from(template_names()))
def test_no_name_adds_a_header_or_a_line(value: str, other: str, template: str) -> None:
    run = {"id": value, "experiment": other, "status": value, "type": other, "tags": {"error": other}}
    failure = {"step": value, "uses": other, "message": value}
    names = {
        "run": run,
        "model": {"name": value, "version": other},
        "failure": failure,
        "workspace": {"name": value},
    }
    subject, text = render(template, step({**names, "steps": {"d": {"endpoint": value}}}))
    message = Message(subject or "-", text, "k")
    mail = smtp._mail(message, "a@example.com", ["b@example.com"]).as_bytes(policy=policy.SMTP)
    read = email.message_from_bytes(mail, policy=policy.default)
    assert set(read.keys()) >= {"From", "To", "Subject"}
    assert "Bcc" not in read
    assert len(subject) <= SUBJECT_LENGTH
    assert text.isprintable() or set(filter(lambda c: not c.isprintable(), text)) <= {"\n"}
    assert len(text.splitlines()) <= 13


@given(EVIL)
def test_own_words_become_one_line_and_printable(value: str) -> None:
    assert one_line(value).isprintable()
    assert all(line.isprintable() for line in plain(value).split("\n"))


def test_own_words_are_sent_as_written() -> None:
    office = inboxes(a=[])
    write("a", subject="Drift on m", text="one\r\n  two\n").perform(step(), Office(office))
    (message,) = office["a"].received
    assert (message.subject, message.text, message.key) == ("Drift on m", "one\n  two", "mlevents-k-a")


def pending(outcome: Outcome) -> StepContext:
    assert isinstance(outcome, Pending)
    return step(progress=outcome.progress)


def test_an_attempt_that_is_repeated_with_its_progress_tells_nobody_again() -> None:
    office = inboxes(a=[], b=[])
    context = pending(write(["a", "b"]).perform(step(), Office(office)))
    write(["a", "b"]).perform(context, Office(office))
    assert told(office) == {"a": 1, "b": 1}


EVENT = Event("e1", "run.completed", ("run.completed",), None, "s", WORKSPACE, {})


def performed(
    with_: dict[str, Any], names: dict[str, Any], office: Mapping[str, Connection]
) -> dict[str, Any]:
    """What a step of these parameters comes to, through the activity that fills in its expressions."""
    made = Office(office)
    event = replace(EVENT, names={"run": names})
    retry = {"attempts": 5, "first": 5, "max": 300}
    written = {"id": "tell", "uses": "notify", "with": with_, "if": None, "retry": retry, "timeout": None}
    failure = names.get("failure")
    call = {"response": Response("r.1", "r", event).to_json(), "step": written, "verb": "perform"}
    whole = Call.from_json({**call, "progress": {}, "results": {}, "failure": failure})
    return attempt_call(whole, made.settings, lambda *_: made).to_json()


@given(EVIL)
def test_no_value_adds_a_line_to_own_words(value: str) -> None:
    office = inboxes(a=[])
    said = performed({"to": "a", "subject": "s", "text": "Run: ${run.id}\nEnd"}, {"id": value}, office)
    assert said["kind"] == "done"
    first, second = office["a"].received[0].text.split("\n")
    assert first.startswith("Run:")
    assert second == "End"


@pytest.mark.parametrize("value", ["", "   ", "\u200b", "\n\r\n", "\u3164"])
def test_a_text_that_turns_out_blank_fails_the_step_with_a_clear_message(value: str) -> None:
    office = inboxes(a=[])
    said = performed({"to": "a", "subject": "s", "text": "${run.id}"}, {"id": value}, office)
    assert said["kind"] == "failed"
    assert "'text' is blank: write what people are to read" in said["detail"]
    assert told(office) == {"a": 0}


FAILURE = {
    "step": "deploy",
    "uses": "deploy_model",
    "status": "failed",
    "endpoint": "e",
    "message": "smoke test of 'd': [0].p is 0.3, not 1; it answered: «customer 4711»",
    "reason": "scoring deployment 'd': it answered 503: «customer 4711»",
    "log": ["customer 4711 logged in"],
}


@pytest.mark.parametrize(
    "chosen",
    [
        {"template": "rollout-failed"},
        {"subject": "s", "text": "${failure.message}. ${failure.reason}. ${failure.log | default([])}"},
    ],
)
def test_logs_and_answers_reach_people_only_where_the_rule_asks_for_them(chosen: dict[str, str]) -> None:
    for asked in (False, True):
        office = inboxes(a=[])
        said = performed({"to": "a", **chosen, "include_log": asked}, {"failure": FAILURE}, office)
        assert said["kind"] == "done", said
        assert ("4711" in office["a"].received[0].text) == asked
        if not asked and "template" in chosen:
            assert "GET /api/v1/responses/r.1" in office["a"].received[0].text


def test_only_what_the_rule_writes_out_may_stay_a_link() -> None:
    office = inboxes(a=[])
    text = "See https://wiki.example.com/runbook and https://${run.id}/ and ${run.id}"
    performed({"to": "a", "subject": "s", "text": text}, {"id": "https://evil.example/x"}, office)
    assert "https://wiki.example.com/runbook" in office["a"].received[0].links
    assert not [link for link in office["a"].received[0].links if "evil" in link or link == "https://"]


def test_what_a_template_of_the_project_writes_out_stays_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "Run {{ run.id }}\nRunbook: https://wiki.example.com/{{ run.id }}\n{{ 'https://no.example/' }}"
    monkeypatch.setitem(own_templates._active, "runbook", own)
    office = inboxes(a=[])
    performed({"to": "a", "template": "runbook"}, {"id": "https://evil.example/x"}, office)
    assert "https://wiki.example.com/" in office["a"].received[0].links
    assert not [link for link in office["a"].received[0].links if "evil" in link or "no.example" in link]
