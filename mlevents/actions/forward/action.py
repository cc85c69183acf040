"""Send the event, whole or shaped, to an event hub, Service Bus, an Event Grid topic or a storage queue.

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
The id of the CloudEvent, and of the message in an event hub, is the key of this step of this response. The id
of a message in Service Bus is the event's, so that duplicate detection works; see `deduplicate_by`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, JsonValue

from mlevents.actions.action import Action, Done, Outcome, StepContext, action
from mlevents.actions.cloud_event import MEDIA_TYPE, make_cloud_event
from mlevents.actions.shared_receiver import SharedReceiver
from mlevents.errors import PermanentError
from mlevents.registry import UnknownNameError
from mlevents.services.connection import ConnectionName, connection
from mlevents.services.services import Services
from mlevents.services.streams.stream import Stream, StreamMessage

TYPES = ("event_hub", "service_bus", "event_grid", "storage_queue")
OPTIONS = ("partition_key", "session", "deduplicate_by", "subject")
NOT_SENT = ("steps", "failure")
"""Names that belong to the response, not to the event."""
Option = Annotated[str, Field(min_length=1)]


@action("forward")
class Forward(SharedReceiver, Action):
    """Send the event to other programs."""

    shared_receiver_parameters: ClassVar[Mapping[str, Any]] = {"deduplicate_by": "step"}

    to: Annotated[str, ConnectionName(TYPES)]
    """name a connection of type `event_hub`, `service_bus`, `event_grid` or `storage_queue`."""
    format: Literal["cloudevent", "json"] = "cloudevent"
    """`cloudevent` sends a CloudEvent 1.0 (when left out), `json` the data alone."""
    data: JsonValue = None
    """What is sent, such as `{run: "${run.id}"}`; the event with its normalised names when left out."""
    subject: Option | None = None
    """The subject of the CloudEvent and of the message in Service Bus; that of the event when left out."""
    partition_key: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Event Hubs keep events of one key in order, such as `"${run.experiment}"`."""
    session: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Service Bus keeps messages of one session in order; an entity that requires sessions needs it."""
    deduplicate_by: Literal["event", "step"] | None = None
    """The message id in Service Bus: `event` is the event's id, `step` adds the key of this step."""

    @classmethod
    def select_names(cls, written: Mapping[str, Any], names: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole event, unless `data` says what of it is sent."""
        if "data" in written:
            return {}
        return {root: value for root, value in names.items() if root not in NOT_SENT}

    @classmethod
    def find_shared_receiver(
        cls, written: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
    ) -> str | None:
        """The connection to Service Bus, unless the step says that its message ids are its own."""
        target = connections.get(str(written.get("to")), {})
        if written.get("deduplicate_by") == "step" or "deduplicate_by" not in _options_of(target):
            return None
        return json.dumps(target, sort_keys=True, default=str).lower()

    def find_connection_faults(
        self,
        connections: Mapping[str, Mapping[str, Any]],
        environment: Mapping[str, str],  # noqa: ARG002 - no setting changes the type
    ) -> Iterator[str]:
        """Parameters for which the service has no place."""
        target = connections.get(self.to, {})
        if kind := _find_stream(target):
            yield from self._find_misfits(kind, str(target["type"]))

    def _find_misfits(self, kind: type[Stream], name: str) -> Iterator[str]:
        if kind.cloud_events_only and self.format != "cloudevent":
            yield f"a connection of type {name} takes CloudEvents only: remove `format: {self.format}`"
        for option in OPTIONS:
            if getattr(self, option, None) is not None and option not in kind.options:
                yield f"a connection of type {name} has no {option}: remove `{option}`"
        has_place = kind.has_own_subject or self.format == "cloudevent"
        if self.subject is not None and not has_place:
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
            session=self.session,
            subject=self.subject or context.event.subject or None,
            message_id=self._choose_message_id(context),
        )

    def _choose_message_id(self, context: StepContext) -> str:
        """The event's id; an alert of mlevents itself is about no event, so the step's key stands for it."""
        parts = [context.event.id, context.key if self.deduplicate_by == "step" else ""]
        return ".".join(part for part in parts if part) or context.key


def _find_stream(target: Mapping[str, Any]) -> type[Stream] | None:
    """The type of a connection that takes events; an unknown one is reported where it is written."""
    try:
        kind = connection.find(str(target.get("type")))
    except UnknownNameError:
        return None
    return kind if issubclass(kind, Stream) else None


def _options_of(target: Mapping[str, Any]) -> tuple[str, ...]:
    kind = _find_stream(target)
    return kind.options if kind else ()
