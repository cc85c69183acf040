"""The first response of a key acts, and those that follow within a time do not.

```yaml
throttle: {key: "${drift.monitor}", once_per: 12h}
```

The key counts in the workspace of the event. A response that a later gate stops gives its place back, so the
next one may act.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mlevents.canonical import join_parts
from mlevents.duration import PositiveDuration, format_duration
from mlevents.gates.gate import gate
from mlevents.gates.keyed_gate import GIVE_BACK, TAKE, KeyedGate
from mlevents.gates.visit import GateVisit, Objection, StateChange, Visiting


@gate("throttle")
class Throttle(KeyedGate):
    """The first response of a key acts, and those that follow within a time do not."""

    position = 60
    stage = "response"

    key: str
    """what is throttled, such as `${drift.monitor}`."""
    once_per: PositiveDuration
    """How long no other response of this key may act."""

    def describe_limit(self) -> str:
        return f"one may act per {format_duration(self.once_per)}, decided when the response runs"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        asked = {"response": visit.attempt, "at": visit.now.isoformat(), "seconds": self.once_per}
        answer = yield from visit.change_state(self._scope(visit), TAKE, asked)
        if answer["response"] == visit.attempt:
            return None
        first, _, _ = str(answer["response"]).partition("~")
        every = format_duration(self.once_per)
        return Objection(f"{first} acted for '{self.key}' at {answer['at']}, and one may act per {every}")

    def withdraw(self, visit: GateVisit, /) -> Visiting[None]:
        yield from visit.change_state(self._scope(visit), GIVE_BACK, {"response": visit.attempt})

    def _scope(self, visit: GateVisit) -> str:
        return join_parts(visit.workspace, self.key)

    @classmethod
    def change_state(
        cls, state: Mapping[str, Any] | None, operation: str, document: Mapping[str, Any], /
    ) -> StateChange:
        """`take`: who acts now, the asking response if the time is over; `give_back` frees its place.

        A repetition changes nothing: the times are those of the responses, not of the messages.
        """
        if operation == GIVE_BACK:
            if state and state["response"] == document["response"]:
                state = {**state, "returned": True}
            return StateChange(state, {}, _end(state) if state else None)
        if state is None or _is_free(state, document):
            state = document
        return StateChange(state, state, _end(state))


def _is_free(state: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    returned = state.get("returned") and state["response"] != asked["response"]
    return bool(returned) or _end(state) <= datetime.fromisoformat(asked["at"])


def _end(state: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(state["at"]) + timedelta(seconds=state["seconds"])
