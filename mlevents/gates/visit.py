"""What a response offers a gate that looks while the response runs: its event, a state, Azure, and time.

A gate's `admit` is orchestrator code: it is replayed, so it reads no clock, and everything that it does goes
through its visit.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from mlevents.events import Event

if TYPE_CHECKING:
    from mlevents.gates.written_rule import WrittenRule

type Visiting[T] = Generator[Any, Any, T]
"""Orchestrator code with this result."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the response must not act: it stops, with this text.

    `notify` says that people are notified, by the steps of `on_failure`.
    """

    text: str
    notify: bool = False


@dataclass(frozen=True, slots=True)
class GateMessage:
    """What a person, or another response, says to a response that waits at a gate.

    `verb` is one of those that the gate `listens` to, `by` who says it; `id` is the message's own.
    """

    verb: str
    by: str
    reason: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class StateChange:
    """What an operation on the state of a gate leads to.

    `state` is stored until `expires`; None removes it. `answer` goes to the gate that asked.
    """

    state: Mapping[str, Any] | None
    answer: Mapping[str, Any]
    expires: datetime | None = None


class GateVisit(Protocol):
    """One response at one gate."""

    @property
    def response(self) -> str:
        """The id of the response."""

    @property
    def attempt(self) -> str:
        """The id of the response, and which of its reruns it is: what makes two visits the same one."""

    @property
    def rule(self) -> str:
        """The id of the rule."""

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """The steps that the response would perform: `id`, `uses` and `with`, as the rule writes them."""

    @property
    def plan(self) -> str:
        """The digest of the rule as it was when the response began, before a gate changed it."""

    @property
    def workspace(self) -> str:
        """The workspace of the event, for keys that are unique in one workspace alone."""

    @property
    def event(self) -> Event:
        """The event, with the names that earlier gates have given."""

    @property
    def written_rule(self) -> "WrittenRule | None":
        """The rule as written when the event came, for a gate that `matches_again`."""

    @property
    def now(self) -> datetime:
        """The time of the response, aware: the same at each replay."""

    def cut_names(self, units: int) -> Mapping[str, Any]:
        """The names of the event, cut to so many characters of JSON."""

    def change_state(
        self, key: str, operation: str, document: Mapping[str, Any]
    ) -> Visiting[Mapping[str, Any]]:
        """Ask the gate's state under this key; the gate's class method `change_state` answers.

        The state belongs to this rule and this gate alone. An operation may arrive twice, late, or in another
        order, so each must be idempotent.
        """

    def read(self, document: Mapping[str, Any]) -> Visiting[Mapping[str, Any]]:
        """Perform the gate's `read` in an activity, and retry it; raises StepFailedError at the end."""

    def wait(
        self,
        until: datetime,
        reason: str,
        about: Mapping[str, Any] | None = None,
        again: datetime | None = None,
    ) -> Visiting[GateMessage | None]:
        """Wait until this time, or until a message comes; None for the time.

        `about` is what the API reads of the gate, also later. `again` ends this wait earlier.
        """

    def send(self, response: str, verb: str) -> Visiting[None]:
        """Send a message to another response that waits at this gate."""

    def record(self, text: str) -> None:
        """What people read of a response that passes this gate."""

    def give_names(self, names: Mapping[str, Any]) -> None:
        """Give the steps these names, or replace the event's; the gate declares its own as `given_names`.

        Raises StepFailedError where a step needs a value that is missing now.
        """

    def deepen(self, depth: int) -> None:
        """Set how many responses led to what this one creates, itself included."""

    def give_gates(self, gates: Mapping[str, Any]) -> None:
        """Replace the filled-in parameters of these later gates."""
