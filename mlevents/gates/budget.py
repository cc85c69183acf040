"""At most so many responses act in any such span of time.

```yaml
budget: {key: "${workspace.name}", at_most: 5, per: 24h}
```

The span slides: it begins anywhere, not at midnight. The key counts across workspaces, so name the workspace
in it. A response that a later gate stops gives its place back, and one that waits at a later gate has its
place at the time when it acts. People are notified of the first response that is stopped, once for each
exhausted span. A rerun is the same response, and keeps its place.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from mlevents.duration import PositiveDuration, format_duration, format_utc
from mlevents.gates.budget_state import BudgetState, Request
from mlevents.gates.gate import gate
from mlevents.gates.keyed_gate import GIVE_BACK, TAKE, KeyedGate
from mlevents.gates.visit import GateVisit, Objection, StateChange, Visiting

MOST_PLACES = 1000
"""The greatest `at_most`: the places of a key are one state, which each response reads and writes."""


@gate("budget")
class Budget(KeyedGate):
    """At most so many responses act in any such span of time."""

    position = 80
    stage = "response"
    rechecked = True

    key: str
    """what has the budget, such as `${workspace.name}`."""
    at_most: Annotated[int, Field(ge=1, le=MOST_PLACES)]
    """How many responses of this key may act in a span."""
    per: PositiveDuration
    """How long a span is."""

    @property
    def _limit(self) -> str:
        return f"at most {self.at_most} may act per {format_duration(self.per)}"

    def describe_limit(self) -> str:
        return f"{self._limit}, counted when the response runs"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        answer = yield from visit.change_state(self.key, TAKE, self._ask(visit))
        if answer["acts"]:
            return None
        text = (
            f"'{self.key}' has no place left: {self._limit}, and the places are taken since "
            f"{format_utc(answer['since'])}; the next is free at {format_utc(answer['next'])}"
        )
        return Objection(text, notify=answer["notify"])

    def withdraw(self, visit: GateVisit, /) -> Visiting[None]:
        yield from visit.change_state(self.key, GIVE_BACK, self._ask(visit))

    def _ask(self, visit: GateVisit) -> dict[str, Any]:
        return Request(visit.attempt, visit.now, self.at_most, self.per).to_json()

    @classmethod
    def change_state(
        cls, state: Mapping[str, Any] | None, operation: str, document: Mapping[str, Any], /
    ) -> StateChange:
        """`take` a place at a time, or say when one is free; `give_back` frees those of the response."""
        known, asked = BudgetState.from_json(state), Request.from_json(document)
        answer = known.give_back(asked) if operation == GIVE_BACK else known.take(asked)
        expires = known.forget_old(asked)
        return StateChange(known.to_json(), answer, expires)
