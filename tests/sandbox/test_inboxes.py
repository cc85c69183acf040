"""The inboxes: mail by SMTP, mail by Communication Services with the real SDK, webhooks, Teams."""

import os
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mlevents.services.chat.apprise import Apprise
from mlevents.services.connection import Message
from mlevents.services.services import Services
from mlevents.settings import Settings
from sandbox.azure.identity import OWNER
from tests.sandbox.small_sandbox import Small, small, with_its_settings

pytestmark = pytest.mark.filterwarnings(r"ignore:.*expected_type:DeprecationWarning")
MAIL = {
    "senderAddress": "alerts@ml.example.com",
    "recipients": {"to": [{"address": "mlops@example.com"}]},
    "content": {"subject": "It failed", "plainText": "Look."},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Small]:
    with small() as running, with_its_settings(running):
        yield running


@pytest.fixture(autouse=True)
def empty(sandbox: Small) -> None:
    assert requests.delete(sandbox.ready["inbox"], timeout=5).status_code == 204


def arrived(sandbox: Small) -> dict[str, Any]:
    [message] = requests.get(sandbox.ready["inbox"], timeout=5).json()
    return message


@pytest.mark.parametrize("secure", [False, True])
def test_mail_arrives_in_clear_and_after_starttls(sandbox: Small, secure: bool):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "Modèle"
    mail.set_content("First.\nSecond.")
    with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])) as client:
        if secure:
            client.starttls(context=ssl.create_default_context())
        client.send_message(mail)
    message = arrived(sandbox)
    assert (message["via"], message["from"], message["to"]) == ("smtp", "a@example.com", ["b@example.com"])
    assert (message["subject"], message["text"]) == ("Modèle", "First.\nSecond.")


def test_a_webhook_takes_json_of_any_shape(sandbox: Small):
    url = sandbox.ready["inbox"] + "/webhooks/alerts"
    answer = requests.post(url, json={"title": "T", "message": "M"}, headers={"webhook-id": "7"}, timeout=5)
    assert answer.status_code == 202
    message = arrived(sandbox)
    assert (message["via"], message["to"]) == ("webhook", ["/webhooks/alerts"])
    assert (message["subject"], message["text"], message["headers"]["webhook-id"]) == ("T", "M", "7")
    assert message["body"] == {"title": "T", "message": "M"}


@pytest.mark.parametrize("body", ["plain", "", "7", "[1]", '{"attachments": [{"content": 7}, 8]}', "\ufffd"])
def test_a_webhook_takes_anything(sandbox: Small, body: str):
    url = sandbox.ready["inbox"] + "/webhooks/x"
    assert requests.post(url, data=body.encode(), timeout=5).status_code == 202
    assert arrived(sandbox)["via"] == "webhook"


def test_a_teams_workflow_is_reached_by_apprise(sandbox: Small):
    import apprise

    sender = apprise.Apprise()
    assert sender.add(os.environ["TEAMS_WORKFLOW_URL"])
    assert sender.notify(title="Run failed", body="Look at it.")
    message = arrived(sandbox)
    assert message["to"] == ["/workflows/sandbox/triggers/manual/paths/invoke"]
    assert (message["subject"], message["text"]) == ("Run failed", "Look at it.")


CARD = "application/vnd.microsoft.card.adaptive"
WORKFLOW = "/workflows/a/triggers/manual/paths/invoke"
EVENT = {"routing_key": "r" * 32, "event_action": "trigger"}
PAYLOAD = {"summary": "Run r1 failed", "severity": "error", "source": "mlevents"}


def post_as(sandbox: Small, host: str, path: str, document: Any) -> requests.Response:
    """A message to a service whose name leads to the inbox."""
    return requests.post(sandbox.ready["inbox"] + path, json=document, headers={"Host": host}, timeout=5)


