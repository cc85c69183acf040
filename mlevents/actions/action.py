"""What an action is: its parameters, and one verb that may be called any number of times."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict

from mlevents.actions.allowed_target import Target
from mlevents.actions.preflight_input import Preflight
from mlevents.events import Event
from mlevents.orchestration.step_plan import PERFORM, RetryPlan, StepOrchestration
from mlevents.registry import Registry
from mlevents.services.connection import ConnectionName as ConnectionName  # noqa: PLC0414 - actions import it from here
from mlevents.services.finding import Finding
from mlevents.services.permission import Permission
from mlevents.services.services import Services
from mlevents.yamlfile.fixed_text import FixedText
from mlevents.yamlfile.key_choice import KeyChoiceModel

LONGEST_TAG = 256  # characters that Azure takes as a tag's value
DEFAULT_RETRY = RetryPlan(attempts=5, first=5.0, max=300.0)
"""The retry of a step for which the rules say nothing else."""


@dataclass(frozen=True, slots=True)
class RuleFile(FixedText):
    """Marks a parameter that names a file beside the rule file, which exists when rules load."""


FileName = Annotated[str, RuleFile()]


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step knows of the response that it belongs to.

    `id` is the response's; `step` the step's own id; `key` names this step of this response alone, in
    lower-case letters, digits and dashes, the same at every attempt; nobody without the app's secret can know
    it beforehand, so it also marks what the step starts. `names` holds the event's normalised names, `steps`
    with the results of the steps before, and `failure` in `on_failure`. `progress` is what the last attempt
    left in its `Pending`. `retry` is the step's, `written` its parameters as the rule writes them. `fill`
    puts values into the `${…}` of a file's content, as was done with the parameters.
    """

    id: str
    rule: str
    step: str
    key: str
    event: Event
    names: Mapping[str, Any]
    progress: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 1
    retry: RetryPlan = DEFAULT_RETRY
    written: Mapping[str, Any] = field(default_factory=dict)
    fill: Callable[[Any], Any] = field(default=lambda value: value)

    @property
    def provenance(self) -> dict[str, str]:
        """The tags that everything we create carries."""
        return {
            "mlevents.event": self.event.id[:LONGEST_TAG],
            "mlevents.rule": self.rule,
            "mlevents.response": self.id,
            "mlevents.depth": str(self.depth),
        }


@dataclass(frozen=True, slots=True)
class Done:
    """The step is through: `detail` is for people, `result` is what later steps read."""

    detail: str
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """The step goes on elsewhere: perform it again `after` so many seconds, with this progress.

    Each wait is half as long again after the one before, unless it is `exact`. `awaits` names an external
    event that ends it; the event's text is then in the progress, as `message`. `brief` says that it will be
    over within seconds: the attempt itself waits a little before it ends.
    """

    detail: str
    after: float
    progress: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = False
    awaits: str | None = None
    brief: bool = False


Outcome = Done | Pending


class StepVerb(StrEnum):
    """The verb of an action that has no orchestrator of its own."""

    PERFORM = PERFORM


class Action(KeyChoiceModel, ABC):
    """One thing that can be done; its fields are the parameters that a rule gives in `with`.

    `orchestration` names the orchestrators of an action that takes several writes, which must be undone
    together; without it, `perform` is called until it is `Done`. `verbs` are the methods that may be called.
    `notifies` says that it sends a message `to` people, by a `template`. `causes` are the kinds of events
    that Azure ML may raise of what the action makes, with its tags; `leads_to` those that follow without its
    tags, such as of a model that its job registers. Without the parameter `causes_with`, it causes none.
    `permissions` are what the app must be allowed in Azure to perform it. `from_event` maps a parameter that
    the event answers for, when it is left out, to the root of the names that the event then needs.
    `deferrable` says that later steps need not wait while this one waits long to be retried. `target` is what
    an event may name only where the rule file lists it. `key_choices` are parameters that exclude each other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    orchestration: ClassVar[StepOrchestration | None] = None
    notifies: ClassVar[bool] = False
    causes: ClassVar[tuple[str, ...]] = ()
    causes_with: ClassVar[str] = ""
    leads_to: ClassVar[tuple[str, ...]] = ()
    permissions: ClassVar[tuple[Permission, ...]] = ()
    verbs: ClassVar[type[StrEnum]] = StepVerb
    deferrable: ClassVar[bool] = False
    from_event: ClassVar[Mapping[str, str]] = {}
    target: ClassVar[Target | None] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Raise TypeError for a verb that is not a method, or for gates that ask for an unknown verb."""
        asked = {cls.orchestration.serving_verb} if cls.orchestration else set()
        unknown = [verb for verb in {*cls.verbs, *asked} if not callable(getattr(cls, verb, None))]
        if unknown or asked - {*cls.verbs}:
            raise TypeError(f"{cls.__name__} has no verb '{(unknown or [*asked])[0]}'")

    def check(self, read: Callable[[str], str]) -> None:
        """Look, when the rules load, through the files that the parameters name.

        `read` gives the text of a file beside the rule file. Raises PermanentError, as `read` does.
        """

    def find_warnings(self) -> Iterator[tuple[str, str]]:
        """Parameters that will hardly do as they are written, and why: warnings when the rules load."""
        yield from ()

    @classmethod
    def present_names(cls, names: Mapping[str, Any], written: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG003
        """What the expressions in its parameters may read; `written` are these as the rule has them."""
        return names

    @classmethod
    def find_permission_parameters(cls, written: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `given` of its permissions names: its parameters as `written` in a rule."""
        return written

    def find_connection_faults(
        self,
        connections: Mapping[str, Mapping[str, Any]],  # noqa: ARG002
        environment: Mapping[str, str],  # noqa: ARG002
    ) -> Iterator[str]:
        """What keeps it from using the connections that it names, as far as is known when rules load."""
        yield from ()

    def preflight(self, context: Preflight) -> Iterator[Finding]:  # noqa: ARG002 - an action may
        """Check in Azure what the parameters name, without changing anything; by default there is no check.

        A parameter may still hold `${…}`: then the finding says that it was not checked.
        """
        yield from ()

    @classmethod
    def select_names(cls, written: Mapping[str, Any], names: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of the names of an event, `steps` and `failure`, what the action reads besides its expressions.

        `written` is its `with`. Nothing else of the event goes to the activity, so keep it small. By default
        it is what `from_event` answers for, without tags and properties.
        """
        left_out = {root for parameter, root in cls.from_event.items() if parameter not in written}
        return {root: _plain_fields(names[root]) for root in left_out if root in names}

    @abstractmethod
    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Do it, or look how far it is; performing twice leaves what performing once leaves.

        Raises PermanentError or TransientError.
        """


def _plain_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not isinstance(value, Mapping | list)}


action = Registry[type[Action]]("action", "mlevents.actions", Action)
