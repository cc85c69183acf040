"""An Event Grid topic that takes CloudEvents 1.0.

```yaml
connections:
  platform-events:
    type: event_grid
    endpoint: https://evgt-ml.westeurope-1.eventgrid.azure.net/api/events
```

https://learn.microsoft.com/azure/event-grid/cloud-event-schema; an event has at most 1 MB.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator

from mlevents.errors import PermanentError
from mlevents.services.azure_credential import CLIENT_OPTIONS, credential
from mlevents.services.connection import SettingName, SettingSource, Text, connection, describe_value
from mlevents.services.lazy_import import import_lock
from mlevents.services.permission import EVENT_GRID_SENDER, Permission
from mlevents.services.sdk_errors import translate_errors
from mlevents.services.streams.stream import Stream, StreamMessage, require_fit

if TYPE_CHECKING:
    from azure.eventgrid import EventGridPublisherClient

# The SDK drops the options of its client for a topic, so each request has them. It then warns of each option.
logging.getLogger("azure.eventgrid._legacy._generated._serialization").setLevel(logging.ERROR)

LARGEST_EVENT = 1_048_576
EXAMPLE = "https://NAME.REGION-1.eventgrid.azure.net/api/events"


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(f"'{text}' is not the endpoint of a topic: write one such as {EXAMPLE}")
    return text if parts.path.strip("/") else f"{text.rstrip('/')}/api/events"


def _written_endpoint(value: str | SettingName) -> str | SettingName:
    return value if isinstance(value, SettingName) else _endpoint(value)


@connection("event_grid")
class EventGrid(Stream):
    """An Event Grid topic whose input schema is CloudEvents 1.0, or a domain."""

    permissions: ClassVar[tuple[Permission, ...]] = (Permission("event_grid", EVENT_GRID_SENDER),)
    options: ClassVar[tuple[str, ...]] = ("subject",)
    cloud_events_only: ClassVar[bool] = True

    endpoint: Annotated[Text, AfterValidator(_written_endpoint)]
    """write the endpoint of the topic: https://NAME.REGION-1.eventgrid.azure.net/api/events."""

    def forward(self, message: StreamMessage, services: SettingSource) -> str:
        """Publish the CloudEvent; its id is the step's key."""
        require_fit(len(message.body), LARGEST_EVENT, "Event Grid")
        endpoint = self._address(services)
        host = urlsplit(endpoint).hostname
        with translate_errors(f"publishing to the topic {host}"):
            _send(endpoint, message)
        return f"the topic {host}"

    def _address(self, services: SettingSource) -> str:
        text = services.text(self.endpoint)
        try:
            return _endpoint(text)
        except ValueError:
            named = describe_value(self.endpoint, text)
            raise PermanentError(
                f"{named} is not the endpoint of a topic: write one such as {EXAMPLE}"
            ) from None


def _send(endpoint: str, message: StreamMessage) -> None:
    with import_lock():
        from azure.core.exceptions import ResourceNotFoundError
        from azure.core.messaging import CloudEvent

    try:
        _client(endpoint).send(CloudEvent.from_dict(dict(message.content)), **CLIENT_OPTIONS)
    except ResourceNotFoundError as error:  # the SDK replaces the answer by advice that does not apply
        raise PermanentError(f"the topic at {endpoint} does not exist: correct `endpoint`") from error


@cache
def _client(endpoint: str) -> EventGridPublisherClient:
    with import_lock():
        from azure.eventgrid import EventGridPublisherClient

    return EventGridPublisherClient(endpoint, credential())