@pytest.mark.parametrize(
    ("url", "summary"),
    [
        (
            "workflows://h.example/sandbox/sandbox",
            "Run: r1\nSee the log:\nTrace\nStudio: https://ml.azure.com/1",
        ),
        (
            f"slack://T1JJ3T3L2/A1BRTD4JD/{'a' * 24}",
            "Run: r1\nSee the log:\n\nTrace\nStudio: https://ml.azure.com/1",
        ),
        (
            f"pagerduty://{'a' * 32}@{'b' * 32}",
            "Run: r1\nText: See the log:\n\nTrace\nhttps://ml.azure.com/1\ntrigger k",
        ),
        (f"opsgenie://{'a' * 36}", "Run: r1\nStudio: https://ml.azure.com/1\nSee the log:\n    Trace"),
    ],
)
def test_a_message_of_each_service_can_be_read(
    url: str, summary: str, sandbox: Small, monkeypatch: pytest.MonkeyPatch
):
    message = Message(
        "Run r1 failed",
        "Run: r1\nStudio: https://ml.azure.com/1\nSee the log:\n    Trace",
        "k",
        ("https://ml.azure.com/1",),
    )
    send = requests.Session.send

    def to_inbox(self: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        place = urlsplit(str(request.url))
        request.headers["Host"] = place.netloc
        request.url = sandbox.ready["inbox"] + place.path
        return send(self, request, **more)

    with monkeypatch.context() as patched:
        patched.setattr(requests.Session, "send", to_inbox)
        Apprise(url=url).send(message, Services(Settings(private_hosts=frozenset("*"))))
    received = arrived(sandbox)
    assert (received["subject"], received["text"]) == ("Run r1 failed", summary)


@pytest.mark.parametrize(
    ("host", "path", "document", "status"),
    [
        ("h.example", WORKFLOW, {"text": "x"}, 400),
        (
            "h.example",
            WORKFLOW,
            {"type": "message", "attachments": [{"contentType": CARD, "content": {}}]},
            400,
        ),
        ("h.example", WORKFLOW, {"type": "message", "attachments": [], "x": "x" * 30_000}, 400),
        ("hooks.slack.com", "/services/a", {}, 400),
        ("hooks.slack.com", "/services/a", {"blocks": [7]}, 400),
        ("hooks.slack.com", "/services/a", {"blocks": [{"type": "divided"}]}, 400),
        ("hooks.slack.com", "/services/a", {"text": "x", "blocks": [{"type": "divider"}] * 51}, 400),
        (
            "hooks.slack.com",
            "/services/a",
            {"blocks": [{"type": "section", "fields": [{"type": "plain_text", "text": "x"}] * 11}]},
            400,
        ),
        (
            "hooks.slack.com",
            "/services/a",
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]},
            400,
        ),
        ("events.pagerduty.com", "/v2/enqueue", {**EVENT, "payload": {"summary": "s"}}, 400),
        ("events.pagerduty.com", "/v2/enqueue", {**EVENT, "payload": {**PAYLOAD, "severity": "bad"}}, 400),
        (
            "events.pagerduty.com",
            "/v2/enqueue",
            {**EVENT, "payload": {**PAYLOAD, "summary": "x" * 1_025}},
            400,
        ),
        ("events.pagerduty.com", "/v2/enqueue", {**EVENT, "payload": PAYLOAD, "dedup_key": "x" * 256}, 400),
        ("events.pagerduty.com", "/v2/enqueue", {**EVENT, "event_action": "resolve"}, 400),
        ("events.pagerduty.com", "/v2/enqueue", {**EVENT, "payload": PAYLOAD, "routing_key": "r"}, 400),
        ("api.opsgenie.com", "/v2/alerts", {"alias": "a"}, 422),
        ("api.opsgenie.com", "/v2/alerts", {"message": "x" * 131}, 422),
        ("api.opsgenie.com", "/v2/alerts/a/close", {"note": "x" * 25_001}, 422),
    ],
)
def test_what_a_service_refuses_is_refused(host: str, path: str, document: Any, status: int, sandbox: Small):
    assert post_as(sandbox, host, path, document).status_code == status
    assert requests.get(sandbox.ready["inbox"], timeout=5).json() == []


