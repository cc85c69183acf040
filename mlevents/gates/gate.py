"""What a gate is: the parameters below its key in a rule, its place among the gates, and when it looks."""

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import ConfigDict

from mlevents.events import Event
from mlevents.expressions.interpolation import render_value
from mlevents.gates.expected_events import ExpectedEvents
from mlevents.gates.visit import GateVisit, Objection, StateChange, Visiting
from mlevents.registry import Registry
from mlevents.services.permission import Permission
from mlevents.yamlfile.key_choice import KeyChoiceModel
from mlevents.yamlfile.positions import PathProblem

if TYPE_CHECKING:
    from mlevents.services.services import Services

Stage = Literal["delivery", "steps", "lease", "response"]
"""When a gate looks: before the response exists; before its steps; before them and again with an endpoint's
lease; in the response before its steps, where it can wait, keep a state, and read from Azure."""

Preview = tuple[bool | None, str]
"""Whether the gate lets an event through (None: known only when the response runs), and what to print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A deployment with traffic.

    `key` and `by` are as the gate `order` left them, else the model's name and version; `tags` are the
    model's, and empty unless a gate has `served_tags`.
    """

    deployment: str
    model: str
    version: str
    key: str
    by: str
    percent: int
    tags: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The deployment as JSON; `from_json` gives it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """What `to_json` wrote; keys that only another version of this app knows are ignored."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})


class AnyGate(KeyChoiceModel, ABC):
    """One gate of a rule. Its module's docstring shows its YAML, and its first sentence is the key's help.

    `position` is the place among the gates, the lowest first. `served_tags` asks for the tags of the models
    that serve, which costs a request each. `key_choices` are keys that exclude each other. `rechecked` says
    that the gate looks again when a later one has waited. `listens` are the verbs of the messages for which
    it waits. `given_names` are the names that it gives to the steps, as an event type declares its own.
    `permissions` are what the app must be allowed in Azure. `matches_again` asks for the rule as written.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    position: ClassVar[int] = 1000
    stage: ClassVar[Stage] = "steps"
    served_tags: ClassVar[bool] = False
    rechecked: ClassVar[bool] = False
    listens: ClassVar[tuple[str, ...]] = ()
    given_names: ClassVar[Mapping[str, Any]] = {}
    permissions: ClassVar[tuple[Permission, ...]] = ()
    matches_again: ClassVar[bool] = False

    @classmethod
    def describe_names(cls, names: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG003
        """The types of the names that it gives, in a rule whose events have these."""
        return cls.given_names

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:  # noqa: ARG003
        """What is wrong beyond the form, by path below the gate's key; `names` are what its events tell.

        `written` may be anything that YAML can hold.
        """
        yield from ()

    @classmethod
    def find_warnings(cls, written: object) -> Iterator[PathProblem]:  # noqa: ARG003
        """What hardly does as it is written, by path below the gate's key: warnings when the rules load."""
        yield from ()

    @property
    def paths(self) -> set[tuple[str | int, ...]]:
        """Which of the event's names `objection` reads."""
        return set()

    @property
    def permission_parameters(self) -> Mapping[str, Any]:
        """The parameters that `given` of its permissions names."""
        return {}

    @property
    def expected_events(self) -> ExpectedEvents | None:
        """Other events than those of the rule, which have to be delivered too."""
        return None

    def fill(self, names: Mapping[str, Any]) -> Any:
        """The parameters as JSON, each `${…}` filled in; raises ExpressionError for a missing value."""
        return render_value(self.model_dump(exclude_none=True), names)

    def describe(self) -> Any:
        """What the gate wants, for people: its parameters as JSON when left out."""
        return self.model_dump(exclude_none=True)

    def describe_occasion(self) -> str:
        """What makes a response where its rule names no event; empty when left out."""
        return ""

    def preview(self, event: Event, now: datetime) -> Preview | None:  # noqa: ARG002
        """What `explain` prints of this event after the gate's name; None for the parameters alone."""
        return None

    def identity(self, names: Mapping[str, Any], /) -> str | None:  # noqa: ARG002
        """Stage `delivery`: what makes two events one response; raises ValueError for no such value."""
        return None

    def objection_to_event(self, event: Event, now: datetime, /) -> str | None:  # noqa: ARG002
        """Stage `delivery`: why this event must not be acted on, or None; pure."""
        return None

    def objection(self, names: Mapping[str, Any], /, serving: Sequence[Served]) -> str | None:  # noqa: ARG002
        """Stages `steps` and `lease`: why this event must not be acted on, or None; pure.

        `serving` are the endpoint's deployments, the one with most traffic first; empty in stage `steps`.
        """
        return None

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:  # noqa: ARG002
        """Stage `response`: let the response act, or say why not; its parameters are filled in.

        May raise StepFailedError, through the visit: then the response fails.
        """
        yield from ()
        return None

    def withdraw(self, visit: GateVisit, /) -> Visiting[None]:  # noqa: ARG002
        """Stage `response`: a later gate objected to a response that this one let act."""
        yield from ()

    @classmethod
    def change_state(
        cls, state: Mapping[str, Any] | None, operation: str, document: Mapping[str, Any], /
    ) -> StateChange:
        """Stage `response`: what an operation of a visit makes of the gate's state; pure."""
        raise NotImplementedError(f"{cls.__name__} has no state, so no operation '{operation}': {document}")

    def read(
        self, names: Mapping[str, Any], document: Mapping[str, Any], services: "Services", /
    ) -> Mapping[str, Any]:
        """Stage `response`: what Azure says; an activity, so it may run any number of times.

        Raises ActionError.
        """
        raise NotImplementedError(f"{type(self).__name__} reads nothing")


class Gate(AnyGate):
    """A gate with parameters: its fields are the keys below its own key."""

    model_config = ConfigDict(extra="forbid")


gate = Registry[type[AnyGate]]("gate", "mlevents.gates", AnyGate)


def gates_in_order() -> dict[str, type[AnyGate]]:
    """Every gate by its key, in the order in which they look."""
    return dict(sorted(gate.items(), key=lambda one: (one[1].position, one[0])))


def gates_at(stage: Stage, written: Mapping[str, Any]) -> dict[str, Any]:
    """Of the gates of a response as JSON, those that look at this stage.

    One that has been removed since is left out, because an orchestrator is replayed; the activity reports it.
    """
    known = {name: values for name, values in written.items() if name in gate}
    return {name: values for name, values in known.items() if gate.find(name).stage == stage}
