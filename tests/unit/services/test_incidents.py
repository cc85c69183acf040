"""PagerDuty and Opsgenie: one incident for each key, triggered and resolved as their services take it."""

import re
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings

from mlevents.services.chat.apprise import Apprise
from mlevents.services.connection import Message
from sandbox.inboxes.chat_limits import find_opsgenie_faults, find_pagerduty_faults
from tests.unit.services.chat_capture import captured
from tests.unit.services.hostile_message import LINK, VALUES, hostile_message, values
from tests.unit.stand_ins import services

PAGERDUTY, OPSGENIE = f"pagerduty://{'a' * 32}@{'b' * 32}", f"opsgenie://{'a' * 36}"
TEXT = f"Run:    r1\nStep:   train\nStep:   score\nStudio: {LINK}\n\nRule nightly"
KEY = "ml-prod/nightly"
ALIAS = "ml-prod-nightly-8e4357add53c9b519d61be4a6ec6ea5e"


def message(incident: str = KEY, resolve: bool = False) -> Message:
    return Message("Run r1 failed", TEXT, "k", ("https://ml.azure.com/",), incident=incident, resolve=resolve)


def send(url: str, message: Message, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    with captured(monkeypatch) as sent:
        Apprise(url=url).send(message, services({}))
    [document] = sent
    assert isinstance(document, dict)
    return document


def test_pagerduty_gets_an_incident_with_facts_and_a_link(monkeypatch: pytest.MonkeyPatch):
    event = send(PAGERDUTY, message(), monkeypatch)
    assert not list(find_pagerduty_faults(event))
    assert (event["event_action"], event["dedup_key"]) == ("trigger", KEY)
    assert event["links"] == [{"href": LINK}]
    payload = event["payload"]
    assert (payload["summary"], payload["severity"]) == ("Run r1 failed", "error")
    assert payload["source"] == "mlevents"
    assert payload["custom_details"] == {"Run": "r1", "Step": "train\nscore", "Text": "Rule nightly"}


def test_pagerduty_resolves_by_the_same_key(monkeypatch: pytest.MonkeyPatch):
    event = send(f"{PAGERDUTY}?dedup=other&severity=critical", message(resolve=True), monkeypatch)
    assert event == {"routing_key": "a" * 32, "event_action": "resolve", "dedup_key": KEY}
    assert not list(find_pagerduty_faults(event))


def test_what_the_url_says_stays_where_the_rule_says_nothing(monkeypatch: pytest.MonkeyPatch):
    url = f"{PAGERDUTY}/ml-host?dedup=all&severity=critical&+team=ml&click=https://wiki.example/x"
    event = send(url, message(incident=""), monkeypatch)
    assert event["dedup_key"] == "all"
    assert (event["payload"]["severity"], event["payload"]["source"]) == ("critical", "ml-host")
    assert event["payload"]["custom_details"]["team"] == "ml"
    assert event["links"] == [{"href": "https://wiki.example/x"}]
    assert send(f"{OPSGENIE}?alias=all", message(incident=""), monkeypatch)["alias"] == "all"


@pytest.mark.parametrize("written", ["", "?action=close", "?action=map", "?alias=other"])
def test_opsgenie_gets_an_alert_with_the_key(written: str, monkeypatch: pytest.MonkeyPatch):
    alert = send(f"{OPSGENIE}{written}", message(), monkeypatch)
    assert not list(find_opsgenie_faults(alert, creates=True))
    assert (alert["alias"], alert["message"], alert["source"]) == (ALIAS, "Run r1 failed", "mlevents")
    assert LINK in alert["description"]


@pytest.mark.parametrize(
    ("url", "host"), [(OPSGENIE, "api.opsgenie.com"), (f"{OPSGENIE}?region=eu", "api.eu.opsgenie.com")]
)
def test_opsgenie_closes_the_alert_with_the_key(url: str, host: str, monkeypatch: pytest.MonkeyPatch):
    asked: list[requests.PreparedRequest] = []
    with captured(monkeypatch) as sent, monkeypatch.context() as patched:
        answer = requests.Session.send

        def note(self: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
            asked.append(request)
            return answer(self, request, **more)

        patched.setattr(requests.Session, "send", note)
        Apprise(url=url).send(message(resolve=True), services({}))
    [request] = asked
    assert request.url == f"https://{host}/v2/alerts/{ALIAS}/close?identifierType=alias"
    assert request.headers["Authorization"] == f"GenieKey {'a' * 36}"
    assert not list(find_opsgenie_faults(sent[0], creates=False))


@pytest.mark.parametrize("key", ["a" * 256, "ml prod", "naïve", "<at>x</at>", "@here", "evil\nkey"])
def test_a_key_that_a_service_may_refuse_ends_with_a_hash(key: str, monkeypatch: pytest.MonkeyPatch):
    found = send(PAGERDUTY, message(incident=key), monkeypatch)["dedup_key"]
    assert found == send(OPSGENIE, message(incident=key), monkeypatch)["alias"]
    assert re.fullmatch(r"[A-Za-z0-9-]{0,100}-[0-9a-f]{32}", found)
    assert send(PAGERDUTY, message(incident=f"{key}2"), monkeypatch)["dedup_key"] != found
    assert send(OPSGENIE, message(incident="ml-prod:nightly.2"), monkeypatch)["alias"] == "ml-prod:nightly.2"


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=20)
@given(value=values)
@example(value=" ".join(VALUES[:-3]))
@example(value=VALUES[-1])
@example(value=VALUES[-3])
def test_no_value_is_more_than_the_services_take(value: str, monkeypatch: pytest.MonkeyPatch):
    hostile = hostile_message(value)
    event = send(PAGERDUTY, hostile, monkeypatch)
    assert not list(find_pagerduty_faults(event))
    assert event["links"] == [{"href": LINK}]
    assert not list(find_opsgenie_faults(send(OPSGENIE, hostile, monkeypatch), creates=True))
