"""What is kept of an approval that was asked for, for those who look at it and decide it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from mlevents.gates.approve.terms import APPROVE, REJECT

UNDECIDED, APPROVED = "waiting", "passed"


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """An approval: `place` is the gate or the phase, `status` waiting, passed, stopped or failed.

    `hash` is that of the token; `author` has `name` and `type` of who registered the model.
    `step` is that of a rollout, and `would` what would happen there.
    """

    key: str
    place: str
    status: str
    detail: str
    until: str
    hash: str = ""
    by: tuple[str, ...] = ()
    not_by: str | None = None
    author: Mapping[str, str] | None = None
    step: str = ""
    would: tuple[str, ...] = ()

    @classmethod
    def read(cls, about: Mapping[str, Any], status: str, detail: str, until: str) -> Self | None:
        """The approval that a gate or a phase has stored; None where it has stored none."""
        if not about.get("key"):
            return None
        return cls(
            key=str(about["key"]),
            place=str(about["place"]),
            status=status,
            detail=detail,
            until=until or str(about.get("until") or ""),
            hash=str(about.get("hash") or ""),
            by=tuple(about.get("by") or ()),
            not_by=about.get("not_by"),
            author=about.get("author"),
            step=str(about.get("step") or ""),
            would=tuple(about.get("would") or ()),
        )

    @property
    def verb(self) -> str:
        """What was decided; a wait without a decision counts as a rejection."""
        return APPROVE if self.status == APPROVED else REJECT

    def is_open(self, now: datetime) -> bool:
        """Whether it can be decided at this time."""
        return self.status == UNDECIDED and not self.is_over(now)

    def is_over(self, now: datetime) -> bool:
        """Whether the time for a decision is over."""
        return bool(self.until) and datetime.fromisoformat(self.until) <= now
