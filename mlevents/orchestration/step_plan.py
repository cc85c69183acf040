"""One step of a rule, as it is stored in a response."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlevents.orchestration.json_message import Json, JsonMessage, read_optional

PERFORM = "perform"
"""The verb of an action that has no orchestrator of its own."""


@dataclass(frozen=True, slots=True)
class RetryPlan(JsonMessage):
    """How often a step is tried in all, and how soon: `first` doubles up to `max`, in seconds."""

    attempts: int
    first: float
    max: float


@dataclass(frozen=True, slots=True)
class StepOrchestration(JsonMessage):
    """How a step with several writes is performed: by its own orchestrator.

    `name` is that of its function; `recovery` that of the function which puts back what it left when it
    ended without an answer. `serving_verb` is the verb of the action that reports what the step's target
    serves now, for the gates. `notice` is the template of the messages that are sent while what the step
    changed cannot be put back.
    """

    name: str
    recovery: str
    serving_verb: str
    notice: str


@dataclass(frozen=True, slots=True)
class StepPlan(JsonMessage):
    """One step: `with_` and `if_` are as the rule writes them, their `${…}` not yet filled in.

    `timeout` is in seconds. `deferrable` says that later steps need not wait while this one waits long to be
    retried; `notifies` that it sends a message to people.
    """

    id: str
    uses: str
    retry: RetryPlan
    with_: Json = field(default_factory=dict)
    if_: str | bool | None = None
    timeout: float | None = None
    orchestration: StepOrchestration | None = None
    deferrable: bool = False
    notifies: bool = False

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "retry": RetryPlan.from_json,
        "orchestration": read_optional(StepOrchestration.from_json),
    }
