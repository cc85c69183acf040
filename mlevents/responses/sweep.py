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

    `document` is its input, `why` what is known of its end.
    """

    document: Mapping[str, Any]
    terminated: bool
    why: str

    @property
    def attempt(self) -> int:
        """Which attempt this was, counted from 1."""
        return int(self.document.get("attempt", 1))

    @property
    def change(self) -> Change:
        """What to do: nothing once the settled response has ended without an outcome too."""
        if self.attempt > ATTEMPTS:
            return "leave"
        return "settle" if self.terminated or self.attempt == ATTEMPTS else "rerun"


def rerun(ended: Ended) -> dict[str, Any]:
    """The input of the next attempt."""
    return {**ended.document, "attempt": ended.attempt + 1}


def settle(ended: Ended, unfinished: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The input of the response that only notifies people, and puts back what `unfinished` rollouts left."""
    known = ended.document
    times = f", {ended.attempt} times" if ended.attempt > 1 else ""
    what = "was terminated" if ended.terminated else f"ended without an outcome{times}"
    return {
        **known,
        "attempt": ATTEMPTS + 1,
        "status": "failed",
        "because": f"the orchestration {what}: {ended.why}" if ended.why else f"the orchestration {what}",
        "alert": known.get("alert", False) or known.get("status") == "running",
        "unfinished": list(unfinished),
    }
