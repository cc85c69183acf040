"""The real Communication Services SDK, over TLS, against a stand-in made after the REST reference."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import yaml
from pydantic import ValidationError

from mlevents.errors import PermanentError, TransientError
from mlevents.services.connection import Message, Sender, connection
from mlevents.services.mail import email
from mlevents.services.mail.email import Email
from mlevents.services.mail.html_mail import build_html
from tests.unit.stand_ins import Answer, Authority, Request, Server, services

MESSAGE = Message("Run r1 failed", "It failed.", "mlevents-k-mail")
FIELDS = {"sender": "alerts@ml.example.com", "to": ["mlops@example.com", "ml@example.com"]}


class Post:
    """Communication Services: POST /emails:send, GET /emails/operations/{id}."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}
        self.status: dict[str, Any] = {"status": "Running"}
        self.instead: list[Callable[[], Answer]] = []

    def __call__(self, request: Request) -> Answer:
        parts = urlsplit(request.path)
        assert parts.query == "api-version=2025-09-01"
        assert request.headers["Authorization"] == "Bearer t0ken"
        if request.method == "GET":
            operation = parts.path.removeprefix("/emails/operations/")
            known = operation in self.sent
            return (
                Answer(200, {"id": operation, **self.status})
                if known
                else Answer(404, {"error": {"code": "NotFound"}})
            )
        assert (request.method, parts.path) == ("POST", "/emails:send")
        operation = request.headers["Operation-Id"]
        if self.instead and not (answer := self.instead.pop(0)()).drop:
            return answer
        assert operation not in self.sent, "sent twice"
        self.sent[operation] = request.json
        accepted = {"id": operation, "status": "Running"}
        location = f"https://{request.headers['Host']}/emails/operations/{operation}?api-version=2025-09-01"
        return Answer(202, accepted, {"Operation-Location": location}, drop=self._drops())

    def _drops(self) -> bool:
        dropping, self.dropping = getattr(self, "dropping", False), False
        return dropping


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def server(post: Post, cloud: ExitStack, trusted: Authority) -> Server:
    return cloud.enter_context(Server(post, trusted.context).serving())


@pytest.fixture
def mail(server: Server) -> Email:
    return Email.model_validate({**FIELDS, "endpoint": server.url})


def test_the_documented_connection_loads() -> None:
    assert email.__doc__
    fields = yaml.safe_load(email.__doc__.split("```")[1].removeprefix("yaml"))["connections"]["mlops-email"]
    assert isinstance(connection.find(fields.pop("type")).model_validate(fields), Sender)


def test_an_address_that_is_none_is_refused_when_rules_load() -> None:
    with pytest.raises(ValidationError, match="'mlops' is not a valid mail address"):
        Email.model_validate({**FIELDS, "endpoint": "https://x", "to": ["mlops"]})


def test_a_mail_is_handed_over_as_documented(mail: Email, post: Post) -> None:
    told = mail.send(MESSAGE, services({}))
    ((operation, body),) = post.sent.items()
    assert UUID(operation).version == 5
    assert body == {
        "senderAddress": "alerts@ml.example.com",
        "recipients": {"to": [{"address": "mlops@example.com"}, {"address": "ml@example.com"}]},
        "content": {"subject": "Run r1 failed", "plainText": "It failed.", "html": build_html(MESSAGE)},
    }
    assert told == f"mlops@example.com, ml@example.com by 127.0.0.1 (accepted, operation {operation})"


def test_sending_twice_sends_once(mail: Email, post: Post) -> None:
    mail.send(MESSAGE, services({}))
    assert "accepted before, Running" in mail.send(MESSAGE, services({}))
    assert len(post.sent) == 1
    mail.send(Message("other", "t", "another-key"), services({}))
    assert len(post.sent) == 2


def test_a_lost_answer_sends_no_second_mail(mail: Email, post: Post) -> None:
    post.dropping = True
    with pytest.raises(TransientError):
        mail.send(MESSAGE, services({}))
    assert "accepted before" in mail.send(MESSAGE, services({}))
    assert len(post.sent) == 1


def test_nothing_is_polled_in_the_background(mail: Email, server: Server) -> None:
    mail.send(MESSAGE, services({}))
    assert [request.method for request in server.requests] == ["GET", "POST"]


def test_throttling_is_transient_and_says_how_long(mail: Email, post: Post) -> None:
    body = {"error": {"code": "TooManyRequests", "message": "slower"}}
    post.instead = [lambda: Answer(429, body, {"Retry-After": "9"})]
    with pytest.raises(TransientError) as caught:
        mail.send(MESSAGE, services({}))
    assert caught.value.retry_after == 9


def test_a_sender_that_is_not_linked_is_permanent(mail: Email, post: Post) -> None:
    body = {
        "error": {"code": "DomainNotLinked", "message": "The specified sender domain has not been linked."}
    }
    post.instead = [lambda: Answer(404, body)]
    with pytest.raises(PermanentError, match="DomainNotLinked"):
        mail.send(MESSAGE, services({}))


def test_a_mail_that_was_accepted_and_failed_is_permanent(mail: Email, post: Post) -> None:
    mail.send(MESSAGE, services({}))
    post.status = {
        "status": "Failed",
        "error": {"code": "EmailDropped", "message": "all receivers suppressed"},
    }
    with pytest.raises(PermanentError, match="Failed: all receivers suppressed"):
        mail.send(MESSAGE, services({}))


@pytest.mark.parametrize("endpoint", ["http://x.communication.azure.com", "acs", "https://u:p@x"])
def test_another_endpoint_than_https_is_permanent(endpoint: str) -> None:
    written = Email.model_validate({**FIELDS, "endpoint": {"setting": "COMMUNICATION_ENDPOINT"}})
    with pytest.raises(PermanentError, match="is not a Communication Services endpoint"):
        written.send(MESSAGE, services({}, COMMUNICATION_ENDPOINT=endpoint))


def test_an_answer_of_a_proxy_is_no_acceptance(mail: Email, post: Post) -> None:
    post.instead.append(lambda: Answer(200, raw=b"<html>busy</html>"))
    with pytest.raises(TransientError, match="the answer cannot be read"):
        mail.send(MESSAGE, services({}))
    mail.send(MESSAGE, services({}))
    assert len(post.sent) == 1
