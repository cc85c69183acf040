"""A mail server that takes every mail: plain, after STARTTLS, with any name and password."""

import asyncio
import email
import email.policy
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from sandbox.inboxes.inbox import Inbox
from sandbox.listener import HOST, TcpServer

SIZE_LIMIT = 16 * 1024 * 1024


class _Postman:
    """Puts what the server takes into the inbox; aiosmtpd finds the hook by its name."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        mail = email.message_from_bytes(content, policy=email.policy.default)
        body = mail.get_body(("plain", "html"))
        self._inbox.put(
            "smtp",
            **{"from": envelope.mail_from or ""},
            to=list(envelope.rcpt_tos),
            subject=str(mail["Subject"] or ""),
            text="\n".join(body.get_content().splitlines()) if body is not None else "",
            body=content.decode(errors="replace"),
            headers={name.lower(): str(value) for name, value in mail.items()},
        )
        return "250 OK"


async def serve_mail(inbox: Inbox, context: ssl.SSLContext, *, encrypted: bool = False) -> TcpServer:
    """Take mail on a free port of 127.0.0.1; `encrypted` from the first byte on."""
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(
            _Postman(inbox),
            hostname="sandbox",
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            tls_context=context,
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True),
            loop=loop,
        )

    server = await loop.create_server(connection, HOST, 0, ssl=context if encrypted else None)
    return TcpServer(server)
