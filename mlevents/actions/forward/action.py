"""Send the event, whole or shaped, to an event hub, an Event Grid topic or a storage queue.

```yaml
uses: forward
with: {to: lakehouse}
```

sends a CloudEvent 1.0 whose data is the event with its normalised names. `data` is a shape of your own, and
`format: json` sends it without the CloudEvent around it:

```yaml
uses: forward
with:
  to: lakehouse
  format: json
  data: {run: "${run.id}", experiment: "${run.experiment}", status: "${run.status}"}
  partition_key: "${run.experiment}"
```

An event is sent at least once: an attempt whose answer was lost sends it again. Each copy has the same id.
The id of the CloudEvent, and of the message in an event hub, is the key of this step of this response.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from mlevents.actions.action import Action, ConnectionName, Done, Outcome, StepContext, action
from mlevents.actions.cloud_event import MEDIA_TYPE, make_cloud_event
from mlevents.errors import PermanentError
from mlevents.registry import UnknownNameError
from mlevents.services.connection import connection
from mlevents.services.services import Services
from mlevents.services.streams.stream import Stream, StreamMessage

TYPES = ("event_hub", "event_grid", "storage_queue")
OPTIONS = ("partition_key", "subject")
NOT_SENT = ("steps", "failure")
"""Names that belong to the response, not to the event."""
Option = Annotated[str, Field(min_length=1)]


@action("forward")
class Forward(Action):
    """Send the event to other programs."""

    to: Annotated[str, ConnectionName(TYPES)]
    """name a connection of type `event_hub`, `event_grid` or `storage_queue`."""
    format: Literal["cloudevent", "json"] = "cloudevent"
    """`cloudevent` sends a CloudEvent 1.0 (when left out), `json` the data alone."""
    data: JsonValue = None
    """What is sent, such as `{run: "${run.id}"}`; the event with its normalised names when left out."""
    subject: Option | None = None
    """The subject of the CloudEvent; that of the event when left out."""
    partition_key: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Event Hubs keep events of one key in order, such as `"${run.experiment}"`."""

    @classmethod
    def select_names(cls, written: Mapping[str, Any], names: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole event, unless `data` says what of it is sent."""
        if "data" in written:
            return {}
        return {root: value for root, value in names.items() if root not in NOT_SENT}

    def find_connection_faults(
        self,
        connections: Mapping[str, Mapping[str, Any]],
        environment: Mapping[str, str],  # noqa: ARG002 - no setting changes the type
    ) -> Iterator[str]:
        """Parameters for which the service has no place."""
        try:
            kind = connection.find(str(connections.get(self.to, {}).get("type")))
        except UnknownNameError:
            return  # reported where the connection is written
        if issubclass(kind, Stream):
            yield from self._find_misfits(kind, str(connections[self.to]["type"]))

    def _find_misfits(self, kind: type[Stream], name: str) -> Iterator[str]:
        if kind.cloud_events_only and self.format != "cloudevent":
            yield f"a connection of type {name} takes CloudEvents only: remove `format: {self.format}`"
        for option in OPTIONS:
            if getattr(self, option, None) is not None and option not in kind.options:
                yield f"a connection of type {name} has no {option}: remove `{option}`"
        if self.subject is not None and self.format == "json" and "subject" in kind.options:
            yield "`subject` belongs to a CloudEvent: remove it, or `format: json`"

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Send the event."""
        target = services.connection(self.to)
        if not isinstance(target, Stream):
            text = f"the connection '{self.to}' takes no events: name one of type {', '.join(TYPES)}"
            raise PermanentError(text)
        message = self._make_message(context)
        place = target.forward(message, services)
        return Done(f"sent {message.key} to {place}", {"id": message.key, "bytes": len(message.body)})

    def _make_message(self, context: StepContext) -> StreamMessage:
        content = self.data
        if content is None:
            content = {root: value for root, value in context.names.items() if root not in NOT_SENT}
        is_cloud_event = self.format == "cloudevent"
        if is_cloud_event:
            content = make_cloud_event(context, content)
            content |= {"subject": self.subject} if self.subject else {}
        body = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        return StreamMessage(
            key=context.key,
            content=content,
            body=body,
            media_type=MEDIA_TYPE if is_cloud_event else "application/json",
            partition_key=self.partition_key,
        )
