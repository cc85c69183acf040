"""The inboxes: mail by SMTP, mail by Communication Services with the real SDK, webhooks, Teams."""

import os
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import requests

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
