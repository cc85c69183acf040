"""An event hub.

```yaml
connections:
  lakehouse: {type: event_hub, namespace: ehns-ml.servicebus.windows.net, hub: aml-events}
```

Over AMQP, port 5671. An event has at most 1 MB, 256 KB in the tier Basic:
https://learn.microsoft.com/azure/event-hubs/event-hubs-quotas
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator

from mlevents.services.azure_credential import credential
from mlevents.services.connection import SettingSource, Text, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.lazy_import import import_lock
from mlevents.services.permission import EVENT_HUBS_SENDER, Permission
from mlevents.services.streams.amqp import (
    check_entity,
    check_namespace,
    client_options,
    read_place,
    too_large,
    translate_amqp_errors,
)
from mlevents.services.streams.stream import Stream, StreamMessage

if TYPE_CHECKING:
    from azure.eventhub import EventHubProducerClient


@connection("event_hub")
class EventHub(Stream):
    """An event hub."""

    permissions: ClassVar[tuple[Permission, ...]] = (Permission("event_hub", EVENT_HUBS_SENDER),)
    options: ClassVar[tuple[str, ...]] = ("subject", "partition_key")

    namespace: Annotated[Text, AfterValidator(check_namespace)]
    """write the host of the namespace: NAME.servicebus.windows.net."""
    hub: Annotated[Text, AfterValidator(check_entity)]
    """name the event hub."""

    def forward(self, message: StreamMessage, services: SettingSource) -> str:
        """Send the event; its message id is the step's key, and the hub does not drop repeats."""
        with import_lock():
            from azure.eventhub import EventData

        event = EventData(message.body)
        event.content_type, event.message_id = message.media_type, message.key
        with self._open(services) as (client, place):
            batch = client.create_batch(partition_key=message.partition_key)
            try:
                batch.add(event)
            except ValueError:
                raise too_large(len(message.body), batch.max_size_in_bytes, place) from None
            client.send_batch(batch)
        return place

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Open a link and send nothing: Event Hubs check the role and the name then."""

        def open_link() -> str:
            with self._open(services) as (client, place):
                client.create_batch()
            return f"{place} would take events; nothing was sent"

        yield run_check("link", open_link, f"the role is {EVENT_HUBS_SENDER}")

    @contextmanager
    def _open(self, services: SettingSource) -> Iterator[tuple[EventHubProducerClient, str]]:
        """A client, and the place for people."""
        namespace, hub = read_place(self.namespace, self.hub, services)
        place = f"the event hub '{hub}' of {namespace}"
        with import_lock():
            from azure.eventhub import EventHubProducerClient
            from azure.eventhub.exceptions import EventHubError

        with (
            translate_amqp_errors(f"sending to {place}", EventHubError),
            EventHubProducerClient(namespace, hub, credential(), **client_options(services)) as client,
        ):
            yield client, place