def test_slacks_api_refuses_with_a_status_of_200(sandbox: Small):
    answer = post_as(sandbox, "slack.com", "/api/chat.postMessage", {"blocks": [{"type": "divided"}]})
    assert (answer.status_code, answer.json()["ok"], answer.json()["error"]) == (200, False, "invalid_blocks")


@pytest.mark.parametrize(
    ("host", "path", "document"),
    [
        ("events.eu.pagerduty.com", "/v2/enqueue", {**EVENT, "payload": PAYLOAD}),
        ("events.pagerduty.com", "/v2/enqueue", {**EVENT, "event_action": "resolve", "dedup_key": "k"}),
        ("api.eu.opsgenie.com", "/v2/alerts", {"message": "m"}),
        ("api.opsgenie.com", "/v2/alerts/a/close", {"note": "n"}),
    ],
)
def test_what_a_service_takes_is_accepted(host: str, path: str, document: Any, sandbox: Small):
    assert post_as(sandbox, host, path, document).status_code == 202
    assert arrived(sandbox)["to"] == [f"{host}{path}"]


def test_an_app_without_an_email_connection_may_send_no_mail(sandbox: Small):
    token = sandbox.sandbox.identity.token("https://communication.azure.com/")
    url = f"{outside()}/emails:send?api-version=2025-09-01"
    answer = requests.post(url, json=MAIL, headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert answer.status_code == 403
    assert requests.get(sandbox.ready["inbox"], timeout=5).json() == []


def test_communication_services_take_mail_from_the_real_sdk(sandbox: Small, monkeypatch: pytest.MonkeyPatch):
    from azure.communication.email import EmailClient
    from azure.core.rest import HttpRequest
    from azure.identity import ManagedIdentityCredential

    monkeypatch.setenv("IDENTITY_HEADER", OWNER)
    with ManagedIdentityCredential() as identity, EmailClient(outside(), identity) as client:
        missing = HttpRequest("GET", "/emails/operations/none", params={"api-version": "2025-09-01"})
        assert client.send_request(missing).status_code == 404
        operation = "5f9b2c1e-1a8e-4f57-9d30-2b8f5a3c7d11"
        assert client.begin_send(MAIL, operation_id=operation).result()["status"] == "Succeeded"
    message = arrived(sandbox)
    assert (message["via"], message["from"]) == ("email", "alerts@ml.example.com")
    assert (message["to"], message["subject"], message["text"]) == (
        ["mlops@example.com"],
        "It failed",
        "Look.",
    )


def outside() -> str:
    return os.environ["COMMUNICATION_ENDPOINT"]


def test_a_stranger_sends_no_mail(sandbox: Small):
    url = f"{outside()}/emails:send?api-version=2025-09-01"
    answer = requests.post(url, json=MAIL, headers={"Authorization": "Bearer x"}, timeout=5)
    assert answer.status_code == 401
    assert requests.get(sandbox.ready["inbox"], timeout=5).json() == []


@pytest.mark.parametrize(
    "mail", [{}, [], 7, {**MAIL, "recipients": {"to": []}}, {**MAIL, "content": {"subject": "S"}}]
)
def test_a_mail_that_is_none_is_refused(sandbox: Small, mail: Any):
    token = sandbox.sandbox.identity.owner_token("https://communication.azure.com/")
    url = f"{outside()}/emails:send?api-version=2025-09-01"
    answer = requests.post(url, json=mail, headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequest")


def test_a_fault_can_be_asked_for_mail_too(sandbox: Small):
    fault = {"match": "POST /emails:send", "status": 429, "headers": {"Retry-After": "1"}}
    assert requests.post(sandbox.ready["faults"], json=fault, timeout=5).status_code == 201
    answer = requests.post(f"{outside()}/emails:send", timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
