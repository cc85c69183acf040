"""A queue of a storage account.

```yaml
connections:
  audit: {type: storage_queue, account: staudit, queue: ml-events}
```

A message is base64, as the queue trigger of Azure Functions expects it, and has at most 64 KB in that form:
https://learn.microsoft.com/rest/api/storageservices/put-message. It never expires.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator

from mlevents.errors import PermanentError
from mlevents.services.azure_credential import CLIENT_OPTIONS, credential
from mlevents.services.connection import SettingName, SettingSource, Text, connection, describe_value
from mlevents.services.lazy_import import import_lock
from mlevents.services.permission import STORAGE_QUEUE_SENDER, Permission
from mlevents.services.sdk_errors import translate_errors
from mlevents.services.streams.stream import Stream, StreamMessage, require_fit

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

LARGEST_MESSAGE = 65_536
ENCODED = 4 / 3
"""Base64 makes 4 characters of 3 bytes."""
NEVER = -1
"""The time to live of a message that stays until it is read."""
ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
QUEUE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


def _account(text: str) -> str:
    """The address of the account's queues; an account by name is one of the public cloud."""
    if ACCOUNT.fullmatch(text):
        return f"https://{text}.queue.core.windows.net"
    parts = urlsplit(text)
    if parts.scheme == "https" and parts.hostname and not (parts.username or parts.query or parts.fragment):
        return text.rstrip("/")
    raise ValueError(
        f"'{text}' is not a storage account: write its name, or https://NAME.queue.core.windows.net"
    )


def _queue(text: str) -> str:
    if QUEUE.fullmatch(text):
        return text
    raise ValueError(
        f"'{text}' is not a valid name for a queue: write 3 to 63 small letters, digits and dashes"
    )


def _written_account(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str):
        _account(value)
    return value


def _written_queue(value: str | SettingName) -> str | SettingName:
    return value if isinstance(value, SettingName) else _queue(value)


@connection("storage_queue")
class StorageQueue(Stream):
    """A queue of a storage account."""

    permissions: ClassVar[tuple[Permission, ...]] = (Permission("storage_queue", STORAGE_QUEUE_SENDER),)
    options: ClassVar[tuple[str, ...]] = ("subject",)

    account: Annotated[Text, AfterValidator(_written_account)]
    """name the storage account, or write https://NAME.queue.core.windows.net."""
    queue: Annotated[Text, AfterValidator(_written_queue)]
    """name the queue, which exists."""

    def forward(self, message: StreamMessage, services: SettingSource) -> str:
        """Put the message on the queue; the queue does not drop repeats."""
        largest = int(LARGEST_MESSAGE / ENCODED)
        require_fit(len(message.body), largest, "a storage queue (64 KB as base64)")
        account, queue = self._place(services)
        place = f"the queue '{queue}' at {urlsplit(account).hostname}"
        with translate_errors(f"sending to {place}"):
            _client(account, queue).send_message(message.body.decode(), time_to_live=NEVER)
        return place

    def _place(self, services: SettingSource) -> tuple[str, str]:
        """The address of the account, and the queue; a setting may be a secret, so it is not quoted."""
        try:
            account = _account(services.text(self.account))
        except ValueError:
            named = describe_value(self.account, "")
            raise PermanentError(
                f"{named} is not a storage account: write its name, or its address"
            ) from None
        try:
            return account, _queue(services.text(self.queue))
        except ValueError:
            named = describe_value(self.queue, "")
            raise PermanentError(f"{named} is not a valid name for a queue: write that of one") from None


@cache
def _client(account: str, queue: str) -> QueueClient:
    with import_lock():
        from azure.storage.queue import QueueClient, TextBase64EncodePolicy

    return QueueClient(
        account, queue, credential(), message_encode_policy=TextBase64EncodePolicy(), **CLIENT_OPTIONS
    )
