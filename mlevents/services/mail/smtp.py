"""Mail by SMTP.

```yaml
connections:
  mlops-mail:
    type: smtp
    host: smtp.example.com
    port: 587
    sender: alerts@ml.example.com
    to: [mlops@example.com]
    tls: starttls                  # or tls (from the first byte on), or none
    username: alerts
    password: {setting: SMTP_PASSWORD}
```

SMTP cannot recognise a message: when the connection breaks before the server confirms, the message is sent
again. Both copies have the same Message-ID, so that a mailbox can show them as one.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Literal, Self, get_args

from pydantic import ConfigDict, Field, model_validator

from mlevents.errors import PermanentError
from mlevents.services.connection import (
    Connection,
    Message,
    SettingName,
    SettingSource,
    Text,
    connection,
    describe_value,
)
from mlevents.services.finding import Finding, run_check
from mlevents.services.mail.html_mail import build_html
from mlevents.services.mail.mail_address import Address, Addresses, read_address, read_addresses
from mlevents.services.mail.smtp_errors import LAST_TEMPORARY, format_refusals, translate_smtp_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

Tls = Literal["starttls", "tls", "none"]
HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,253}")
TIMEOUT = 30.0


@connection("smtp")
class Smtp(Connection):
    """A mail server, with the sender and the receivers of its mails."""

    model_config = ConfigDict(hide_input_in_errors=True)

    host: Text
    """name the mail server, such as smtp.example.com."""
    port: (
        Annotated[int, Field(ge=1, le=65535)] | Annotated[str, Field(pattern=r"^[0-9]{1,5}$")] | SettingName
    ) = 587
    """The port of the mail server."""
    sender: Address
    """write the address that sends."""
    to: Addresses
    """list the addresses that receive the mails; an app setting may hold several, with commas."""
    tls: Tls | SettingName = "starttls"
    """`tls` encrypts from the first byte on, `starttls` after the greeting, `none` never."""
    username: Text | None = None
    """The user that signs in; it needs `password`, and an encrypted connection."""
    password: Annotated[Text | None, Field(repr=False)] = None
    """The password of the user: write it as `{setting: NAME}`."""

    @model_validator(mode="after")
    def _signs_in_safely(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("'username' and 'password' belong together: give both, or neither")
        if self.username is not None and self.tls == "none":
            raise ValueError("with 'tls: none' the password is not encrypted: use starttls or tls")
        return self

    def send(self, message: Message, services: SettingSource) -> str:
        """Send the message; if the server refuses some receivers, but not all, they are only reported."""
        sender = read_address(self.sender, services)
        receivers = read_addresses(self.to, services)
        mail = _mail(message, sender, receivers)
        host, port = services.text(self.host), self._port(services)
        with translate_smtp_errors(self._server(host, port)):
            client = self._connect(host, port, services)
            try:
                refused = client.send_message(mail, sender, receivers)
            finally:
                with suppress(
                    smtplib.SMTPException, OSError
                ):  # the server has already accepted or refused the message
                    client.quit()
                client.close()
        taken = ", ".join(address for address in receivers if address not in refused)
        return f"{taken} by {host}" + (f"; refused: {format_refusals(refused)}" if refused else "")

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Connect, encrypt and sign in as for a mail, without sending one."""

        def let_in() -> str:
            read_address(self.sender, services)
            read_addresses(self.to, services)
            host, port = services.text(self.host), self._port(services)
            with translate_smtp_errors(self._server(host, port), "connecting to"):
                client = self._connect(host, port, services)
                try:
                    code, reply = client.noop()
                finally:
                    client.close()
                if code > LAST_TEMPORARY:
                    raise smtplib.SMTPResponseException(code, reply)
            signed_in = "accepts the user name and password" if self.username is not None else "answers"
            return f"{host}:{port} {signed_in} ({self._tls(services)}); nothing was sent"

        yield run_check("server", let_in, "correct `host`, `port`, `tls` and the sign-in, or fix the server")

    def _connect(self, host: str, port: int, services: SettingSource) -> smtplib.SMTP:
        tls = self._tls(services)
        if tls == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        else:
            client = smtplib.SMTP(host, port, timeout=TIMEOUT)
        try:
            if tls == "starttls":
                client.starttls(context=ssl.create_default_context())
            if self.username is not None and self.password is not None:
                client.login(services.text(self.username), services.text(self.password))
        except BaseException:
            client.close()
            raise
        return client

    def _server(self, host: str, port: int) -> str:
        """The server's name for a message; a setting may hold a text that is not a host."""
        return (
            f"{host}:{port}"
            if HOST.fullmatch(host)
            else f"{describe_value(self.host, host)}, which is not a host name,"
        )

    def _port(self, services: SettingSource) -> int:
        if isinstance(self.port, int):
            return self.port
        text = services.text(self.port)
        if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
            return int(text)
        raise PermanentError(
            f"{describe_value(self.port, text)} is not a valid port: give a number from 1 to 65535"
        )

    def _tls(self, services: SettingSource) -> str:
        tls = services.text(self.tls)
        if tls not in get_args(Tls):
            raise PermanentError(
                f"{describe_value(self.tls, tls)} is not a valid `tls`: use {', '.join(get_args(Tls))}"
            )
        if tls == "none" and self.username is not None:
            raise PermanentError("with 'tls: none' the password is not encrypted: use starttls or tls")
        return tls


def _mail(message: Message, sender: str, receivers: list[str]) -> EmailMessage:
    mail = EmailMessage()
    domain = sender.rpartition("@")[2]
    try:
        f"{message.subject}{message.text}".encode()
        mail["From"] = sender
        mail["To"] = ", ".join(receivers)
        mail["Subject"] = message.subject
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{sha256(message.key.encode()).hexdigest()[:40]}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        mail.add_alternative(build_html(message), subtype="html")
    except ValueError as error:  # a line break in a header, or a lone surrogate
        raise PermanentError(f"'{message.subject!a}' cannot be written as mail: {error!s:.200}") from error
    return mail
