"""The event as a CloudEvent 1.0 in JSON: https://github.com/cloudevents/spec/blob/v1.0.2."""

from typing import Any

from mlevents.actions.action import StepContext

MEDIA_TYPE = "application/cloudevents+json"
UNKNOWN_SOURCE = "mlevents"


def make_cloud_event(context: StepContext, data: Any) -> dict[str, Any]:
    """The structured form; its id is the step's key, so a repeated call is the same event."""
    event = context.event
    known = {"subject": event.subject, "time": event.time}
    return {
        "specversion": "1.0",
        "id": context.key,
        "source": event.topic or UNKNOWN_SOURCE,
        "type": f"mlevents.{event.type}",
        **{name: value for name, value in known.items() if value},
        "datacontenttype": "application/json",
        "mleventsrule": context.rule,
        "mleventsresponse": context.id,
        "data": data,
    }
