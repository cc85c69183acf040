"""A queue or topic of Service Bus.

```yaml
connections:
  orders: {type: service_bus, namespace: sbns-ml.servicebus.windows.net, queue: ml-events}
  platform: {type: service_bus, namespace: sbns-ml.servicebus.windows.net, topic: ml-events}
```

Over AMQP, port 5671. A message has at most 256 KB, in the tier Premium 1 MB:
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator

from mlevents.services.azure_credential import READ_TIMEOUT, credential
from mlevents.services.connection import SettingSource, Text, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.lazy_import import import_lock
from mlevents.services.permission import SERVICE_BUS_SENDER, Permission
from mlevents.services.streams.amqp import (
    check_entity,
    check_namespace,
    client_options,
    read_place,
    too_large,
    translate_amqp_errors,
)
from mlevents.services.streams.stream import Stream, StreamMessage
from mlevents.yamlfile.key_choice import KeyChoice, KeyChoiceModel

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusMessage, ServiceBusSender

_LONGEST_ID = 128
"""Characters of a message id."""
_OPTIONS = {"try_timeout": READ_TIMEOUT, "keep_alive": 0}
"""An attempt ends in time. The SDK's thread that keeps a connection alive would delay its end by a second."""
_DIGITS = 20
"""Of the digest in an id that is too long."""
# The SDK logs each error that it raises, with its traceback.
logging.getLogger("azure.servicebus").setLevel(logging.CRITICAL)


@connection("service_bus")
class ServiceBus(KeyChoiceModel, Stream):
    """A queue or a topic of a Service Bus namespace."""

    permissions: ClassVar[tuple[Permission, ...]] = (Permission("service_bus", SERVICE_BUS_SENDER),)
    options: ClassVar[tuple[str, ...]] = ("subject", "session", "deduplicate_by")
    key_choices: ClassVar[tuple[KeyChoice, ...]] = (KeyChoice("queue"), KeyChoice("topic"))
    has_own_subject: ClassVar[bool] = True

    namespace: Annotated[Text, AfterValidator(check_namespace)]
    """write the host of the namespace: NAME.servicebus.windows.net."""
    queue: Annotated[Text, AfterValidator(check_entity)] | None = None
    """name the queue."""
    topic: Annotated[Text, AfterValidator(check_entity)] | None = None
    """name the topic, in place of `queue`."""

    def forward(self, message: StreamMessage, services: SettingSource) -> str:
        """Send the message; duplicate detection, where the entity has it, drops repeats by the message id."""
        with import_lock():
            from azure.servicebus.exceptions import MessageSizeExceededError

        with self._open(services) as (sender, place):
            sent, batch = _make_message(message), sender.create_message_batch()
            try:
                batch.add_message(sent)
            except MessageSizeExceededError:
                raise too_large(len(message.body), batch.max_size_in_bytes, place) from None
            sender.send_messages(sent)
        return place

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Open a link and send nothing: Service Bus checks the role and the name then."""

        def open_link() -> str:
            with self._open(services) as (_, place):
                return f"{place} would take messages; nothing was sent"

        yield run_check("link", open_link, f"the role is {SERVICE_BUS_SENDER}")

    @contextmanager
    def _open(self, services: SettingSource) -> Iterator[tuple[ServiceBusSender, str]]:
        """A sender whose link is open, and the place for people."""
        kind = "queue" if self.queue is not None else "topic"
        namespace, entity = read_place(self.namespace, self.queue or self.topic or "", services)
        place = f"the {kind} '{entity}' of {namespace}"
        with import_lock():
            from azure.servicebus import ServiceBusSender

        options: dict[str, Any] = {f"{kind}_name": entity, **client_options(services), **_OPTIONS}
        with (
            translate_amqp_errors(f"sending to {place}"),
            ServiceBusSender(namespace, credential(), **options) as sender,
        ):
            yield sender, place


def _make_message(message: StreamMessage) -> ServiceBusMessage:
    with import_lock():
        from azure.servicebus import ServiceBusMessage

    return ServiceBusMessage(
        message.body,
        message_id=fit_message_id(message.message_id or message.key),
        session_id=message.session,
        subject=message.subject,
        content_type=message.media_type,
    )


def fit_message_id(text: str) -> str:
    """The message id; a longer one than Service Bus takes ends with a digest, so that it stays unique."""
    if len(text) <= _LONGEST_ID:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]
    return f"{text[: _LONGEST_ID - _DIGITS - 1]}-{digest}"
