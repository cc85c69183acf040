"""Mail by a real SMTP server on loopback, with and without TLS, and with servers that refuse."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlevents.errors import ActionError, ConfigError, PermanentError, TransientError
from mlevents.services.connection import Message, Sender, connection
from mlevents.services.mail import smtp
from mlevents.services.mail.html_mail import build_html
from mlevents.services.mail.smtp import Smtp
from tests.unit.stand_ins import Authority, services

MESSAGE = Message("Run r1 failed", "It failed.\n.\nTruly: ünïcode\n", "mlevents-k-mail")


@dataclass
class Mailbox:
    """The server's handler: `replies` overrides what is answered to a command."""

    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[list[str]] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.replies.get(f"RCPT {address}", "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.replies.get("DATA", "250 OK")
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(
                message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
            )
            self.receivers.append(list(envelope.rcpt_tos))
        return reply


class Loopback(Controller):
    """aiosmtpd's controller on any free port."""

    def __init__(self, handler: Mailbox, **options: Any) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=_free_port(), **options)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def only_alerts(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    known = LoginPassword(b"alerts", b"open sesame")
    return AuthResult(success=given == known, handled=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., Loopback]]:
    with ExitStack() as stack:

        def serving(mailbox: Mailbox, **options: Any) -> Loopback:
            controller = Loopback(mailbox, **options)
            controller.start()
            stack.callback(controller.stop)
            return controller

        yield serving


def mail(server: Loopback, **changes: Any) -> Smtp:
    fields = {"host": "127.0.0.1", "port": server.port, "sender": "alerts@ml.example.com", "tls": "none"}
    return Smtp.model_validate({**fields, "to": ["mlops@example.com"], **changes})


def test_the_documented_connection_loads() -> None:
    assert smtp.__doc__
    fields = yaml.safe_load(smtp.__doc__.split("```")[1].removeprefix("yaml"))["connections"]["mlops-mail"]
    loaded = connection.find(fields.pop("type")).model_validate(fields)
    assert isinstance(loaded, Sender)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"to": ["ml ops"]}, "'ml ops' is not a valid mail address"),
        ({"to": ["a@b\nBcc: c@d"]}, "is not a valid mail address"),
        ({"to": []}, "at least 1 item"),
        ({"sender": "a@b, c@d"}, "is not a valid mail address"),
        ({"username": "alerts"}, "belong together"),
        ({"username": "alerts", "password": "x", "tls": "none"}, "is not encrypted"),
        ({"tls": "ssl"}, "starttls"),
        ({"port": 70000}, "65535"),
        ({"hots": "x"}, "hots"),
    ],
)
def test_unfitting_parameters_are_refused_when_rules_load(changes: dict[str, Any], said: str) -> None:
    fields = {"host": "h", "sender": "alerts@ml.example.com", "to": ["mlops@example.com"]}
    with pytest.raises(ValidationError, match=said):
        Smtp.model_validate({**fields, **changes})


def test_a_password_never_shows() -> None:
    fields = {"host": "h", "sender": "bad", "to": ["x"], "username": "u", "password": "open sesame"}
    with pytest.raises(ValidationError) as caught:
        Smtp.model_validate(fields)
    assert "open sesame" not in str(caught.value)
    assert "open sesame" not in repr(Smtp.model_validate({**fields, "sender": "a@b", "to": ["c@d"]}))


def test_a_mail_arrives_whole(serve: Callable[..., Loopback]) -> None:
    mailbox = Mailbox()
    told = mail(serve(mailbox)).send(MESSAGE, services({}))
    (received,) = mailbox.mails
    assert told == "mlops@example.com by 127.0.0.1"
    assert (received["From"], received["To"], received["Subject"]) == (
        "alerts@ml.example.com",
        "mlops@example.com",
        "Run r1 failed",
    )
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Date"]
    text, html = (part.get_content().replace("\r\n", "\n") for part in received.iter_parts())
    assert received.get_content_type() == "multipart/alternative"
    assert (text, html.rstrip("\n")) == (MESSAGE.text, build_html(MESSAGE))


def test_the_same_message_has_the_same_id_and_another_has_not(serve: Callable[..., Loopback]) -> None:
    mailbox = Mailbox()
    connected = mail(serve(mailbox))
    for key in ("k1", "k1", "k2"):
        connected.send(Message("s", "t", key), services({}))
    first, again, other = (received["Message-ID"] for received in mailbox.mails)
    assert first == again != other
    assert first.endswith("@ml.example.com>")


def test_everything_may_stand_in_settings(serve: Callable[..., Loopback]) -> None:
    mailbox = Mailbox()
    port = str(serve(mailbox).port)
    names = {name: {"setting": f"SMTP_{name.upper()}"} for name in ("host", "port", "sender", "tls")}
    connected = Smtp.model_validate({**names, "to": [{"setting": "SMTP_TO"}, "c@example.com"]})
    environment = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": port,
        "SMTP_TLS": "none",
        "SMTP_SENDER": "a@example.com",
    }
    connected.send(MESSAGE, services({}, **environment, SMTP_TO="b@example.com, c@example.com"))
    assert mailbox.receivers == [["b@example.com", "c@example.com"]]
    with pytest.raises(ConfigError, match="SMTP_TO"):
        connected.send(MESSAGE, services({}, **environment))
    with pytest.raises(
        PermanentError, match="the value of the app setting 'SMTP_TO' is not a valid mail address"
    ):
        connected.send(MESSAGE, services({}, **environment, SMTP_TO="nobody"))
    with pytest.raises(PermanentError, match="the value of the app setting 'SMTP_TLS' is not a valid `tls`"):
        connected.send(MESSAGE, services({}, **{**environment, "SMTP_TLS": "ssl"}, SMTP_TO="b@example.com"))
    with pytest.raises(PermanentError, match="the value of the app setting 'SMTP_PORT' is not a valid port"):
        connected.send(MESSAGE, services({}, **{**environment, "SMTP_PORT": "smtp"}, SMTP_TO="b@example.com"))


