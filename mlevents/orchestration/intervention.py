"""Interventions: what operators ask of a response that runs, as the log of the response keeps it.

The API raises each as the event `Intervention` to the response's orchestration, which passes it on to a
step's own orchestrator. Durable Functions keeps such an event until the orchestration reads it.
"""

import json
from dataclasses import dataclass
from typing import Any

from durabletask.task import OrchestrationContext, Task

from mlevents.orchestration.json_message import JsonMessage
from mlevents.orchestration.step_errors import GateClosedError, StepFailedError

INTERVENTION_EVENT = "Intervention"
CANCEL, ABORT, PROMOTE, RELEASED = "cancel", "abort", "promote", "released"
RERUN, REPLAY, HOLD_VERB, RELEASE_VERB = "rerun", "replay", "hold", "release"


@dataclass(frozen=True, slots=True)
class Intervention(JsonMessage):
    """One verb of an operator: `by` is who asked for it, `time` when (ISO 8601), `effect` what came of it.

    `id` is unique: one that arrives twice acts once. `phase` is the number of the phase of a rollout that is
    promoted.
    """

    id: str
    verb: str
    by: str
    reason: str
    time: str
    phase: int | None = None
    effect: str = ""

    def __str__(self) -> str:
        return f"by {self.by}: {self.reason}" if self.reason else f"by {self.by}"

    def to_error(self) -> StepFailedError | None:
        """The error with which this ends a step; None for a verb that ends none."""
        if self.verb == CANCEL:
            return GateClosedError(CANCEL, str(self))
        return StepFailedError(f"aborted {self}") if self.verb == ABORT else None


class InterventionQueue:
    """The interventions of one orchestration, in the order in which they came."""

    def __init__(self, context: OrchestrationContext) -> None:
        self._context = context
        self._known: set[str] = set()
        self.event: Task[Any] = context.wait_for_external_event(INTERVENTION_EVENT)

    def take_new(self) -> list[Intervention]:
        """Those that came since the last time; each once, however often it was sent."""
        found = []
        while self.event.is_complete:
            intervention = Intervention.from_json(json.loads(self.event.get_result()))
            self.event = self._context.wait_for_external_event(INTERVENTION_EVENT)
            if intervention.id not in self._known:
                self._known.add(intervention.id)
                found.append(intervention)
        return found
