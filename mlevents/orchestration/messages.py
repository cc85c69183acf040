"""The messages to orchestrators and activities: a response, the calls of its steps, a request to recover."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from mlevents.events import Event
from mlevents.gates.written_rule import WrittenRule
from mlevents.orchestration.intervention import Intervention
from mlevents.orchestration.json_message import Json, JsonMessage, read_each, read_optional
from mlevents.orchestration.lease_messages import LeaseClaim
from mlevents.orchestration.step_plan import StepPlan
from mlevents.orchestration.step_record import StepRecord
from mlevents.telemetry import ResponseTrace


@dataclass(frozen=True, slots=True)
class OpenFlood(JsonMessage):
    """A flood of events in quarantine: the key of its entity, and when it began (ISO 8601)."""

    key: str
    began: str


@dataclass(frozen=True, slots=True)
class Response(JsonMessage):
    """What is to be done about one event by one rule, decided before anything is done.

    A `status` other than `running` is settled already (`shadow`, `refused`, `quarantined`,
    `stopped`, `failed`), for the reason in `because`: its steps are not performed, and `alert` says
    whether `on_failure` is. `raw` is the text of an event that could not be understood.
    `connections` are as written, so that the value of a `{setting: …}` is never stored with a response;
    `files` are the texts of the files that the steps name, as they were when the event came.
    `gates` are those that look at Azure, with their values. `traceparent` is the trace context of the
    delivery that began it, as W3C writes it.
    `attempt` counts how often the sweeper had it run again; `earlier` are the records of the steps of the
    attempt before, `unfinished` the requests to put back what steps of earlier attempts left.
    `flood` is only in the input of ReportFlood. `log` is what operators asked of it before it began.
    `reruns` counts how often an operator had it run again: its steps start under other keys then. `past` are
    those earlier attempts, as the API shows them. `kept` are the results of steps that are not performed
    again, by their ids.
    `explanation` are the rule's conditions with the values found, for people alone.
    `delivery_gates` are those that looked at the event when it came: a held response asks them again.
    `written_rule` is the rule as it was then, for a gate that matches it again.
    """

    id: str
    rule: str | None
    event: Event
    status: str = "running"
    because: str | None = None
    alert: bool = False
    steps: tuple[StepPlan, ...] = ()
    on_failure: tuple[StepPlan, ...] = ()
    connections: Mapping[str, Json] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    depth: int = 1
    raw: str | None = None
    traceparent: str | None = None
    gates: Mapping[str, Json] = field(default_factory=dict)
    attempt: int = 1
    earlier: tuple[StepRecord, ...] = ()
    unfinished: tuple["RecoveryRequest", ...] = ()
    flood: OpenFlood | None = None
    log: tuple[Intervention, ...] = ()
    reruns: int = 0
    past: tuple[Json, ...] = ()
    kept: Mapping[str, Json] = field(default_factory=dict)
    explanation: tuple[Json, ...] = ()
    delivery_gates: Mapping[str, Json] = field(default_factory=dict)
    written_rule: WrittenRule | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "event": Event.from_json,
        "steps": read_each(StepPlan.from_json),
        "on_failure": read_each(StepPlan.from_json),
        "earlier": read_each(StepRecord.from_json),
        "unfinished": read_each(lambda one: RecoveryRequest.from_json(one)),  # noqa: PLW0108 - it is below
        "flood": read_optional(OpenFlood.from_json),
        "log": read_each(Intervention.from_json),
        "past": tuple,
        "explanation": tuple,
        "written_rule": read_optional(WrittenRule.from_json),
    }

    @property
    def trace(self) -> ResponseTrace:
        """What logs, spans and metrics name of it."""
        return ResponseTrace(self.id, self.rule, self.event.id, self.traceparent)


@dataclass(frozen=True, slots=True)
class Failure(JsonMessage):
    """Why the steps of `on_failure` are performed: what `${failure.…}` reads.

    `step` and `uses` are null where no single step failed. `report` is what is known besides the message.
    """

    step: str | None
    uses: str | None
    status: str
    message: str = ""
    report: Json = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The failure as JSON, its report beside the other names."""
        own = {"step": self.step, "uses": self.uses, "status": self.status, "message": self.message}
        return {**self.report, **own}

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """The failure that `to_json` wrote."""
        own = ("step", "uses", "status", "message")
        report = {name: value for name, value in document.items() if name not in own}
        return cls(**{name: document[name] for name in own}, report=report)


@dataclass(frozen=True, slots=True)
class Call(JsonMessage):
    """One attempt at one step: the input of the activity, and of a step's orchestrator.

    `response` holds only what the step reads, and no steps. `progress` is what the last attempt left,
    `results` what the steps before this one left, by their ids. `notices` are calls that notify people
    before the step has ended; only an orchestrator gets them. `unless_held` asks the activity to look first
    whether an operator holds the rule, `lease` whether an orchestration still has its lease.
    """

    response: Response
    step: StepPlan
    verb: str
    progress: Json
    results: Json
    failure: Failure | None = None
    notices: tuple["Call", ...] = ()
    unless_held: bool = False
    lease: LeaseClaim | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "response": Response.from_json,
        "step": StepPlan.from_json,
        "failure": read_optional(Failure.from_json),
        "notices": read_each(lambda one: Call.from_json(one)),  # noqa: PLW0108 - not defined yet
        "lease": read_optional(LeaseClaim.from_json),
    }

    @property
    def identity(self) -> tuple[str, str, int]:
        """The ids of the response and the step, and the reruns: equal in all starts of one step."""
        return self.response.id, self.step.id, self.response.reruns


@dataclass(frozen=True, slots=True)
class RecoveryRequest(JsonMessage):
    """The input of an orchestrator that puts back what another one left when it ended.

    `call` is the input of the one that ended; `holders` are the instances that may hold its lease.
    """

    call: Call
    holders: tuple[str, ...]

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"call": Call.from_json, "holders": tuple}