SECURE = {"tls": "starttls", "username": "alerts", "password": {"setting": "SMTP_PASSWORD"}}


def secured(serve: Callable[..., Loopback], trusted: Authority, mailbox: Mailbox) -> Loopback:
    return serve(
        mailbox,
        tls_context=trusted.context,
        require_starttls=True,
        auth_required=True,
        authenticator=only_alerts,
    )


def test_mail_by_starttls_with_a_password(
    serve: Callable[..., Loopback], trusted: Authority, cloud: ExitStack
) -> None:
    mailbox = Mailbox()
    connected = mail(secured(serve, trusted, mailbox), **SECURE)
    connected.send(MESSAGE, services({}, SMTP_PASSWORD="open sesame"))
    assert len(mailbox.mails) == 1


def test_a_wrong_password_is_permanent_and_not_shown(
    serve: Callable[..., Loopback], trusted: Authority, cloud: ExitStack
) -> None:
    connected = mail(secured(serve, trusted, Mailbox()), **SECURE)
    with pytest.raises(PermanentError, match="535") as caught:
        connected.send(MESSAGE, services({}, SMTP_PASSWORD="closed sesame"))
    assert "sesame" not in str(caught.value)
    assert "correct `username` of the connection and the app setting" in str(caught.value)


def test_a_server_that_nobody_vouches_for_gets_no_password(
    serve: Callable[..., Loopback], trusted: Authority
) -> None:
    mailbox = Mailbox()
    connected = mail(secured(serve, trusted, mailbox), **SECURE)
    with pytest.raises(PermanentError, match="certificate"):
        connected.send(MESSAGE, services({}, SMTP_PASSWORD="open sesame"))
    assert mailbox.mails == []


def test_a_server_without_starttls_is_permanent(serve: Callable[..., Loopback]) -> None:
    with pytest.raises(PermanentError, match="STARTTLS"):
        mail(serve(Mailbox()), tls="starttls").send(MESSAGE, services({}))


def test_mail_by_tls_from_the_first_byte(
    serve: Callable[..., Loopback], trusted: Authority, cloud: ExitStack
) -> None:
    mailbox = Mailbox()
    server = serve(mailbox, ssl_context=trusted.context)
    mail(server, tls="tls").send(MESSAGE, services({}))
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    ("command", "reply", "kind"),
    [
        ("DATA", "451 try later", TransientError),
        ("DATA", "554 spam", PermanentError),
        ("RCPT mlops@example.com", "450 mailbox busy", TransientError),
        ("RCPT mlops@example.com", "550 no such user", PermanentError),
    ],
)
def test_a_reply_of_the_server_says_whether_to_ask_again(
    serve: Callable[..., Loopback], command: str, reply: str, kind: type[ActionError]
) -> None:
    mailbox = Mailbox(replies={command: reply})
    code, _, words = reply.partition(" ")
    with pytest.raises(kind, match=f"{code} {words}") as caught:
        mail(serve(mailbox)).send(MESSAGE, services({}))
    assert type(caught.value) is kind


def test_one_refused_receiver_keeps_the_others(serve: Callable[..., Loopback]) -> None:
    mailbox = Mailbox(replies={"RCPT gone@example.com": "550 no such user"})
    connected = mail(serve(mailbox), to=["gone@example.com", "mlops@example.com"])
    told = connected.send(MESSAGE, services({}))
    assert mailbox.receivers == [["mlops@example.com"]]
    assert told == "mlops@example.com by 127.0.0.1; refused: gone@example.com (550 no such user)"


def test_an_absent_server_is_transient() -> None:
    absent = {"host": "127.0.0.1", "port": _free_port(), "sender": "a@example.com", "to": ["b@example.com"]}
    with pytest.raises(TransientError, match=r"sending mail by 127\.0\.0\.1"):
        Smtp.model_validate({**absent, "tls": "none"}).send(MESSAGE, services({}))


@example("\x80\udc80")
@given(st.text(st.characters(codec=None, categories=("L", "Cc", "Cs", "Zl", "Zp", "Zs", "P"))))
def test_no_subject_adds_a_header(subject: str) -> None:
    try:
        written = smtp._mail(Message(subject, "t", "k"), "a@example.com", ["b@example.com"])
        read = message_from_bytes(written.as_bytes(policy=policy.SMTP), policy=policy.default)
    except PermanentError:
        return
    headers = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"}
    assert set(read.keys()) == headers | {"Content-Type", "MIME-Version"}


def test_a_line_break_in_a_subject_is_refused() -> None:
    with pytest.raises(PermanentError, match="cannot be written as mail"):
        smtp._mail(Message("a\r\nBcc: x@example.com", "t", "k"), "a@example.com", ["b@example.com"])
