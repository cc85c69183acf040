"""A response: one event × one rule, as it travels in an orchestration's input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlevents.events import Event

Step = Mapping[str, Any]
"""A step as JSON: `id`, `uses`, `with` (its `${…}` not yet filled in), `if`, `retry`, `timeout`."""


@dataclass(frozen=True, slots=True)
class Response:
    """What is to be done about one event by one rule, decided before anything is done.

    A `status` other than `running` is settled already (`shadow`, `refused`, `quarantined`,
    `stopped`, `failed`), for the reason in `because`: its steps are not performed, and `alert` says
    whether `on_failure` is. `raw` is the text of an event that could not be understood.
    `connections` are as written, so that the value of a `{setting: …}` is never stored with a response;
    `files` are the texts of the files that the steps name, as they were when the event came.
    `gates` are those that look at Azure, with their values. `traceparent` is the trace context of the
    delivery that began it, as W3C writes it.
    `attempt` counts how often the sweeper had it run again; `unfinished` are the rollouts of earlier attempts
    whose traffic must be put back.
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
    files: Mapping[str, str] = field(default_factory=dict)
    depth: int = 1
    raw: str | None = None
    traceparent: str | None = None
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attempt: int = 1
    unfinished: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The response as JSON; `from_json` gives it back."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {
            "event": self.event.to_json(),
            "steps": [dict(step) for step in self.steps],
            "on_failure": [dict(step) for step in self.on_failure],
            "unfinished": [dict(rollout) for rollout in self.unfinished],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Response":
        """The response that `to_json` wrote, perhaps that of another version of this app."""
        known: dict[str, Any] = {
            name: document[name] for name in cls.__dataclass_fields__ if name in document
        }
        for name in ("steps", "on_failure", "unfinished"):
            known[name] = tuple(known.get(name, ()))
        return cls(**{**known, "event": Event.from_json(known["event"])})
