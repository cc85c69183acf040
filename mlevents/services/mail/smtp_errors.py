"""What a mail server refused, or could not do, as an error of ours."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlevents.errors import ActionError, PermanentError, TransientError
from mlevents.services.remedies import find_mail_remedy

LAST_TEMPORARY = 499
REFUSALS_SHOWN = 5


@contextmanager
def translate_smtp_errors(server: str, verb: str = "sending mail by") -> Iterator[None]:
    """Raise TransientError for what the server may accept later, and PermanentError for the rest."""
    doing = f"{verb} {server}"
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        temporary = any(code <= LAST_TEMPORARY for code, _ in error.recipients.values())
        kind: type[ActionError] = TransientError if temporary else PermanentError
        raise kind(
            f"{doing}: every receiver was refused: {format_refusals(error.recipients)}; see `to`"
        ) from error
    except smtplib.SMTPResponseException as error:
        kind = TransientError if error.smtp_code <= LAST_TEMPORARY else PermanentError
        said = f"{error.smtp_code} {_reply(error.smtp_error)}{find_mail_remedy(error.smtp_code)}"
        raise kind(f"{doing}: {said}") from error
    except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise PermanentError(f"{doing}: {_reply(str(error))}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"{doing}: {type(error).__name__}: {_reply(str(error))}") from error


def format_refusals(refused: Mapping[str, tuple[int, bytes]]) -> str:
    """The first refused receivers, each with the server's reply."""
    shown = list(refused.items())[:REFUSALS_SHOWN]
    return ", ".join(f"{address} ({code} {_reply(reply)})" for address, (code, reply) in shown)


def _reply(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())[:200]
