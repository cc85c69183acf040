"""A response: one event × one rule, as it travels in an orchestration's input."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlevents.events import Event

Step = Mapping[str, Any]
"""A step as JSON: `id`, `uses`, `with` (its `${…}` not yet filled in), `if`, `retry`, `timeout`."""


def digest(text: str) -> str:
    """Twenty hexadecimal digits that stand for this text."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Response:
    """What is to be done about one event by one rule, decided before anything is done.

    A `status` other than `running` is settled already (`shadow`, `refused`, `quarantined`,
    `stopped`, `failed`), for the reason in `because`: its steps are not performed, and `alert` says
    whether `on_failure` is. `raw` is the text of an event that could not be understood.
    `connections` are as written, so that an app setting's value is never stored with a response.
    """

    id: str
    rule: str | None
    event: Event
    status: str = "running"
    because: str | None = None
    alert: bool = False
    steps: tuple[Step, ...] = ()
    on_failure: tuple[Step, ...] = ()
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    depth: int = 1
    raw: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The response as JSON; `from_json` gives it back."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {
            "event": self.event.to_json(),
            "steps": [dict(step) for step in self.steps],
            "on_failure": [dict(step) for step in self.on_failure],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Response":
        """The response that `to_json` wrote."""
        return cls(
            **{
                **document,
                "event": Event.from_json(document["event"]),
                "steps": tuple(document["steps"]),
                "on_failure": tuple(document["on_failure"]),
            }
        )
