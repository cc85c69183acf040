"""Decides what to do with a response that ended without an outcome: pure; `sweeper` carries it out.

A response whose orchestration has Failed (the history of another release, an entity's answer that could not
be read) is run again under its own id: its steps are idempotent. After the last attempt, or when an operator
has terminated it, it is *settled*: it runs once more, restores what its steps changed, notifies people, and
ends as `failed`.
"""

from dataclasses import dataclass, replace
from typing import Literal

from mlevents.orchestration.messages import RecoveryRequest, Response
from mlevents.orchestration.step_record import StepRecord

ATTEMPTS = 3
"""How often a response is run in all, before it is settled."""

Change = Literal["rerun", "settle", "leave"]


@dataclass(frozen=True, slots=True)
class Ended:
    """An orchestration of a response that ended without an outcome.

    `response` is its input, None where that cannot be read; `why` what is known of its end; `steps` are the
    records of its steps.
    """

    response: Response | None
    terminated: bool
    why: str
    steps: tuple[StepRecord, ...] = ()

    @property
    def end(self) -> str:
        """How it ended, for people."""
        times = f", {self.attempt} times" if self.attempt > 1 else ""
        how = "was terminated" if self.terminated else f"ended without an outcome{times}"
        return f"the orchestration {how}: {self.why}" if self.why else f"the orchestration {how}"

    @property
    def outlook(self) -> str:
        """What becomes of it, for people; empty for one that is left."""
        again = f"it is run again soon (attempt {self.attempt + 1} of {ATTEMPTS})"
        last = "what it left is put back soon, and it ends as failed"
        return {"rerun": again, "settle": last, "leave": ""}[self.change]

    @property
    def because(self) -> str:
        """Both, in one sentence."""
        return f"{self.end}; {self.outlook}" if self.outlook else self.end

    @property
    def attempt(self) -> int:
        """Which attempt this was, counted from 1."""
        return self.response.attempt if self.response else 1

    @property
    def change(self) -> Change:
        """What to do; nothing where the settled response has ended badly too, or its input cannot be read."""
        if self.response is None or self.attempt > ATTEMPTS:
            return "leave"
        return "settle" if self.terminated or self.attempt == ATTEMPTS else "rerun"


def rerun_response(response: Response, ended: Ended) -> Response:
    """The input of the next attempt."""
    return replace(response, attempt=ended.attempt + 1, earlier=ended.steps)


def settle_response(response: Response, ended: Ended, unfinished: tuple[RecoveryRequest, ...]) -> Response:
    """The input of the response that only notifies people, and puts back what `unfinished` steps left."""
    return replace(
        response,
        attempt=ATTEMPTS + 1,
        status="failed",
        because=ended.end,
        earlier=tuple(step.change_status(running="failed") for step in ended.steps),
        alert=response.alert or response.status == "running",
        unfinished=unfinished,
    )
