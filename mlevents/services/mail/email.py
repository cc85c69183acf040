"""Mail by Azure Communication Services, with the app's managed identity.

```yaml
connections:
  mlops-email:
    type: email
    endpoint: {setting: COMMUNICATION_ENDPOINT}    # https://<name>.<region>.communication.azure.com
    sender: alerts@ml.example.com
    to: [mlops@example.com]
```

Each message is an operation. Its id is made of the message's key, and is looked up before sending:
GET /emails/operations/{id}, then POST /emails:send with the header Operation-Id.
https://learn.microsoft.com/rest/api/communication/email
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid4, uuid5

from mlevents.errors import PermanentError
from mlevents.services.answer_fields import require_object
from mlevents.services.azure_credential import CLIENT_OPTIONS, credential
from mlevents.services.connection import Connection, Message, SettingSource, Text, connection, describe_value
from mlevents.services.finding import Finding, run_check
from mlevents.services.lazy_import import import_lock
from mlevents.services.mail.html_mail import build_html
from mlevents.services.mail.mail_address import Address, Addresses, read_address, read_addresses
from mlevents.services.permission import MAIL_OWNER, Permission
from mlevents.services.sdk_errors import translate_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azure.communication.email import EmailClient


EMAIL_API = "2025-09-01"
OPERATION_STATUSES = ("NotStarted", "Running", "Succeeded", "Failed", "Canceled")
OK, NOT_FOUND = 200, 404


@connection("email")
class Email(Connection):
    """A Communication Services resource, with the sender and the receivers of its mails."""

    permissions: ClassVar[tuple[Permission, ...]] = (Permission("email", MAIL_OWNER),)

    endpoint: Text
    """write the endpoint of the resource: https://NAME.REGION.communication.azure.com."""
    sender: Address
    """write the address that sends, of a domain of the resource."""
    to: Addresses
    """list the addresses that receive the mails; an app setting may hold several, with commas."""

    def send(self, message: Message, services: SettingSource) -> str:
        """Submit the message once, and return when it is accepted; accepted does not mean delivered."""
        endpoint = _https(services.text(self.endpoint), self.endpoint)
        receivers = read_addresses(self.to, services)
        content = {"subject": message.subject, "plainText": message.text, "html": build_html(message)}
        mail = {
            "senderAddress": read_address(self.sender, services),
            "recipients": {"to": [{"address": address} for address in receivers]},
            "content": content,
        }
        operation = str(uuid5(NAMESPACE_URL, f"mlevents:{message.key}"))
        what = f"sending mail by {endpoint}"
        with translate_errors(what):
            client = _client(endpoint)
            known = _operation(client, operation)
            if known is None:
                _submit(client, mail, operation)
        status = "accepted" if known is None else _accepted_before(known)
        return f"{', '.join(receivers)} by {urlsplit(endpoint).hostname} ({status}, operation {operation})"

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Read an operation that cannot exist: 404 shows that access is allowed. Nothing is sent."""
        yield run_check("addresses", lambda: self._addresses(services), "correct `sender` and `to`")

        def let_in() -> str:
            endpoint = _https(services.text(self.endpoint), self.endpoint)
            with translate_errors(f"reading from {endpoint}"):
                _operation(_client(endpoint), str(uuid4()))
            return f"{urlsplit(endpoint).hostname} allows access; nothing was sent"

        yield run_check(
            "endpoint", let_in, f"correct `endpoint`, and give the app's identity the role {MAIL_OWNER} on it"
        )

    def _addresses(self, services: SettingSource) -> str:
        sender, receivers = read_address(self.sender, services), read_addresses(self.to, services)
        return f"{sender} writes to {', '.join(receivers)}"


def _submit(client: EmailClient, mail: dict[str, Any], operation: str) -> None:
    """Hand a mail over; raises ValueError for a success that is not the documented one."""
    with import_lock():
        from azure.core.exceptions import HttpResponseError

    try:
        client.begin_send(mail, operation_id=operation, polling=False)
    except HttpResponseError as error:
        if error.status_code == OK:  # Communication Services answer 202: a proxy has answered
            raise ValueError("the answer is not that of Communication Services") from error
        raise


def _accepted_before(known: Mapping[str, Any]) -> str:
    """The status of a mail that an earlier attempt submitted; raises PermanentError if it failed."""
    if known["status"] not in ("Failed", "Canceled"):
        return f"accepted before, {known['status']}"
    error: Any = known.get("error")
    reason = (error.get("message") if isinstance(error, dict) else None) or "no reason given"
    raise PermanentError(f"the mail was accepted, then {known['status']}: {reason!s:.300}")


def _operation(client: EmailClient, operation: str) -> Mapping[str, Any] | None:
    with import_lock():
        from azure.core.rest import HttpRequest

    ask = HttpRequest("GET", f"/emails/operations/{operation}", params={"api-version": EMAIL_API})
    response = client.send_request(ask)
    if response.status_code == NOT_FOUND:
        return None
    response.raise_for_status()
    known = require_object(response.json(), "the operation")
    if known.get("status") not in OPERATION_STATUSES:
        raise ValueError("the operation has an unknown status")
    return known


def _https(endpoint: str, written: Text) -> str:
    """The endpoint if it is an https address: a token must not travel without encryption."""
    parts = urlsplit(endpoint)
    if (
        parts.scheme == "https"
        and parts.hostname
        and not parts.username
        and parts.netloc == endpoint.rstrip("/")[8:]
    ):
        return endpoint.rstrip("/")
    raise PermanentError(
        f"{describe_value(written, endpoint)} is not a Communication Services endpoint: write its https "
        "address, such as https://<name>.<region>.communication.azure.com, not a connection string"
    )


@cache
def _client(endpoint: str) -> EmailClient:
    with import_lock():
        from azure.communication.email import EmailClient

    return EmailClient(
        endpoint,
        credential(),
        api_version=EMAIL_API,
        **CLIENT_OPTIONS,
    )
