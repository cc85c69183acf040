"""A dead letter: an event that Event Grid could not deliver, with what it says of its attempts.

| Event Grid schema | CloudEvents 1.0 |
|---|---|
| `deadLetterReason` | `deadletterreason` |
| `deliveryAttempts` | `deliveryattempts` |
| `lastDeliveryOutcome` | `lastdeliveryoutcome` |
| `publishTime` | `publishtime` |
| `lastDeliveryAttemptTime` | `lastdeliveryattempttime` |

https://learn.microsoft.com/azure/event-grid/manage-event-delivery
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Any, Self

from mlevents.errors import EventError
from mlevents.events.content import instant
from mlevents.events.document import text_of, value_of

_REASON, _ATTEMPTS, _OUTCOME, _PUBLISHED, _TRIED = ADDED_MEMBERS = (
    "deadletterreason",
    "deliveryattempts",
    "lastdeliveryoutcome",
    "publishtime",
    "lastdeliveryattempttime",
)
"""The members that Event Grid adds, in small letters."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter: `event` is the event as it was published, without what Event Grid added.

    Times are ISO 8601 in UTC; what the dead letter does not say is None, or empty for the texts of the event.
    A plain event is a dead letter without a reason.
    """

    event: Mapping[str, Any]
    id: str
    type: str
    subject: str
    topic: str
    time: str | None
    reason: str | None
    attempts: int | None
    outcome: str | None
    published: str | None
    tried: str | None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """From one object of a blob; reads names without regard to case and underscores."""
        members = {_fold(name): value for name, value in document.items()}
        attempts = members.get(_ATTEMPTS)
        return cls(
            event={name: value for name, value in document.items() if _fold(name) not in ADDED_MEMBERS},
            id=_text(members, "id") or "",
            type=_text(members, "eventtype", "type") or "",
            subject=_text(members, "subject") or "",
            topic=_text(members, "topic", "source") or "",
            time=_time(members, "eventtime", "time"),
            reason=_text(members, _REASON),
            attempts=attempts if isinstance(attempts, int) else None,
            outcome=_text(members, _OUTCOME),
            published=_time(members, _PUBLISHED),
            tried=_time(members, _TRIED),
        )

    @property
    def happened(self) -> str | None:
        """When it happened: the event's own time, else when it was published."""
        return self.time or self.published


def read_dead_letters(content: bytes | str) -> list[DeadLetter | EventError]:
    """Every dead letter of a blob: an array, an object, or one of them a line.

    An element that is not an object is an error. Raises EventError for a blob that is not JSON.
    """
    values = _read_values(text_of(content))
    elements = (one for value in values for one in (value if isinstance(value, list) else [value]))
    return [_read_element(one) for one in elements]


def _read_values(text: str) -> list[Any]:
    """The one JSON value of a text, or that of each line; raises the error of the whole text."""
    try:
        return [value_of(text)]
    except EventError:
        lines = [line for line in text.splitlines() if line.strip()]
        with suppress(EventError):
            return [value_of(line) for line in lines] if len(lines) > 1 else [value_of(text)]
        raise


def _read_element(element: Any) -> DeadLetter | EventError:
    if not isinstance(element, dict):
        return EventError(f"an event must be an object, not {shown(element)}")
    return DeadLetter.read(element)


def _fold(name: str) -> str:
    return name.replace("_", "").casefold()


def _text(members: Mapping[str, Any], *names: str) -> str | None:
    found = (members[name] for name in names if isinstance(members.get(name), str))
    return next((text for text in found if text), None)


def _time(members: Mapping[str, Any], *names: str) -> str | None:
    with suppress(ValueError):
        return instant(_text(members, *names) or "")
    return None
