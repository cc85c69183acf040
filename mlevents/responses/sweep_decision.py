"""Deciding what becomes of a response that ended without an outcome: pure; `sweeper` does it.

A response whose orchestration has Failed (the history of another release, an entity's answer that could not
be read) is run again under its own id: its steps are idempotent. After the last attempt, or when an operator
has terminated it, it is *settled*: it runs once more, puts back the traffic that its rollouts left, notifies
people, and ends as `failed`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ATTEMPTS = 3
"""How often a response is run in all, before it is settled."""

Change = Literal["rerun", "settle", "leave"]


@dataclass(frozen=True, slots=True)
class Ended:
    """An orchestration of a response that ended without an outcome.

    `document` is its input, `why` what is known of its end, `steps` are its steps' lines in the record.
    """

    document: Mapping[str, Any]
    terminated: bool
    why: str
    steps: Sequence[Mapping[str, str]] = ()

    @property
    def what(self) -> str:
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
        return f"{self.what}; {self.outlook}" if self.outlook else self.what

    @property
    def attempt(self) -> int:
        """Which attempt this was, counted from 1."""
        return int(self.document.get("attempt", 1))

    @property
    def change(self) -> Change:
        """What to do; nothing once the settled response has ended so too, or where its input is no JSON."""
        if not self.document or self.attempt > ATTEMPTS:
            return "leave"
        return "settle" if self.terminated or self.attempt == ATTEMPTS else "rerun"


def rerun(ended: Ended) -> dict[str, Any]:
    """The input of the next attempt."""
    return {**ended.document, "attempt": ended.attempt + 1, "earlier": list(ended.steps)}


def settle(ended: Ended, unfinished: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The input of the response that only notifies people, and puts back what `unfinished` rollouts left."""
    known = ended.document
    return {
        **known,
        "attempt": ATTEMPTS + 1,
        "status": "failed",
        "because": ended.what,
        "earlier": [_over(step) for step in ended.steps],
        "alert": known.get("alert", False) or known.get("status") == "running",
        "unfinished": list(unfinished),
    }


def _over(step: Mapping[str, str]) -> dict[str, str]:
    """A step's line in the record, as nothing more comes of it."""
    return {**step, "status": "failed" if step["status"] == "running" else step["status"]}
