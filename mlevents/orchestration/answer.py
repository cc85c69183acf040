"""The result of one attempt at a step, or of a step's own orchestrator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from mlevents.orchestration.json_message import Json, JsonMessage


class AnswerKind(StrEnum):
    """What came of an attempt, or of a step's orchestrator."""

    DONE = "done"
    SKIPPED = "skipped"
    PENDING = "pending"
    HELD = "held"
    LOST = "lost"
    TRANSIENT = "transient"
    STOPPED = "stopped"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer(JsonMessage):
    """What an activity or a step's orchestrator answers; `detail` is for people.

    - done: `result` is what later steps read. `waited` is how many seconds the step waited, or the attempt.
    - pending: perform again after `after` seconds with this `progress`; each wait is longer than the one
      before, unless it is `exact`.
      `awaits` names an external event that ends the wait; its text goes into the progress, as `message`.
    - held: an operator holds the rule, so nothing was performed.
    - lost: another orchestration has the lease by now, so nothing was performed.
    - transient: try again, not before `retry_after` seconds; `busy` says that someone else's operation is
      under way.
    - stopped: `gate` names the gate that objected, if one did.
    - stopped, refused, failed: `report` is what is known besides `detail`. `unrestored` says that what
      the step changed must be put back by another orchestration.

    A recovery answers done; `completed` says that the step had completed, so that this is its own answer.
    """

    kind: AnswerKind
    detail: str
    result: Json = field(default_factory=dict)
    waited: float = 0.0
    after: float | None = None
    progress: Json = field(default_factory=dict)
    exact: bool = False
    awaits: str | None = None
    retry_after: float | None = None
    busy: bool = False
    gate: str | None = None
    report: Json = field(default_factory=dict)
    unrestored: bool = False
    completed: bool = False

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"kind": AnswerKind}

    def __post_init__(self) -> None:
        if self.kind is AnswerKind.PENDING and self.after is None:
            raise ValueError("a pending answer without `after`, the seconds until the next attempt")

    @property
    def is_success(self) -> bool:
        """Whether the step has ended well."""
        return self.kind in (AnswerKind.DONE, AnswerKind.SKIPPED)
