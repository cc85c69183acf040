"""One step in the record of a response, for people to read."""

from dataclasses import dataclass, replace
from typing import Self

from mlevents.orchestration.json_message import JsonMessage
from mlevents.orchestration.step_plan import StepPlan

ON_FAILURE = "on_failure."
"""How the id of a step of `on_failure` begins in the record."""


@dataclass(frozen=True, slots=True)
class StepRecord(JsonMessage):
    """One step: its `status` is waiting, running, done, skipped, failed, stopped or refused."""

    id: str
    uses: str
    status: str
    detail: str

    @classmethod
    def of(cls, step: StepPlan, prefix: str = "") -> Self:
        """The record of a step that has not begun."""
        return cls(prefix + step.id, step.uses, "waiting", "")

    def change_status(self, **statuses: str) -> Self:
        """The record with another status, if this one is among the names."""
        return replace(self, status=statuses.get(self.status, self.status))
