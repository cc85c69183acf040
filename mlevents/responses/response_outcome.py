"""The outcome of a response: its custom status while it runs, its output at the end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from mlevents.events import Event
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.json_message import Json, JsonMessage, read_each
from mlevents.orchestration.step_record import StepRecord
from mlevents.responses.gate_record import GateRecord


@dataclass(frozen=True, slots=True)
class EventOutline(JsonMessage):
    """What lists show of an event."""

    id: str | None = None
    type: str | None = None
    subject: str | None = None
    time: str | None = None

    @classmethod
    def of(cls, event: Event) -> Self:
        """The outline of this event."""
        return cls(event.id, event.type, event.subject, event.time)

    def to_json(self) -> dict[str, Any]:
        """The outline as JSON, with every name."""
        return {"id": self.id, "type": self.type, "subject": self.subject, "time": self.time}


@dataclass(frozen=True, slots=True)
class ResponseOutcome(JsonMessage):
    """What has come of a response so far.

    `omitted` counts the steps that are left out; `reports` is what steps report besides their detail, by
    their ids, and `results` what the steps left for later ones: too much for a custom status. `log` is what
    operators asked of it, the latest last; `reruns` counts how often one had it run again.
    `gates` is what those gates said that look while the response runs.
    """

    rule: str | None
    event: EventOutline
    status: str
    because: str | None
    steps: tuple[StepRecord, ...]
    topic: str = ""
    omitted: int = 0
    reports: Json = field(default_factory=dict)
    results: Json = field(default_factory=dict)
    log: tuple[Intervention, ...] = ()
    reruns: int = 0
    gates: tuple[GateRecord, ...] = ()

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "event": EventOutline.from_json,
        "steps": read_each(StepRecord.from_json),
        "log": read_each(Intervention.from_json),
        "gates": read_each(GateRecord.from_json),
    }


NOTHING_KNOWN = ResponseOutcome(None, EventOutline(), "running", None, ())
"""Before the orchestration of a response has run."""
