"""The part of a rule that travels with a response, so that a gate can match the event again.

It is stored as it was when the event came: a redeploy with other rules does not change it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from mlevents.errors import PermanentError
from mlevents.events import Event
from mlevents.matching.condition_tree import FailedCondition
from mlevents.matching.where import ANY_EVENT, Where, bind_where


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as written: its `event`, its `where`, and its gates with unfilled `${…}`, by their keys.

    `kind` is the kind of event by which the event matched.
    """

    event: tuple[str, ...]
    kind: str
    where: Mapping[str, Any] | None = None
    gates: Mapping[str, Any] = field(default_factory=dict)

    def find_failure(self, event: Event) -> FailedCondition | None:
        """The first condition that does not hold for the event; None when all hold."""
        if ANY_EVENT not in self.event and self.kind not in event.kinds:
            return FailedCondition("event", self.kind, event.type)
        where = self._bind_where()
        return where.first_failure(event.names) if where else None

    def _bind_where(self) -> Where | None:
        if self.where is None:
            return None
        problems: list[str] = []
        where = bind_where(
            self.where, self.event, "where", lambda path, text: problems.append(f"{path}: {text}")
        )
        if problems:
            raise PermanentError(f"the conditions cannot be read any more: {problems[0]}: rerun the event")
        return where

    def to_json(self) -> dict[str, Any]:
        """The rule as JSON; `from_json` gives it back."""
        return asdict(self) | {"event": list(self.event)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """What `to_json` wrote; keys that only another version of this app knows are ignored."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(**{**known, "event": tuple(document["event"])})
